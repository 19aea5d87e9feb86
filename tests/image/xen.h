/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of image-xen, the hypervisor and xenstore of a host of images. */
#ifndef IMAGE_XEN_H
#define IMAGE_XEN_H

#include <sys/types.h>

#include "image.h"

/* ---- xen.c: who is connected ---- */

struct client;

/* Answers the call in m; the client may be gone. */
void client_answer(struct client *c, const struct image_msg *m);
/* The watches for path fire. */
void clients_fire(const char *path);

/* ---- xen_store.c: names are whole paths, values any octets ---- */

/* Also the paths above, if they are not there. */
void store_write(const char *path, const void *value, uint32_t len);
void store_print(const char *path, const char *value);
/* False if there is none. */
bool store_read(const char *path, struct image_msg *m_r);
void store_remove(const char *path);
/* The names right below m's path; false if there is no such node, or too many. */
bool store_directory(struct image_msg *m);
/* The n-th of all; false at the end. */
bool store_nth(uint64_t n, struct image_msg *m_r);

/* ---- xen_domains.c ---- */

/*
 * Does a call about domains for client c: true if m is the answer, false if it
 * will come later.
 */
bool domains_call(struct client *c, struct image_msg *m);
/* A process has ended. */
void domains_reap(pid_t pid);
/* A client is gone: it is answered no more. */
void domains_forget(const struct client *c);

/* Where guests find the lock of their uuid; the parameter of what is started. */
extern const char *world_dir;

#endif
