/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of Xen's for QEMU: parts of a type (2 octets), an instance (2), a
 * length (4) and content: entries of the HVM context, and from DEVICES on other
 * bodies.  Whatever they hold, what is written has the form of QEMU's stream.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz_stream.h"
#include "stream_guest.h"
#include "walk_bytes.h"

const char fuzz_corpus[] = "stream_guest";
const size_t fuzz_mutations = 4000;

enum { PARAM = 0xfffc, TSC, POLICY, DEVICES };

#define ROOM (4u << 20)

static struct {
    size_t n;
    uint8_t p[ROOM];
} written;

static void on_bytes(void *arg, const void *p, size_t n)
{
    FUZZ_CHECK(n <= ROOM - written.n);
    memcpy(written.p + written.n, p, n);
    written.n += n;
}

static void on_refused(void *arg, const char *name, const char *why)
{
    FUZZ_CHECK(*name && *why);
    for (; *name; name++)
        FUZZ_CHECK(*name > 0x20 && *name < 0x7f && *name != ',');
}

static void take(struct xen_guest *g, unsigned type, unsigned instance,
                 const uint8_t *p, size_t n)
{
    uint64_t value = 0;

    if (type == DEVICES)
        stream_guest_devices(g, p, n);
    else if (type == POLICY)
        stream_guest_policy(g, p, n);
    else if (type == TSC)
        stream_guest_tsc(g, p, n);
    else if (type != PARAM)
        stream_guest_entry(g, type, instance, p, n);
    else {
        memcpy(&value, p, n < sizeof(value) ? n : sizeof(value));
        stream_guest_param(g, instance, value);
    }
}

/* A second section of a name is not the converter's fault. */
static bool on_broken(void *arg, const struct stream_broken *b)
{
    FUZZ_CHECK(
        b->rule == STREAM_R_QEMU_TWICE || b->rule == STREAM_R_QEMU_COUNT ||
        b->rule == STREAM_R_QEMU_DESC_SET || b->rule == STREAM_R_QEMU_DESC_LEN);
    return true;
}

static void convert(const struct xen_guest *g, bool tcg)
{
    static const struct stream_events events = { .broken = on_broken };
    const struct stream_target t = { .tcg = tcg, .refuse = on_refused };
    const struct stream_put_block ram = { "pc.ram", STREAM_PAGE_LEN };
    struct stream_put s = { .bytes = on_bytes };

    written.n = 0;
    stream_guest_check(g, &t);
    stream_put_open(&s, "pc");
    stream_put_ram(&s, &ram, 1);
    stream_put_ram_end(&s);
    stream_guest_put(g, &t, &s);
    stream_put_close(&s);
    FUZZ_CHECK(walk_bytes(written.p, written.n, 0, &events, NULL, NULL) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xen_guest *g = stream_guest_new();
    uint16_t head[2];
    uint32_t n;

    FUZZ_CHECK(g);
    while (size >= 8) {
        memcpy(head, data, 4);
        memcpy(&n, data + 4, 4);
        data += 8;
        size -= 8;
        if (n > size)
            n = (uint32_t)size;
        take(g, head[0], head[1], data, n);
        data += n;
        size -= n;
    }
    convert(g, true);
    convert(g, false);
    free(g);
    return 0;
}
