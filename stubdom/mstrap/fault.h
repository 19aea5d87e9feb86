/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_FAULT_H
#define MS_FAULT_H

/** From now on a CPU exception is a message and a failed state. */
void ms_fault_init(void);

#endif
