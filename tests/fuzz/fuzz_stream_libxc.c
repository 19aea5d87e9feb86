/* SPDX-License-Identifier: GPL-2.0-only */
/* libxc's records, of a guest that the first octet chooses. */
#include <string.h>

#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_libxc";
const size_t fuzz_mutations = 10000;

static const char head[] =
    "\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0\0"
    "\2\0\0\0\x0c\0\0\0\4\0\0\0\x11\0\0\0";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char copy[sizeof(head)];

    if (!size)
        return 0;
    memcpy(copy, head, sizeof(head));
    copy[15] = data[0] & 1 ? 2 : 3; /* version */
    copy[24] = data[0] & 2 ? 1 : 2; /* PV or HVM */
    fuzz_stream(copy, sizeof(head) - 1, data + 1, size - 1);
    return 0;
}
