/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef MEXT_CRYPTO_H
#define MEXT_CRYPTO_H

/*
 * Initialises libsodium with the code that is fastest on this machine, found
 * by measuring: its portable code or, after sodium_init, the one written for
 * the CPU's vector unit.  The latter is several times faster on hardware and
 * slower where the unit is emulated.  To be called once, before any other use
 * of libsodium and before threads are started.  0, or -1 if libsodium cannot
 * be initialised.
 */
int mext_crypto_init(void);

#endif
