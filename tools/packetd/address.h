/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which migration has which address, of the pool or another: a lock on the octet of
 * that number in a file below /run, held by the process of the migration, so that
 * those of a packetd of before count, too.
 */
#ifndef PACKETD_ADDRESS_H
#define PACKETD_ADDRESS_H

#include "packetd.h"

/*
 * The address is this process's until it ends: 0; 1 and why: another has it; -1 and
 * why.
 */
int address_hold(uint32_t ip, struct mext_why *why);

/* Gives back what address_hold gave last. */
void address_let_go(void);

#endif
