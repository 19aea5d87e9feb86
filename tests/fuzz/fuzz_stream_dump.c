/* SPDX-License-Identifier: GPL-2.0-only */
/* A data channel of ours without its seals. */
#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_dump";
const size_t fuzz_mutations = 10000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream("MEXTDMP1", 8, data, size);
    return 0;
}
