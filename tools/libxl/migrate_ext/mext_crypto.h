/* SPDX-License-Identifier: LGPL-2.1-only */
#ifndef MEXT_CRYPTO_H
#define MEXT_CRYPTO_H

/*
 * Initialises libsodium and mext_seal with the code that is fastest on this machine,
 * found by measuring: libsodium's portable code; after sodium_init that written
 * for the CPU's vector unit; then OpenSSL's.  The latter two are several times faster
 * on hardware and slower where the unit is emulated.  To be called once, before any
 * other use of libsodium, before threads are started, and before jail.  0, or
 * -1 if libsodium cannot be initialised.
 */
int mext_crypto_init(void);

#endif
