/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image back-end (README.md): what a host's hypervisor, image-xen, and those
 * who call it say to each other, and a domain's memory as a file.
 *
 * A call is a message on a SOCK_SEQPACKET socket and its answer.  The hypervisor
 * does one at a time and whole, so whoever is killed while he waits leaves
 * nothing half done.  Both ends are built together: the message is a struct.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_DIR    MEXT_RUNDIR "/image"
#define IMAGE_SOCKET IMAGE_DIR "/xen.sock"

#define IMAGE_NAME_MAX 256
#define IMAGE_PATH_MAX 256
#define IMAGE_DATA_MAX 8192

/* gfns of a domain are below; bit g of a bitmap is bit g % 64 of word g / 64. */
#define IMAGE_GFNS (1u << 22)

/* Ring pages that stay with a host, as in a PVH domain. */
#define IMAGE_SPECIAL_GFN 0xfeffc
#define IMAGE_SPECIALS    4

/* mstrap's own pages, from MS_OWN_GFN on, which are given back. */
#define IMAGE_OWN_PAGES 64

/* What a domain starts with when it first runs. */
enum image_entry {
    IMAGE_ENTRY_GUEST = 1,
    IMAGE_ENTRY_MSTRAP,
};

/* A domain as everybody may see it. */
struct image_domain {
    uint32_t domid;
    char name[IMAGE_NAME_MAX];
    uint8_t uuid[16];
    uint64_t max_kib;
    uint32_t vcpus;
    bool paused, shutdown, logging;
    bool resumed;   /* after a suspend */
    uint8_t reason; /* MEXT_SHUTDOWN_*, when shutdown */
    uint8_t entry;  /* enum image_entry */
    char kernel[IMAGE_PATH_MAX], cmdline[IMAGE_PATH_MAX];
    struct {
        uint32_t mode, khz, incarnation;
        uint64_t nsec;
    } tsc;
};

enum image_op {
    /* domains; 0 or -1, with why in data where it is worth telling */
    IMAGE_CREATE = 1, /* data: image_domain, then configuration; -> domid */
    IMAGE_DESTROY,    /* returns when nothing of it runs any more */
    IMAGE_INFO,       /* -> image_domain */
    IMAGE_NEXT,       /* the first with a number above domid -> image_domain */
    IMAGE_RENAME,     /* path: the name */
    IMAGE_CONFIG_GET, /* -> data */
    IMAGE_CONFIG_SET, /* data */
    IMAGE_PAUSE,      /* returns when it stands still */
    IMAGE_UNPAUSE,
    IMAGE_RESUME, /* one that has suspended */
    IMAGE_STOP,   /* the domain's own: a is the reason, data its context; is
                     answered when it is resumed */
    IMAGE_LOG,    /* a: on or off; the bitmap is clear then */
    IMAGE_CONTEXT_GET,
    IMAGE_CONTEXT_SET, /* what ran in it is gone: it starts as the guest */
    IMAGE_TSC_SET,     /* data: tsc */
    IMAGE_RELEASE,     /* a: gfn, b: pages */
    IMAGE_POWER_CUT,   /* all that runs on this host ends now, and is silent */
    /* xenstore; path is whole, data is the value without NUL */
    IMAGE_READ,   /* -> data */
    IMAGE_WRITE,  /* makes what is above it, too */
    IMAGE_TELL,   /* the same if domain domid is there */
    IMAGE_REMOVE, /* and all below */
    IMAGE_DIRECTORY, /* -> a: nodes right below, data: their names, each with NUL */
    IMAGE_LIST,      /* a-th node -> path, data */
    IMAGE_WATCH,     /* data: the token; fires at once */
    IMAGE_UNWATCH,
    IMAGE_EVENT, /* from the hypervisor, unasked: a watch fired, data: token */
};

struct image_msg {
    uint32_t op;
    int32_t rc; /* of an answer */
    uint32_t domid;
    uint32_t len; /* of data */
    uint64_t a, b;
    char path[IMAGE_PATH_MAX];
    uint8_t data[IMAGE_DATA_MAX];
};

/* Octets of m that are sent. */
static inline size_t image_msg_size(const struct image_msg *m)
{
    return offsetof(struct image_msg, data) + m->len;
}

/* ---- calling ---- */

struct image_conn;

/* To the hypervisor at a socket, NULL: this host's.  NULL and errno on failure. */
struct image_conn *image_open(const char *socket);
void image_close(struct image_conn *c);
int image_fd(const struct image_conn *c); /* readable: an event may have come */

/* Sends m, which becomes the answer; its rc.  -1 if there is no hypervisor. */
int image_call(struct image_conn *c, struct image_msg *m);
/* The same without data. */
int image_do(struct image_conn *c, enum image_op op, uint32_t domid);
/* -1 if there is no such domain. */
int image_info(struct image_conn *c, uint32_t domid, struct image_domain *d_r);
/* The domain after domid; false at the end. */
bool image_next(struct image_conn *c, uint32_t domid, struct image_domain *d_r);

int image_write(struct image_conn *c, uint32_t domid, const char *path,
                const char *value);
/* The length of the value, which goes to out with a NUL; -1: none, or longer. */
int image_read(struct image_conn *c, uint32_t domid, const char *path,
               char *out, size_t max);
int image_watch(struct image_conn *c, const char *path, const char *token);
/* The token of a watch that fired, if one has; does not wait. */
bool image_event(struct image_conn *c, char *token, size_t max);

/* ---- memory ---- */

struct image_ram {
    uint8_t *pages;
    /* Of IMAGE_GFNS bits; fresh: came since the dirty ones were last fetched, and
     * is not noted there, as on Xen; free: what the guest cares nothing about. */
    uint64_t *present, *dirty, *fresh, *free;
};

/* -1 and errno.  make: a new one, with nothing in it. */
int image_ram_open(uint32_t domid, bool make, struct image_ram *r_r);
void image_ram_close(struct image_ram *r);
void image_ram_remove(uint32_t domid);
/* What a page held before is no reason to hold it afterwards: junk in all that is there. */
void image_ram_junk(const struct image_ram *r);

static inline uint8_t *image_page(const struct image_ram *r, uint64_t gfn)
{
    return r->pages + gfn * 4096;
}

bool image_bit(const uint64_t *map, uint64_t i);
/* Atomic, as others look. */
void image_bits_put(uint64_t *map, uint64_t first, uint64_t n, bool v);

/* ---- the rest ---- */

/*
 * Gives the host's interface another address or takes it away: then it is as
 * silent as a domain that is gone.
 */
int image_address(uint32_t domid, uint32_t ip, bool up);

#endif
