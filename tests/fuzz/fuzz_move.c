/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest asks, and what it is told: what is accepted has one form. */
#include <string.h>

#include "fuzz.h"
#include "mext_move.h"

const char fuzz_corpus[] = "move";
const size_t fuzz_mutations = 300000;

/* The usual port is the one thing that may be written in two ways. */
static void try_request(const char *text, size_t size)
{
    char again[MEXT_MOVE_REQUEST_MAX + 1];
    struct mext_move_request r, r2;
    size_t n;

    if (mext_move_request_parse(text, size, &r))
        return;
    FUZZ_CHECK(r.dest[0] != '-' && strlen(r.dest) <= MEXT_MOVE_DEST_MAX);
    mext_move_request_text(&r, again);
    n = strlen(again);
    FUZZ_CHECK(n <= size && !memcmp(again, text, n));
    FUZZ_CHECK(n == size || (size == n + 5 && !memcmp(text + n, ":7010", 5)));
    FUZZ_CHECK(!mext_move_request_parse(again, n, &r2));
    FUZZ_CHECK(!strcmp(r.dest, r2.dest));
}

static void try_status(const char *text, size_t size)
{
    char again[MEXT_MOVE_STATUS_MAX + 1];
    struct mext_move_status s;

    if (mext_move_status_parse(text, size, &s))
        return;
    mext_move_status_text(&s, again);
    FUZZ_CHECK(strlen(again) == size && !memcmp(again, text, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_request((const char *)data, size);
    try_status((const char *)data, size);
    return 0;
}
