/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_PORT_SODIUM_H
#define MS_PORT_SODIUM_H

#include "../mstrap.h"

/** Before any use of libsodium. page: 4096 bytes, overwritten. */
void ms_sodium_init(uint8_t *page);

#endif
