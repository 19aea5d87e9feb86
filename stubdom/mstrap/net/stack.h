/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lwIP over netfront, and its one listener.
 */
#ifndef MS_STACK_H
#define MS_STACK_H

#include "../cmdline.h"

/** Connects the vif, starts lwIP and listens. Fails by ms_fail. */
void ms_stack_start(const struct ms_config *config);

/** Handles what has arrived and is due; true if anything had arrived. */
bool ms_stack_work(void);

/** Works until the source has acknowledged what was sent, or timeout_ms. */
void ms_stack_flush(unsigned timeout_ms);

/**
 * Tells the neighbours whose the address is, once a second if called often. Others
 * had it before, so they may know it by another MAC address; and who is told only
 * once, when the vif is just there, may not hear it.
 */
void ms_stack_announce(void);

/** Sleeps until the vif or xenstore has news, or lwIP has something due. */
void ms_stack_sleep(void);

#endif
