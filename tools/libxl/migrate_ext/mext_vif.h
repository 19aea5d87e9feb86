/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The card that mstrap receives by, as a port of a Linux bridge: what Xen's vif-bridge
 * does for it, without the dozens of programs that script starts.
 */
#ifndef MEXT_VIF_H
#define MEXT_VIF_H

#include "mext_keys.h"

/* Where libxl looks for scripts, with the slash. */
#define MEXT_XEN_SCRIPTS "/etc/xen/scripts/"

/* What libxl starts for such a card instead of vif-bridge. */
#define MEXT_VIF_SCRIPT "/bin/true"

/*
 * False: vif-bridge has more to do on this host than is done here: hooks (vif-post.d),
 * or rules for bridges' frames that go through iptables, which Xen's own has and
 * Debian's has not.
 */
bool mext_vif_simple(void);

/*
 * vif<domid>.<vif>, which libxl has made, joins the bridge, and its backend may connect:
 * -1 and why.  When it goes it leaves the bridge by itself.
 */
int mext_vif_join(uint32_t domid, int vif, const char *bridge,
                  struct mext_why *why);

#endif
