/* SPDX-License-Identifier: LGPL-2.1-only */
#include "stream_rules.h"

static const struct {
    const char *name, *text;
} rules[STREAM_RULES] = {
#define STREAM_RULE_ROW(id, name, text) { name, text },
    STREAM_RULE_TABLE(STREAM_RULE_ROW)
#undef STREAM_RULE_ROW
};

const char *stream_rule_name(enum stream_rule rule)
{
    return rules[rule].name;
}

const char *stream_rule_text(enum stream_rule rule)
{
    return rules[rule].text;
}
