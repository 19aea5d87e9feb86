/* SPDX-License-Identifier: LGPL-2.1-only */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream_put.h"
#include "stream_qemu.h"

#define RAM_ZERO     0x02u
#define RAM_MEM_SIZE 0x04u
#define RAM_PAGE     0x08u
#define RAM_EOS      0x10u
#define RAM_CONTINUE 0x20u
#define RAM_ID       1u
#define RAM_VERSION  4u

static void put(struct stream_put *s, const void *p, size_t n)
{
    s->bytes(s->arg, p, n);
}

static void put8(struct stream_put *s, uint8_t v)
{
    put(s, &v, 1);
}

static void put32(struct stream_put *s, uint32_t v)
{
    v = __builtin_bswap32(v);
    put(s, &v, sizeof(v));
}

static void put64(struct stream_put *s, uint64_t v)
{
    v = __builtin_bswap64(v);
    put(s, &v, sizeof(v));
}

static void put_name(struct stream_put *s, const char *name)
{
    size_t n = strlen(name);

    assert(n && n <= STREAM_NAME_MAX);
    put8(s, (uint8_t)n);
    put(s, name, n);
}

static void put_footer(struct stream_put *s, uint32_t id)
{
    put8(s, QEMU_FOOTER);
    put32(s, id);
}

/* A name has no quotes: read as one of QEMU's, or a constant. */
static void __attribute__((format(printf, 2, 3)))
describe(struct stream_put *s, const char *fmt, ...)
{
    char text[STREAM_NAME_MAX + 160], *more;
    va_list args;
    int n;

    if (!s->text)
        return;
    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    assert(n >= 0 && (size_t)n < sizeof(text));
    more = realloc(s->text, s->ntext + (size_t)n + 1);
    if (more)
        memcpy(more + s->ntext, text, (size_t)n);
    else
        free(s->text);
    s->text = more;
    s->ntext += (size_t)n;
}

void stream_put_open(struct stream_put *s, const char *machine)
{
    s->text = calloc(1, 1);
    s->ntext = 0;
    describe(s, "{\"page_size\":%u,\"devices\":[", STREAM_PAGE_LEN);
    s->id = RAM_ID;
    s->block = NULL;
    put(s, "QEVM\0\0\0\3", 8);
    put8(s, QEMU_CONFIGURATION);
    put32(s, (uint32_t)strlen(machine));
    put(s, machine, strlen(machine));
}

static void put_head(struct stream_put *s, uint8_t type, uint32_t id,
                     const char *name, uint32_t instance, uint32_t version)
{
    put8(s, type);
    put32(s, id);
    put_name(s, name);
    put32(s, instance);
    put32(s, version);
}

void stream_put_ram(struct stream_put *s, const struct stream_put_block *block,
                    unsigned n)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < n; i++)
        total += block[i].len;
    put_head(s, QEMU_START, RAM_ID, "ram", 0, RAM_VERSION);
    put64(s, total | RAM_MEM_SIZE);
    for (unsigned i = 0; i < n; i++) {
        put_name(s, block[i].name);
        put64(s, block[i].len);
    }
    put64(s, RAM_EOS);
    put_footer(s, RAM_ID);
    put8(s, QEMU_END);
    put32(s, RAM_ID);
}

void stream_put_page(struct stream_put *s, const char *block, uint64_t pfn,
                     const uint8_t *data)
{
    uint64_t how = data ? RAM_PAGE : RAM_ZERO;

    if (block == s->block)
        how |= RAM_CONTINUE;
    put64(s, pfn * STREAM_PAGE_LEN | how);
    if (block != s->block)
        put_name(s, block);
    s->block = block;
    if (data)
        put(s, data, STREAM_PAGE_LEN);
    else
        put8(s, 0);
}

void stream_put_ram_end(struct stream_put *s)
{
    put64(s, RAM_EOS);
    put_footer(s, RAM_ID);
}

void stream_put_section(struct stream_put *s, const char *name,
                        uint32_t instance, uint32_t version, const void *body,
                        size_t n)
{
    describe(s,
             "%s{\"name\":\"%s\",\"instance_id\":%u,\"version\":%u,"
             "\"fields\":[{\"name\":\"state\",\"type\":\"buffer\",\"size\":%zu}"
             "]}",
             s->id == RAM_ID ? "" : ",", name, instance, version, n);
    s->id++;
    put_head(s, QEMU_FULL, s->id, name, instance, version);
    put(s, body, n);
    put_footer(s, s->id);
}

void stream_put_close(struct stream_put *s)
{
    put8(s, QEMU_EOF);
    describe(s, "]}");
    if (!s->text)
        return;
    put8(s, QEMU_VMDESCRIPTION);
    put32(s, (uint32_t)s->ntext);
    put(s, s->text, s->ntext);
    free(s->text);
    s->text = NULL;
}
