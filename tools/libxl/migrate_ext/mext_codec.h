/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pure codec: bytes in, records out.  No file descriptor, no allocation, no
 * logging, no libc beyond mem*; the same source is compiled for the host and,
 * freestanding and but for the control messages, into mstrap.  Formats:
 * docs/specs/transport.md.
 *
 * Errors: every function returns 0 or a negative enum mext_rc and leaves its
 * out-parameters alone on failure.
 */
#ifndef MEXT_CODEC_H
#define MEXT_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mext_wire.h"

enum mext_rc {
    MEXT_OK = 0,
    MEXT_ERR_SHORT = -1,  /* buffer ends inside a field */
    MEXT_ERR_FULL = -2,   /* no room to write */
    MEXT_ERR_FORMAT = -3, /* bytes against the specification */
    MEXT_ERR_AUTH = -4,   /* tag or signature does not verify */
    MEXT_ERR_LIMIT = -5,  /* above a limit of the specification */
    MEXT_ERR_LIB = -6,    /* the cryptographic library refused */
};

/*
 * Bounded cursor over a caller's bytes; the only way the wire is read or
 * written.  After the first failure `bad` stays set and every further call
 * does nothing (reads give 0), so a sequence needs one check at its end.
 */
struct mext_buf {
    uint8_t *p; /* owned by the caller */
    size_t len; /* bytes at p */
    size_t pos; /* next byte, <= len */
    bool bad;
};

void mext_buf_init(struct mext_buf *b, void *p, size_t len);
void mext_put8(struct mext_buf *b, uint8_t v);
void mext_put16(struct mext_buf *b, uint16_t v); /* big-endian, as all */
void mext_put32(struct mext_buf *b, uint32_t v);
void mext_put64(struct mext_buf *b, uint64_t v);
void mext_put(struct mext_buf *b, const void *src, size_t n);
uint8_t mext_get8(struct mext_buf *b);
uint16_t mext_get16(struct mext_buf *b);
uint32_t mext_get32(struct mext_buf *b);
uint64_t mext_get64(struct mext_buf *b);
/* Copies n bytes to dst (zeros when bad). */
void mext_get(struct mext_buf *b, void *dst, size_t n);
/* Pointer to the next n bytes inside the buffer, NULL when bad. */
const uint8_t *mext_view(struct mext_buf *b, size_t n);
/* 0 if nothing failed and every byte was consumed, else MEXT_ERR_FORMAT. */
int mext_buf_end(const struct mext_buf *b);

/*
 * u16 length, then as much text: printable ASCII, since it reaches terminals
 * and logs, at most MEXT_TEXT_MAX of it; anything else is bad.
 */
void mext_put_text(struct mext_buf *b, const void *text, uint16_t len);
const uint8_t *mext_get_text(struct mext_buf *b, uint16_t *len_r);

/* Big-endian loads and stores on raw bytes, p[4] resp. p[8]. */
void mext_store32(uint8_t *p, uint32_t v);
uint32_t mext_load32(const uint8_t *p);
void mext_store64(uint8_t *p, uint64_t v);

/*
 * Opening of a data channel, or of a further connection for a stream (JOIN), whose
 * index is not 0: MEXT_OPEN_LEN, MEXT_JOIN_LEN plaintext bytes.
 */
struct mext_open {
    uint8_t id[MEXT_ID_LEN]; /* token id */
    uint16_t index;          /* this channel, < count */
    uint16_t count;          /* channels of the migration, >= 1 */
};

int mext_open_encode(const struct mext_open *o, uint8_t out[MEXT_OPEN_LEN]);
int mext_open_decode(const uint8_t in[MEXT_OPEN_LEN], struct mext_open *o_r);
int mext_join_encode(const struct mext_open *o, uint8_t out[MEXT_JOIN_LEN]);
int mext_join_decode(const uint8_t in[MEXT_JOIN_LEN], struct mext_open *o_r);

/* A run of gfns the source does not have. */
struct mext_extent {
    uint64_t gfn;
    uint32_t count;
};

/* One opened body of a data channel. */
struct mext_data {
    uint8_t type; /* MEXT_DATA_* */
    union {
        struct {
            uint64_t base;  /* first gfn */
            uint16_t span;  /* gfns the map covers */
            uint16_t ndata; /* data pages behind the frame (derived) */
            /* Bytes that follow for each, 4096 for DATA.  For a batch's they
             * are derived: 0 for those behind its last piece. */
            uint16_t len[MEXT_PAGES_DATA_MAX];
            uint8_t coding[MEXT_PAGES_DATA_MAX]; /* MEXT_CODING_*; DATA: 0 */
            uint32_t batch; /* bytes of the packed batch, 0: there is none */
            uint8_t map[MEXT_PAGES_SPAN_MAX / 4];
        } pages;
        struct {
            uint32_t iteration;
        } barrier; /* BARRIER and BARRIER_ACK */
        struct {
            uint16_t n;
            struct mext_extent e[MEXT_ABSENT_MAX];
        } absent;
        struct {
            uint64_t data, zero; /* pages sent on this channel */
        } end;
        struct {
            uint64_t data, zero, absent, populated;
        } done;
        struct {
            uint16_t code; /* MEXT_E_* */
            uint16_t len;
            char text[MEXT_TEXT_MAX + 1]; /* printable ASCII, with NUL */
        } error;
    } u;
};

/* State of gfn base + i in a PAGES map: MEXT_MAP_*. */
static inline unsigned mext_map_get(const uint8_t *map, unsigned i)
{
    return (map[i / 4] >> (i % 4 * 2)) & 3;
}

/* True if a page follows the frame for this state. */
static inline bool mext_map_follows(unsigned v)
{
    return v == MEXT_MAP_DATA || v == MEXT_MAP_PACKED;
}

/* Bytes that follow for the i-th page of a batch of so many packed bytes. */
static inline uint16_t mext_batch_piece(uint32_t batch, unsigned i)
{
    uint32_t before = i * MEXT_PAGE_SIZE;

    if (batch <= before)
        return 0;
    return batch - before < MEXT_PAGE_SIZE ? (uint16_t)(batch - before)
                                           : MEXT_PAGE_SIZE;
}

static inline void mext_map_set(uint8_t *map, unsigned i, unsigned v)
{
    map[i / 4] = (uint8_t)((map[i / 4] & ~(3u << (i % 4 * 2))) |
                           (v << (i % 4 * 2)));
}

/* Appends the body to b; MEXT_ERR_FULL, MEXT_ERR_LIMIT. */
int mext_data_encode(const struct mext_data *m, struct mext_buf *b);
/* Reads a whole body of len bytes; MEXT_ERR_FORMAT, MEXT_ERR_LIMIT. */
int mext_data_decode(const uint8_t *body, size_t len, struct mext_data *m_r);

/*
 * Control messages.  Pointers of a decoded message point into the body given
 * to mext_ctl_decode and live as long as it does.
 */
struct mext_leaf { /* as xen_cpuid_leaf_t */
    uint32_t leaf, subleaf, a, b, c, d;
};

struct mext_msr { /* as xen_msr_entry_t */
    uint32_t idx, flags;
    uint64_t val;
};

struct mext_ctl {
    uint8_t type; /* MEXT_CTL_* */
    union {
        struct {
            uint64_t memory_kib; /* guest's RAM as built, KiB */
            uint32_t xen;        /* version it runs on, major << 16 | minor */
            uint32_t json_len;   /* without NUL */
            const uint8_t *json; /* libxl_domain_config, UTF-8 */
            uint32_t nleaves, nmsrs;
            const uint8_t *leaves; /* nleaves * 24 bytes */
            const uint8_t *msrs;   /* nmsrs * 16 bytes */
        } config;
        struct {
            uint32_t tsc_mode, tsc_khz, tsc_incarnation;
            uint64_t tsc_nsec;
            uint64_t target_kib;         /* memory/target, KiB */
            uint64_t data, zero, absent; /* pages in all */
            uint32_t report_ms; /* how long to wait for the guest's report */
            uint32_t context_len;
            const uint8_t *context; /* Xen's HVM context */
        } final;
        struct {
            uint32_t len; /* none is 0 */
            const uint8_t *bytes;
        } stream;
        struct {
            uint32_t len, n; /* unpacked, of the block: less */
            const uint8_t *bytes;
        } packed;
        struct {
            uint64_t number; /* of the piece, from 0 */
            uint32_t len, n; /* unpacked; as it is here, the same: not packed */
            const uint8_t *bytes;
        } piece;
        struct {
            uint64_t bytes;     /* of the stream in all */
            uint32_t report_ms; /* as in final */
        } ended;
        struct {
            uint8_t kind; /* MEXT_FINDING_* */
            uint16_t len;
            const char *text; /* likewise */
        } finding;
        struct {
            uint16_t len;
            const char *text; /* not terminated, printable ASCII */
        } step;
        struct {
            const uint8_t *bytes; /* MEXT_RECEIPT_LEN */
        } receipt;
        struct {
            uint16_t attest_len, sig_len; /* none is 0 */
            const uint8_t *attest;        /* TPMS_ATTEST, as marshalled */
            const uint8_t *sig;           /* TPMT_SIGNATURE, likewise */
        } evidence;
        struct {
            uint64_t tidy_us, prepare_us;
        } prepared;
        struct {
            uint32_t domid;
            uint64_t handover_us; /* COMMIT read -> guest unpaused */
        } running;
        struct {
            uint64_t stopped_ms; /* by the guest's own clock; 0: not known */
        } guest;
        struct {
            uint16_t code, len;
            const char *text; /* not terminated, printable ASCII */
        } abort;
    } u;
};

int mext_ctl_encode(const struct mext_ctl *m, struct mext_buf *b);
int mext_ctl_decode(const uint8_t *body, size_t len, struct mext_ctl *m_r);
void mext_leaf_get(const uint8_t *leaves, unsigned i, struct mext_leaf *l_r);
void mext_leaf_put(uint8_t *leaves, unsigned i, const struct mext_leaf *l);
void mext_msr_get(const uint8_t *msrs, unsigned i, struct mext_msr *m_r);
void mext_msr_put(uint8_t *msrs, unsigned i, const struct mext_msr *m);

/* Short words for a reason (MEXT_E_*), never NULL. */
const char *mext_reason(unsigned code);

#endif
