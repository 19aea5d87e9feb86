/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages between packetd's door and its monitor, as fixture.h has others. */
#ifndef FIX_GATE_H
#define FIX_GATE_H

#include "gate.h"

struct fix_gate {
    const char *name;
    void (*fill)(struct gate_msg *m);
};

extern const struct fix_gate fix_gate[];
extern const size_t fix_ngate;

#endif
