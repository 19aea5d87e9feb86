/* SPDX-License-Identifier: LGPL-2.1-only */
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

#include "mext_net.h"
#include "mext_store.h"
#include "mext_vif.h"

#define HOOKS MEXT_XEN_SCRIPTS "vif-post.d/*.hook"

static bool filtered(const char *family)
{
    char path[64];
    FILE *f;
    int c;

    snprintf(path, sizeof(path), "/proc/sys/net/bridge/bridge-nf-call-%s",
             family);
    f = fopen(path, "r");
    if (!f)
        return false;
    c = fgetc(f);
    fclose(f);
    return c != '0';
}

bool mext_vif_simple(void)
{
    glob_t found;
    bool none = glob(HOOKS, 0, NULL, &found) == GLOB_NOMATCH;

    globfree(&found);
    return none && !filtered("iptables") && !filtered("ip6tables") &&
           !access(MEXT_VIF_SCRIPT, X_OK);
}

/* What netback waits for (xen-netback/xenbus.c, hotplug_status_changed). */
static int connected(uint32_t domid, int vif, struct mext_why *why)
{
    struct mext_store *s;
    char path[80];
    int rc;

    if (mext_store_open(&s, why))
        return -1;
    snprintf(path, sizeof(path), "backend/vif/%u/%d/hotplug-status", domid,
             vif);
    rc = mext_store_write(s, 0, path, "connected", why);
    mext_store_close(s);
    return rc;
}

int mext_vif_join(uint32_t domid, int vif, const char *bridge,
                  struct mext_why *why)
{
    char card[32];

    snprintf(card, sizeof(card), "vif%u.%d", domid, vif);
    return mext_net_port(card, bridge, why) || connected(domid, vif, why) ? -1
                                                                          : 0;
}
