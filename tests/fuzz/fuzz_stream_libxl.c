/* SPDX-License-Identifier: GPL-2.0-only */
/* libxl's records after libxc's part. */
#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_libxl";
const size_t fuzz_mutations = 10000;

static const char head[] =
    "LibxlFmt\0\0\0\2\0\0\0\0" /* its header */
    "\1\0\0\0\0\0\0\0"         /* LIBXC_CONTEXT */
    "\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0\0"
    "\2\0\0\0\x0c\0\0\0\4\0\0\0\x11\0\0\0"
    "\x10\0\0\0\0\0\0\0" /* STATIC_DATA_END */
    "\0\0\0\0\0\0\0\0";  /* END */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(head, sizeof(head) - 1, data, size);
    return 0;
}
