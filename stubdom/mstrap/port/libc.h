/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_PORT_LIBC_H
#define MS_PORT_LIBC_H

/**
 * Makes the stack canary unpredictable. Only from a function that is itself
 * not protected and whose callers never return.
 */
void ms_canary_init(void);

#endif
