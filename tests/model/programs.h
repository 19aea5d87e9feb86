/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of both sides can do next; part of world_next(). */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "world.h"

void source_next(const struct rules *r, const struct world *w, world_fn *fn,
                 void *arg);
void dest_next(const struct rules *r, const struct world *w, world_fn *fn,
               void *arg);

/* Raises an event and does its first effect. */
void program_event(const struct rules *r, const struct world *w, enum side side,
                   enum mext_event ev, bool fault, world_fn *fn, void *arg);

#endif
