/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small text helpers: pure, without state, also compiled on the host.
 */
#ifndef MS_TEXT_H
#define MS_TEXT_H

#include "mstrap.h"

/**
 * Formats into out[size], always NUL-terminated and cut to fit. Knows %s %c
 * %u %lu %x %lx %% and a zero-padded width such as %02x.
 * Returns the length written, without the NUL.
 */
size_t ms_vformat(char *out, size_t size, const char *format, va_list args)
    MS_FORMAT(3, 0);
size_t ms_format(char *out, size_t size, const char *format, ...)
    MS_FORMAT(3, 4);

/** Writes 2 * bytes hex digits and a NUL to out. */
void ms_hex_encode(char *out, const uint8_t *in, size_t bytes);

/** Reads exactly 2 * bytes hex digits; false, and out untouched, if not. */
bool ms_hex_decode(uint8_t *out, const char *in, size_t length, size_t bytes);

/** A decimal number of length characters, <= max; false if it is not. */
bool ms_parse_decimal(const char *in, size_t length, uint64_t max,
                      uint64_t *value_r);

/** Dotted IPv4 address, first octet in the most significant byte. */
bool ms_parse_ipv4(const char *in, size_t length, uint32_t *address_r);

/**
 * The next word of *cursor (separated by blanks), moving *cursor behind it.
 * Returns its length, 0 at the end.
 */
size_t ms_next_word(const char **cursor, const char **word_r);

#endif
