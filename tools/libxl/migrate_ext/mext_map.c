/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>

#include "mext_map.h"
#include "mext_net.h"

struct mext_map {
    xenforeignmemory_handle *fm;
    uint32_t domid;
    void *window;
    unsigned n;
};

int mext_map_open(uint32_t domid, struct mext_map **m_r, struct mext_why *why)
{
    struct mext_map *m = calloc(1, sizeof(*m));

    if (m)
        m->fm = xenforeignmemory_open(NULL, 0);
    if (!m || !m->fm) {
        free(m);
        return mext_fail(why, "cannot map guest memory: %s", strerror(errno));
    }
    m->domid = domid;
    *m_r = m;
    return 0;
}

static void unmap(struct mext_map *m)
{
    if (m->window)
        xenforeignmemory_unmap(m->fm, m->window, m->n);
    m->window = NULL;
}

void mext_map_close(struct mext_map *m)
{
    if (!m)
        return;
    unmap(m);
    xenforeignmemory_close(m->fm);
    free(m);
}

int mext_map_window(struct mext_map *m, const uint64_t *gfns, unsigned n,
                    int *err_r, const uint8_t **p_r, struct mext_why *why)
{
    xen_pfn_t g[MEXT_WINDOW_MAX];

    unmap(m);
    for (unsigned i = 0; i < n; i++)
        g[i] = gfns[i];
    m->window = xenforeignmemory_map(m->fm, m->domid, PROT_READ, n, g, err_r);
    if (!m->window)
        return mext_fail(why, "mapping guest memory failed: %s",
                         strerror(errno));
    m->n = n;
    *p_r = m->window;
    return 0;
}
