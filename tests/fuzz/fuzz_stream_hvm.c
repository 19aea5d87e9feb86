/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's HVM context. */
#include <string.h>

#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_hvm";
const size_t fuzz_mutations = 10000;

static const char head[] =
    "\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0\0"
    "\2\0\0\0\x0c\0\0\0\4\0\0\0\x11\0\0\0"
    "\x10\0\0\0\0\0\0\0" /* STATIC_DATA_END */
    "\x09\0\0\0LEN ";    /* HVM_CONTEXT */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char copy[sizeof(head)];
    uint32_t len = (uint32_t)size;

    memcpy(copy, head, sizeof(head));
    memcpy(copy + sizeof(head) - 1 - sizeof(len), &len, sizeof(len));
    fuzz_stream(copy, sizeof(head) - 1, data, size);
    return 0;
}
