/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Writes QEMU's stream of version 3, as docs/specs/streams.md has it: header
 * and configuration, RAM, sections with footers, the end
 * and a description that knows of each section how long it is.
 */
#ifndef STREAM_PUT_H
#define STREAM_PUT_H

#include "stream.h"
#include "stream_wire.h"

struct stream_put {
    /* All bytes, in order; remembers what goes wrong. */
    void (*bytes)(void *arg, const void *p, size_t n);
    void *arg;
    /* Private. */
    uint32_t id;
    const char *block; /* of the page before */
    char *text;        /* of the description; NULL: no memory for it */
    size_t ntext;
};

struct stream_put_block {
    const char *name;
    uint64_t len; /* bytes, whole pages */
};

void stream_put_open(struct stream_put *s, const char *machine);
/* All of RAM: the blocks, then pages, then the end. */
void stream_put_ram(struct stream_put *s, const struct stream_put_block *block,
                    unsigned n);
/* block is one of these names (that pointer); data NULL: zeros. */
void stream_put_page(struct stream_put *s, const char *block, uint64_t pfn,
                     const uint8_t *data);
void stream_put_ram_end(struct stream_put *s);
void stream_put_section(struct stream_put *s, const char *name,
                        uint32_t instance, uint32_t version, const void *body,
                        size_t n);
void stream_put_close(struct stream_put *s);

#endif
