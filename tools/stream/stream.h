/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Reads saved guests and migration streams: xl's files, libxl's version 2,
 * libxc's version 2 and 3, QEMU's version 3 ("QEVM"), and our own data channels
 * without their seals.  What they look like, the limits and the rules:
 * docs/specs/streams.md.
 *
 * Every byte is taken for hostile.  Memory is constant whatever the stream
 * says; the only way in is a read callback, the only ways out are the events
 * below.  A stream is walked once from its first byte to its last, a mapped-ram
 * file nearly so.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream_rules.h"

#define STREAM_PAGE_LEN   4096u
#define STREAM_NAME_MAX   255u /* of a record, a section, a block of RAM */
#define STREAM_NOTE_MAX   119u
#define STREAM_PATH_MAX   511u            /* of a key in a configuration */
#define STREAM_BATCH_MAX  4096u           /* entries of a record of pages */
#define STREAM_RECORD_MAX (128u << 20)    /* bytes of a record's body */
#define STREAM_CONFIG_MAX (1u << 20)      /* bytes of a guest's configuration */
#define STREAM_VMDESC_MAX (8u << 20)      /* bytes of QEMU's description */
#define STREAM_PFN_MAX    0xffffffffffull /* 52 bits of address */
#define STREAM_SECTIONS   1024u           /* of QEMU */
#define STREAM_BLOCKS     256u            /* of QEMU's RAM */

enum stream_layer {
    STREAM_XL,
    STREAM_LIBXL,
    STREAM_LIBXC,
    STREAM_QEMU,
    STREAM_DUMP,
    STREAM_LAYERS,
};

/* What is said of a page: below 16 libxc's own types, then QEMU's and ours. */
enum stream_kind {
    STREAM_NOTAB = 0,
    STREAM_BROKEN = 13,
    STREAM_XALLOC = 14,
    STREAM_XTAB = 15,
    STREAM_RAM_ZERO = 16,
    STREAM_RAM_PAGE,
    STREAM_RAM_XBZRLE,
    STREAM_KINDS,
};

struct stream_record {
    enum stream_layer layer;
    uint64_t at;     /* offset of its first byte */
    uint64_t length; /* bytes, with header and padding; known at its end */
    uint32_t type;   /* as in the stream */
    char name[STREAM_NAME_MAX + 1]; /* printable */
    char note[STREAM_NOTE_MAX + 1]; /* more about it, printable; at its end */
    uint32_t instance, version;     /* of a section of QEMU's; at its end */
    /* Of pages, at its end. */
    uint64_t pages[STREAM_KINDS];
    uint64_t first, last; /* lowest and highest number; none: first > last */
};

struct stream_page {
    uint32_t block; /* of QEMU's RAM; 0 in a Xen stream */
    uint64_t pfn;
    enum stream_kind kind;
    const uint8_t *data; /* len bytes, until the callback returns */
    size_t len;          /* 4096; a difference: less; no data: 0 */
};

/* A rule that the stream does not keep. */
struct stream_broken {
    enum stream_rule rule;
    uint64_t at;                     /* offset of the record */
    const struct stream_record *rec; /* NULL: of the file as a whole */
    const char *text;                /* which value, printable */
};

/* Any of them may be NULL.  Pointers live until the callback returns. */
struct stream_events {
    /* true: go on if that is possible; NULL: go on. */
    bool (*broken)(void *arg, const struct stream_broken *b);
    /* Its header is read, type and name are known. */
    void (*begin)(void *arg, const struct stream_record *rec);
    void (*end)(void *arg, const struct stream_record *rec);
    void (*page)(void *arg, const struct stream_page *p);
    /* A value of the guest's configuration, path as in "disks[0].vdev". */
    void (*setting)(void *arg, const char *path, const char *value, size_t n);
    /* An entry of Xen's HVM context, and a parameter of an HVM guest. */
    void (*entry)(void *arg, unsigned type, unsigned instance, const void *p,
                  size_t n);
    void (*param)(void *arg, uint64_t index, uint64_t value);
    /* Another block of QEMU's RAM: number, name, bytes. */
    void (*block)(void *arg, uint32_t number, const char *name, uint64_t len);
    /* What QEMU's description says a device's section ends with. */
    void (*subsection)(void *arg, const char *device, uint32_t instance,
                       const char *name);
    /* The body of the record that began last, in pieces, without padding. */
    void (*body)(void *arg, const void *p, size_t n);
    /* Each byte that was read, in the order in which they are done with. */
    void (*bytes)(void *arg, const void *p, size_t n);
};

/*
 * Bytes from this offset on, read into buf[n], at least one; 0: there is none;
 * -1: errno.  It is where the bytes read before ended, but for QEMU's mapped-ram
 * files, of which bitmaps and pages are read by turns and holes left out.
 */
typedef ptrdiff_t stream_read_fn(void *arg, uint64_t at, void *buf, size_t n);

struct stream;

/* read_arg and events (with its arg) belong to the caller; NULL: no memory. */
struct stream *stream_open(stream_read_fn *read, void *read_arg,
                           const struct stream_events *events, void *arg);
/* Another stream, in the same memory. */
void stream_again(struct stream *s, stream_read_fn *read, void *read_arg,
                  const struct stream_events *events, void *arg);
void stream_close(struct stream *s);

/*
 * From the first byte to the last.  0: every rule is kept; 1: one is not;
 * -1: the read callback said so, errno is its own; or ENOMEM.
 */
int stream_walk(struct stream *s);

/* Bytes done with. */
uint64_t stream_offset(const struct stream *s);
/* It could be read to its end, rules kept or not. */
bool stream_complete(const struct stream *s);

/* "xl", "libxl", "libxc", "QEMU", "mext". */
const char *stream_layer_name(enum stream_layer layer);
/* As Xen and QEMU name it. */
const char *stream_kind_name(enum stream_kind kind);
/* Names of Xen's HVM context entries and parameters; NULL: unknown. */
const char *stream_entry_name(unsigned type);
const char *stream_param_name(uint64_t index);

/* Whether all n bytes are zero. */
bool stream_is_zero(const void *p, size_t n);

#endif
