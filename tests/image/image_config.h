/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's configuration as the image back-end understands it: the JSON of a
 * libxl_domain_config with so much in it.
 */
#ifndef IMAGE_CONFIG_H
#define IMAGE_CONFIG_H

#include "image.h"

#define IMAGE_CONFIG_MAX 2048

struct image_config {
    char name[200];
    uint8_t uuid[16];
    uint64_t kib;
    unsigned vcpus;
};

/* -1 if it is not one. */
int image_config_parse(const char *json, struct image_config *c_r);
void image_config_text(const struct image_config *c,
                       char out[IMAGE_CONFIG_MAX]);

/*
 * Fills a new domain from the stock stream at fd: memory and context; -1 if
 * that is not whole.
 */
int image_restore(struct image_conn *c, uint32_t domid, int fd);

/* "01234567-89ab-..." */
void image_uuid_text(const uint8_t uuid[16], char out[37]);

/*
 * Makes a paused domain of it, with its nodes in xenstore; its number, 0: it
 * was not made.
 */
uint32_t image_create(struct image_conn *c, const struct image_config *g,
                      const char *name, enum image_entry entry,
                      const char *kernel, const char *cmdline);

#endif
