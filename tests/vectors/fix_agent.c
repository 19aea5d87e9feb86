/* SPDX-License-Identifier: GPL-2.0-only */
#include "fixture.h"

#define CHUNK MEXT_AGENT_CHUNK_GFNS

/* The first and the ninth bit, and all from the seventeenth on. */
const uint8_t fix_agent_bits[MEXT_AGENT_BITS_MAX] = {
    1, 1, [2 ... MEXT_AGENT_BITS_MAX - 1] = 0xff
};
const char fix_agent_text[MEXT_TEXT_MAX + 1] = { [0 ... MEXT_TEXT_MAX] = 'x' };

const struct fix_agent fix_agent[] = {
    { "hello", { MEXT_AGENT_HELLO, 1, .u.hello = { MEXT_AGENT_VERSION } } },
    { "hello-high", { MEXT_AGENT_HELLO, 0xffffffff, .u.hello = { 0xffff } } },
    { "free", { MEXT_AGENT_FREE, 2, .u.free = { 1, 1 } } },
    { "free-high",
      { MEXT_AGENT_FREE, 2, .u.free = { 60000, MEXT_GFN_MAX + 1 } } },
    { "trim",
      { MEXT_AGENT_TRIM, 3, .u.trim = { 1000, MEXT_AGENT_TRIM_CACHE } } },
    { "trim-high",
      { MEXT_AGENT_TRIM, 3, .u.trim = { 60000, MEXT_AGENT_TRIM_DEEP } } },
    { "quiesce", { MEXT_AGENT_QUIESCE, 4, .u.quiesce = { 1, 1 } } },
    { "quiesce-high",
      { MEXT_AGENT_QUIESCE, 4, .u.quiesce = { 60000, 600000 } } },
    { "resume", { MEXT_AGENT_RESUME, 5, .u.resume = { 1, 0, 0 } } },
    { "resume-high",
      { MEXT_AGENT_RESUME, 5, .u.resume = { 60000, 3, UINT64_MAX } } },
    { "calm", { MEXT_AGENT_CALM, 6, .u.calm = { 1, 1 } } },
    { "calm-high", { MEXT_AGENT_CALM, 6, .u.calm = { 600000, 100 } } },
    { "welcome-empty",
      { MEXT_AGENT_WELCOME, 1, .u.welcome = { 1, 0, 0, "" } } },
    { "welcome",
      { MEXT_AGENT_WELCOME, 1, .u.welcome = { 1, 31, 5, "0.1 x" } } },
    { "bitmap-one",
      { MEXT_AGENT_BITMAP, 2, .u.bitmap = { 0, 1, fix_agent_bits } } },
    { "bitmap-nine",
      { MEXT_AGENT_BITMAP, 2, .u.bitmap = { CHUNK, 9, fix_agent_bits } } },
    { "bitmap-full",
      { MEXT_AGENT_BITMAP, 2,
        .u.bitmap = { 5 * CHUNK, CHUNK, fix_agent_bits } } },
    { "bitmap-last",
      { MEXT_AGENT_BITMAP, 2,
        .u.bitmap = { MEXT_GFN_MAX + 1 - CHUNK, CHUNK, fix_agent_bits } } },
    { "free-end", { MEXT_AGENT_FREE_END, 2, .u.free_end = { 1, UINT64_MAX } } },
    { "trimmed", { MEXT_AGENT_TRIMMED, 3, .u.trimmed = { 0, UINT64_MAX } } },
    { "quiesced",
      { MEXT_AGENT_QUIESCED, 4, .u.quiesced = { 0xffffffff, 2, 65535 } } },
    { "resumed",
      { MEXT_AGENT_RESUMED, 5, .u.resumed = { 7, 1, 2, 3, UINT64_MAX } } },
    { "calmed", { MEXT_AGENT_CALMED, 6, .u.calmed = { 1 } } },
    { "error",
      { MEXT_AGENT_ERROR, 9, .u.error = { MEXT_AGENT_E_UNSURE, 4, "text" } } },
    { "error-full",
      { MEXT_AGENT_ERROR, 9,
        .u.error = { 65535, MEXT_TEXT_MAX, fix_agent_text } } },
};

const size_t fix_nagent = COUNT(fix_agent);

const char fix_agent_report[] =
    "v1 n=20 quiesced=1700000000123,5000,4000 "
    "resumed=1700000000323,5200,4003 thawed=1700000000330,5207,4010";
