/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_map.h over the image back-end: a window is a copy of what is mapped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "mext_map.h"
#include "mext_net.h"

struct mext_map {
    struct image_ram ram;
    uint8_t window[MEXT_WINDOW_MAX * MEXT_PAGE_SIZE];
};

int mext_map_open(uint32_t domid, struct mext_map **m_r, struct mext_why *why)
{
    struct mext_map *m = calloc(1, sizeof(*m));

    if (!m || image_ram_open(domid, false, &m->ram)) {
        free(m);
        return mext_fail(why, "cannot map guest memory: %s", strerror(errno));
    }
    *m_r = m;
    return 0;
}

void mext_map_close(struct mext_map *m)
{
    if (!m)
        return;
    image_ram_close(&m->ram);
    free(m);
}

int mext_map_window(struct mext_map *m, const uint64_t *gfns, unsigned n,
                    int *err_r, const uint8_t **p_r, struct mext_why *why)
{
    for (unsigned i = 0; i < n; i++) {
        err_r[i] = gfns[i] >= IMAGE_GFNS || !image_bit(m->ram.present, gfns[i])
                       ? -EINVAL
                       : 0;
        if (!err_r[i])
            memcpy(m->window + (size_t)i * MEXT_PAGE_SIZE,
                   image_page(&m->ram, gfns[i]), MEXT_PAGE_SIZE);
    }
    *p_r = m->window;
    return 0;
}
