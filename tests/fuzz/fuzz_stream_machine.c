/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine of QEMU's for Xen: parts of a name's length (1 octet), the name,
 * instance (1), version (1), length (2) and content: sections.  Whatever they
 * hold, the HVM context that is made of it keeps its rules.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz_stream.h"
#include "stream_machine.h"
#include "walk_bytes.h"

const char fuzz_corpus[] = "stream_machine";
const size_t fuzz_mutations = 4000;

static const char head[] =
    "\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0\0"
    "\2\0\0\0\x0c\0\0\0\4\0\0\0\x11\0\0\0"
    "\x10\0\0\0\0\0\0\0" /* STATIC_DATA_END */
    "\x09\0\0\0";        /* HVM_CONTEXT, its length */

static void on_refused(void *arg, const char *name, const char *why)
{
    FUZZ_CHECK(*name && *why);
    for (; *name; name++)
        FUZZ_CHECK(*name >= 0x20 && *name < 0x7f);
}

static bool on_broken(void *arg, const struct stream_broken *b)
{
    FUZZ_CHECK(b->rule == STREAM_R_FILE_TRUNCATED ||
               b->rule == STREAM_R_HVM_CPU);
    return true;
}

static void convert(const struct qemu_machine *m, bool tcg)
{
    static const struct stream_events events = { .broken = on_broken };
    static uint8_t p[sizeof(head) + 4 + MACHINE_CONTEXT];
    const struct stream_target t = { .tcg = tcg, .refuse = on_refused };
    const size_t at = sizeof(head) - 1;
    uint32_t n;

    n = (uint32_t)stream_machine_context(m, &t, p + at + 4);
    FUZZ_CHECK(n <= MACHINE_CONTEXT);
    memcpy(p, head, at);
    memcpy(p + at, &n, sizeof(n));
    FUZZ_CHECK(walk_bytes(p, at + 4 + n, 0, &events, NULL, NULL) >= 0);
}

/* A section's name is printable where the reader gives it. */
static void printable(char *name)
{
    for (; *name; name++)
        if (*name < 0x20 || *name > 0x7e)
            *name = '?';
}

static size_t take(struct qemu_machine *m, const struct stream_target *t,
                   const uint8_t *p, size_t size)
{
    char name[STREAM_NAME_MAX + 1];
    size_t len = p[0], n;

    if (size < 1 + len + 4)
        return size;
    memcpy(name, p + 1, len);
    name[len] = 0;
    printable(name);
    p += 1 + len;
    n = (size_t)p[2] << 8 | p[3];
    if (n > size - 1 - len - 4)
        n = size - 1 - len - 4;
    stream_machine_section(m, t, name, p[0], p[1], p + 4, n);
    return 1 + len + 4 + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stream_target t = { .refuse = on_refused };
    struct qemu_machine *m = stream_machine_new();
    size_t n;

    FUZZ_CHECK(m);
    while (size) {
        n = take(m, &t, data, size);
        data += n;
        size -= n;
    }
    stream_machine_check(m, &t);
    convert(m, true);
    convert(m, false);
    FUZZ_CHECK(stream_machine_devices(m, &n)[n - 1] == 0);
    free(m);
    return 0;
}
