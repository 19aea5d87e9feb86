/* SPDX-License-Identifier: GPL-2.0-only */
/* Whole files: whichever format they begin as. */
#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_xl";
const size_t fuzz_mutations = 10000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream(NULL, 0, data, size);
    return 0;
}
