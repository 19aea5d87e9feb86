/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_PORT_SODIUM_H
#define MS_PORT_SODIUM_H

/** Before any use of libsodium. */
void ms_sodium_init(void);

#endif
