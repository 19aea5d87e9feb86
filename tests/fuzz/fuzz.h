/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzz target defines LLVMFuzzerTestOneInput and the constants below; with
 * clang -fsanitize=fuzzer it is a fuzzer, with driver.c a test.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Folder of the target's corpus below tests/fuzz/corpus. */
extern const char fuzz_corpus[];
/* Mutations in "make check": some seconds' worth. */
extern const size_t fuzz_mutations;

/* Takes any size octets; always 0, aborts on a defect. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), NDEBUG or not. */
#define FUZZ_CHECK(x) ((x) ? (void)0 : __builtin_trap())

#endif
