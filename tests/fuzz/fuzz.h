/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fuzz target defines LLVMFuzzerTestOneInput and the constants below; with
 * libFuzzer it is a fuzzer (tests/fuzz/run), with driver.c a test.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Folder of the target's corpus below tests/fuzz/corpus. */
extern const char fuzz_corpus[];
/* Mutations in "make check": some seconds' worth. */
extern const size_t fuzz_mutations;

/* Takes any size octets; always 0, aborts on a defect. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * sign.c: whether this input meets genuine signatures, which one in so many
 * does; else a cheap stand-in signs and verifies.
 */
bool fuzz_genuine(const uint8_t *data, size_t size, unsigned one_in);

/* As assert(), NDEBUG or not. */
#define FUZZ_CHECK(x) ((x) ? (void)0 : __builtin_trap())

#endif
