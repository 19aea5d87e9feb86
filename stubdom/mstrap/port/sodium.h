/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_PORT_SODIUM_H
#define MS_PORT_SODIUM_H

#include "../mstrap.h"

/** Before any use of libsodium. page: 4096 bytes, overwritten. */
void ms_sodium_init(uint8_t *page);

/** After its last use: the vCPU's XCR0 and vector registers are a fresh domain's. */
void ms_sodium_end(void);

#endif
