/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the readers of the formats share; tools/stream/stream.h is for others. */
#ifndef STREAM_PRIV_H
#define STREAM_PRIV_H

#include <string.h>

#include "mext_load.h"
#include "mext_wire.h"
#include "stream.h"

#define WINDOW   (256u << 10)
#define TAKE_MAX (128u << 10) /* bytes that are in one piece */

/* Guests, as domain headers number them and configurations name them. */
enum { GUEST_UNKNOWN, GUEST_PV, GUEST_HVM, GUEST_PVH };

struct section {
    uint32_t id, instance;
    bool start, open, described;
    uint64_t at, body; /* offset, bytes without header and footer */
    char name[STREAM_NAME_MAX + 1];
};

struct block {
    uint64_t len; /* bytes */
    char name[STREAM_NAME_MAX + 1];
};

struct xc_state {
    uint32_t version, guest;
    uint32_t seen; /* bit of each known type of record */
    unsigned npfns;
};

struct qemu_state {
    unsigned nsections, nblocks;
    uint32_t block; /* that CONTINUE means */
    bool have_block, ignore_shared, mapped;
};

struct dump_state {
    uint32_t iteration;  /* the last that is closed */
    uint64_t data, zero; /* pages so far */
    uint64_t absent;     /* gfns called so since the last barrier */
    bool ended;
};

/* Filled before it is looked at: what counts says how far. */
struct big {
    uint64_t entries[STREAM_BATCH_MAX]; /* of a record of pages */
    uint64_t sorted[STREAM_BATCH_MAX];
    uint64_t bits[STREAM_BATCH_MAX]; /* of a bitmap, the lowest first */
    union {
        struct { /* of QEMU */
            struct section section[STREAM_SECTIONS];
            struct block blocks[STREAM_BLOCKS];
        };
        struct { /* of a dump: packed pages, and what they become */
            uint8_t batch[MEXT_BATCH_MAX];
            uint8_t unpacked[MEXT_BATCH_PAGES * STREAM_PAGE_LEN];
        };
    };
    uint8_t window[WINDOW];
};

struct stream {
    stream_read_fn *read;
    void *read_arg;
    struct stream_events ev;
    void *arg;
    int error;      /* errno of the read callback */
    bool bad, over; /* a rule is broken; nothing follows */
    bool complete;
    bool in_record;
    struct stream_record rec;
    uint64_t left;        /* bytes of the body not read yet */
    unsigned config_type; /* GUEST_ */
    uint64_t at;          /* offset of window[used] */
    size_t used, have;
    bool eof;
    struct xc_state xc;
    struct qemu_state qemu;
    struct dump_state dump;
    struct big big; /* the last */
};

static inline uint16_t load16be(const uint8_t *p)
{
    return __builtin_bswap16(load16(p));
}

static inline uint32_t load32be(const uint8_t *p)
{
    return __builtin_bswap32(load32(p));
}

static inline uint64_t load64be(const uint8_t *p)
{
    return __builtin_bswap64(load64(p));
}

/* ---- rules (stream.c): all of them -1 if the walk is to end ---- */

/* The rule is broken, but it is known how the stream goes on. */
int stream_odd(struct stream *s, enum stream_rule rule, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* ... and it is not known: -1 always. */
int stream_lost(struct stream *s, enum stream_rule rule, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* -1: stream_walk fails with ENOMEM. */
int stream_no_memory(struct stream *s);

/* ---- input (stream_in.c) ---- */

/* Up to n <= TAKE_MAX bytes that are next; *n_r of them before the end. */
const uint8_t *stream_peek(struct stream *s, size_t n, size_t *n_r);
/* All that is in the window, at least n <= TAKE_MAX bytes but at the end. */
const uint8_t *stream_window(struct stream *s, size_t n, size_t *n_r);
/* The next n <= TAKE_MAX bytes; NULL: the stream ends before, which is told. */
const uint8_t *stream_take(struct stream *s, size_t n);
int stream_skip(struct stream *s, uint64_t n);
/* The byte at this offset, which may be none of the stream's, is the next. */
void stream_seek(struct stream *s, uint64_t at);

/* The same of the record's body: the caller knows that n <= s->left. */
const uint8_t *stream_body(struct stream *s, size_t n);
int stream_body_skip(struct stream *s, uint64_t n);

/* ---- records (stream.c) ---- */

/* A record begins at the next byte; type and name follow. */
void stream_at_record(struct stream *s, enum stream_layer layer);
/* Its name, of any bytes, unless it has one. */
void stream_name(struct stream *s, const void *name, size_t n);
void stream_begin(struct stream *s, uint32_t type, const char *name);
void stream_note(struct stream *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void stream_end(struct stream *s);
/* Counts and tells a page. */
void stream_page(struct stream *s, const struct stream_page *p);
/* What is left of the body and its padding to 8 bytes, which is zero. */
int stream_finish(struct stream *s, enum stream_rule padding);
/* src's n bytes with '?' for what is not printable, and a NUL, into dst[max]. */
void stream_printable(char *dst, size_t max, const void *src, size_t n);

/* ---- formats; -1: the walk is over, 0: at what follows ---- */

int stream_read_xl(struct stream *s);
int stream_read_libxl(struct stream *s);
int stream_read_libxc(struct stream *s);
int stream_read_qemu(struct stream *s);
int stream_read_dump(struct stream *s);
/* A data channel as it was on the wire: refused. */
int stream_read_sealed(struct stream *s);
/* Parts of libxc's: bodies of records. */
int stream_read_pages(struct stream *s);
int stream_read_hvm_context(struct stream *s);
int stream_read_hvm_params(struct stream *s);
int stream_read_pv(struct stream *s, uint32_t type);
/*
 * Parts of QEMU's: entries of a RAM section up to its footer; what follows a
 * block of the list in a mapped-ram file; the description.
 */
int stream_read_ram(struct stream *s, bool start);
int stream_read_mapped(struct stream *s, uint32_t block);
int stream_read_vmdesc(struct stream *s, uint32_t len);

/* ---- JSON (stream_json.c) ---- */

struct stream_json;

/* A value: its path, and its text. */
typedef void stream_json_fn(void *arg, const char *path, const char *value,
                            size_t n);
struct stream_json *stream_json_open(stream_json_fn *value, void *arg);
/* The next n bytes; -1: this is none. */
int stream_json_feed(struct stream_json *j, const void *p, size_t n);
/* 0: one object that is complete. */
int stream_json_close(struct stream_json *j);

#endif
