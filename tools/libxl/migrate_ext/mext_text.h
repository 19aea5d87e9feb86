/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A bounded reader for text that a peer wrote, as mext_buf is for octets: after
 * something did not fit, bad stays set and nothing moves any more.
 */
#ifndef MEXT_TEXT_H
#define MEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mext_text {
    const char *at, *end;
    bool bad;
};

/* The literal s comes next. */
void mext_text_expect(struct mext_text *t, const char *s);

/* How many of the next bytes are among set. */
size_t mext_text_span(const struct mext_text *t, const char *set);

/* The next n bytes, ended by a NUL, into out of max bytes; n < max. */
void mext_text_take(struct mext_text *t, size_t n, char *out, size_t max);

/* Decimal digits without a zero in front, min to max. */
uint64_t mext_text_number(struct mext_text *t, uint64_t min, uint64_t max);

/* All was read, and as it should be. */
bool mext_text_done(const struct mext_text *t);

/* What may come to terminals and logs: n bytes of printable ASCII. */
bool mext_printable(const char *s, size_t n);

/*
 * Makes such text of n bytes: with '?' for others, cut to fit out[max], ended
 * by a NUL.  out may be text itself.
 */
void mext_show(const char *text, size_t n, char *out, size_t max);

#endif
