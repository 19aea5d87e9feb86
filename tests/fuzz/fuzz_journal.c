/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of a journal: what is taken is within all limits and has this one
 * encoding.  So that the checks behind the checksum are reached, each input is
 * also tried with zeros to the record's end and its checksum put right.
 */
#include <string.h>

#include "fix_journal.h"
#include "fuzz.h"

const char fuzz_corpus[] = "journal";
const size_t fuzz_mutations = 100000;

enum { SUM_AT = MEXT_JOURNAL_LEN - MEXT_DIGEST_LEN };

static void check_text(const char *s, size_t max)
{
    FUZZ_CHECK(strnlen(s, max) < max);
    for (; *s; s++)
        FUZZ_CHECK(*s >= 0x20 && *s <= 0x7e);
}

static void try(const uint8_t *record)
{
    uint8_t again[MEXT_JOURNAL_LEN];
    struct mext_entry e;
    uint32_t seq;

    if (mext_entry_decode(record, &seq, &e))
        return;
    check_text(e.host, sizeof(e.host));
    check_text(e.name, sizeof(e.name));
    check_text(e.text, sizeof(e.text));
    FUZZ_CHECK(*mext_noted_name(e.noted) != '?');
    FUZZ_CHECK(e.domid <= MEXT_DOMID_MAX);
    FUZZ_CHECK((e.side == MEXT_SIDE_SOURCE) == (e.noted <= MEXT_NOTED_KEPT));
    FUZZ_CHECK(!mext_entry_encode(&e, seq, again));
    FUZZ_CHECK(!memcmp(record, again, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t record[MEXT_JOURNAL_LEN] = { 0 };

    if (size >= MEXT_JOURNAL_LEN)
        try(data);
    memcpy(record, data, size < SUM_AT ? size : SUM_AT);
    mext_digest(record, SUM_AT, record + SUM_AT);
    try(record);
    return 0;
}
