/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The xenstore side of the migration vif.
 */
#ifndef MS_VIF_H
#define MS_VIF_H

#include "../mstrap.h"

struct ms_vif {
    char frontend[32]; /* relative: device/vif/N */
    char backend[96];  /* absolute */
    uint8_t mac[6];
    uint32_t port;
};

/** The vif named by mstrap/vif, or the last one; fails by ms_fail. */
void ms_vif_find(struct ms_vif *vif);

/** Advertises the rings and waits for the backend; fails by ms_fail. */
void ms_vif_connect(struct ms_vif *vif, unsigned tx_ref, unsigned rx_ref);

void ms_vif_close_begin(struct ms_vif *vif);
bool ms_vif_close_end(struct ms_vif *vif, unsigned timeout_ms);

#endif
