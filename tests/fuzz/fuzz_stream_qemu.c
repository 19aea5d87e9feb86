/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's elements, RAM and description. */
#include "fuzz_stream.h"

const char fuzz_corpus[] = "stream_qemu";
const size_t fuzz_mutations = 10000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_stream("QEVM\0\0\0\3", 8, data, size);
    return 0;
}
