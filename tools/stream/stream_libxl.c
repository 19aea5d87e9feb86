/* SPDX-License-Identifier: LGPL-2.1-only */
/* libxl's part: docs/specs/libxl-migration-stream.pandoc of Xen 4.17. */
#include "stream_priv.h"

#define HEADER_LEN    16
#define VERSION_AT    8
#define OPTIONS_AT    12
#define VERSION_IS    2u
#define RECORD_LEN    8
#define EMULATOR_LEN  8 /* id and index before what is of a record */
#define EMULATOR_QEMU 2u
#define QEMU_HEAD_LEN 8

enum {
    END,
    LIBXC_CONTEXT,
    EMULATOR_XENSTORE_DATA,
    EMULATOR_CONTEXT,
    CHECKPOINT_END,
    CHECKPOINT_STATE,
    TYPES
};

static const char *const names[TYPES] = {
    "END",
    "LIBXC_CONTEXT",
    "EMULATOR_XENSTORE_DATA",
    "EMULATOR_CONTEXT",
    "CHECKPOINT_END",
    "CHECKPOINT_STATE",
};

static int read_header(struct stream *s)
{
    const uint8_t *p;

    stream_at_record(s, STREAM_LIBXL);
    stream_begin(s, 0, "header");
    p = stream_take(s, HEADER_LEN);
    if (!p)
        return -1;
    if (memcmp(p, "LibxlFmt", 8))
        return stream_lost(s, STREAM_R_LIBXL_IDENT, "it does not");
    if (load32be(p + VERSION_AT) != VERSION_IS)
        return stream_lost(s, STREAM_R_LIBXL_VERSION, "it is %u",
                           load32be(p + VERSION_AT));
    if (load32be(p + OPTIONS_AT) & 1)
        return stream_lost(s, STREAM_R_LIBXL_OPTIONS, "it is big-endian");
    if (load32be(p + OPTIONS_AT) &&
        stream_odd(s, STREAM_R_LIBXL_OPTIONS, "%#x", load32be(p + OPTIONS_AT)))
        return -1;
    stream_note(s, "version %u", VERSION_IS);
    stream_end(s);
    return 0;
}

static bool is_key(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("-/_@", c));
}

/* Xenstore's pairs, as they come: where in which of them it is. */
struct pairs {
    bool value;  /* in a value, not in a key */
    size_t n;    /* bytes of it so far */
    unsigned of; /* complete ones */
    bool bad;
};

static void take_pairs(struct pairs *x, const uint8_t *p, size_t n)
{
    for (; n--; p++) {
        if (!*p) {
            x->bad |= !x->value && !x->n;
            x->of += x->value;
            x->value = !x->value;
            x->n = 0;
            continue;
        }
        if (x->value)
            x->bad |= *p < 0x20 || *p > 0x7e;
        else
            x->bad |= !is_key(*p) || (!x->n && *p == '/');
        x->n++;
    }
}

static int read_store(struct stream *s)
{
    struct pairs x = { 0 };
    const uint8_t *p;
    size_t n;

    while (s->left) {
        n = s->left < TAKE_MAX ? (size_t)s->left : TAKE_MAX;
        p = stream_body(s, n);
        if (!p)
            return -1;
        take_pairs(&x, p, n);
    }
    stream_note(s, "%u keys", x.of);
    if (x.bad || x.value || x.n)
        return stream_odd(s, STREAM_R_LIBXL_STORE, "after %u pairs", x.of);
    return 0;
}

/* Without footers there is no way to tell QEMU's sections apart. */
static int read_devices(struct stream *s)
{
    const uint8_t *p;
    bool fine = s->left > QEMU_HEAD_LEN;

    stream_note(s, "%llu bytes of QEMU's", (unsigned long long)s->left);
    if (fine) {
        p = stream_body(s, QEMU_HEAD_LEN);
        if (!p)
            return -1;
        fine = !memcmp(p, "QEVM\0\0\0\3", QEMU_HEAD_LEN);
        if (stream_body_skip(s, s->left - 1))
            return -1;
        p = stream_body(s, 1);
        if (!p)
            return -1;
        fine = fine && !*p;
    }
    return fine ? 0 : stream_odd(s, STREAM_R_LIBXL_DEVICES, "it does not");
}

static int read_emulator(struct stream *s, uint32_t type)
{
    uint32_t id, index;
    const uint8_t *p;

    if (s->config_type != GUEST_HVM && s->config_type != GUEST_UNKNOWN &&
        stream_odd(s, STREAM_R_LIBXL_GUEST, "it is none"))
        return -1;
    if (s->left < EMULATOR_LEN)
        return stream_odd(s, STREAM_R_LIBXL_EMULATOR, "there is none");
    p = stream_body(s, EMULATOR_LEN);
    if (!p)
        return -1;
    id = load32(p);
    index = load32(p + 4);
    if ((!id || id > EMULATOR_QEMU) &&
        stream_odd(s, STREAM_R_LIBXL_EMULATOR, "it is %u", id))
        return -1;
    if (index && stream_odd(s, STREAM_R_LIBXL_INDEX, "it is %u", index))
        return -1;
    if (type == EMULATOR_XENSTORE_DATA)
        return read_store(s);
    return id == EMULATOR_QEMU ? read_devices(s) : 0;
}

static int check_type(struct stream *s, uint32_t type, uint32_t len)
{
    if (type >= TYPES)
        return stream_odd(s, STREAM_R_LIBXL_TYPE, "it is %#x", type);
    if (type == CHECKPOINT_END || type == CHECKPOINT_STATE)
        return stream_odd(s, STREAM_R_LIBXL_CHECKPOINT, "%s", names[type]);
    if (type <= LIBXC_CONTEXT && len)
        return stream_odd(s, STREAM_R_LIBXL_EMPTY, "it has %u bytes", len);
    return 0;
}

/* Each after those before it, as libxl_stream_write.c writes them. */
static int check_order(struct stream *s, uint32_t type, unsigned *seen)
{
    unsigned bit = type < TYPES ? 1u << type : 0;
    bool first = type == LIBXC_CONTEXT;

    if (type == END)
        return *seen & 1u << LIBXC_CONTEXT
                   ? 0
                   : stream_odd(s, STREAM_R_LIBXL_COMPLETE, "it does not");
    if (type > EMULATOR_CONTEXT)
        return 0;
    if (*seen >= bit || (!first && !(*seen & 1u << LIBXC_CONTEXT))) {
        *seen |= bit;
        return stream_odd(s, STREAM_R_LIBXL_ORDER, "%s is out of order",
                          names[type]);
    }
    *seen |= bit;
    return 0;
}

static int read_body(struct stream *s, uint32_t type)
{
    if (type == EMULATOR_XENSTORE_DATA || type == EMULATOR_CONTEXT)
        return read_emulator(s, type);
    return 0;
}

/* One record; *type_r: which. */
static int read_record(struct stream *s, unsigned *seen, uint32_t *type_r)
{
    uint32_t type, len;
    const uint8_t *p;
    size_t n;

    stream_at_record(s, STREAM_LIBXL);
    p = stream_peek(s, RECORD_LEN, &n);
    type = n == RECORD_LEN ? load32(p) : UINT32_MAX;
    stream_begin(s, type, type < TYPES ? names[type] : "?");
    p = stream_take(s, RECORD_LEN);
    if (!p)
        return -1;
    *type_r = type;
    s->left = len = load32(p + 4);
    if (len > STREAM_RECORD_MAX)
        return stream_lost(s, STREAM_R_LIBXL_LENGTH, "it has %u bytes", len);
    if (check_type(s, type, len) || check_order(s, type, seen) ||
        read_body(s, type) || stream_finish(s, STREAM_R_LIBXL_PADDING))
        return -1;
    stream_end(s);
    return 0;
}

int stream_read_libxl(struct stream *s)
{
    unsigned seen = 0;
    uint32_t type;

    if (read_header(s))
        return -1;
    do {
        if (read_record(s, &seen, &type) ||
            (type == LIBXC_CONTEXT && stream_read_libxc(s)))
            return -1;
    } while (type != END);
    return 0;
}
