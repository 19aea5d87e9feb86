/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include "mext_libxl_priv.h"
#include "mext_net.h"

int mext_lxl_restore_check(struct mext_lxl *l, const struct mext_launch *how,
                           struct mext_launched *r_r, unsigned *code_r,
                           struct mext_why *why)
{
    libxl_domain_config c;
    char *name = NULL;
    int rc = -1;

    libxl_domain_config_init(&c);
    if (mext_lxl_read(l, how, mext_lxl_config_check, &c, code_r, why))
        goto out;
    name = strdup(c.c_info.name);
    if (!name) {
        mext_fail(why, "out of memory");
        goto out;
    }
    mext_lxl_config_incoming(l->ctx, &c);
    *r_r = (struct mext_launched){ .name = name,
                                   .memory_kib = c.b_info.target_memkb };
    memcpy(r_r->uuid, libxl_uuid_bytearray_const(&c.c_info.uuid),
           sizeof(r_r->uuid));
    rc = 0;
out:
    libxl_domain_config_dispose(&c);
    return rc;
}

int mext_lxl_restore(struct mext_lxl *l, const char *json,
                     const uint8_t uuid[16], int fd, uint32_t *domid_r,
                     struct mext_why *why)
{
    libxl_domain_restore_params params;
    libxl_domain_config c;
    int rc = -1;

    *domid_r = (uint32_t)INVALID_DOMID;
    libxl_domain_config_init(&c);
    libxl_domain_restore_params_init(&params);
    params.stream_version = 2;
    if (libxl_domain_config_from_json(l->ctx, &c, json)) {
        mext_fail(why, "libxl of this host does not understand it");
        goto out;
    }
    mext_lxl_config_filter(&c);
    mext_lxl_config_incoming(l->ctx, &c);
    memcpy(libxl_uuid_bytearray(&c.c_info.uuid), uuid, 16);
    rc = libxl_domain_create_restore(l->ctx, &c, domid_r, fd, -1, &params, NULL,
                                     NULL);
    if (rc && *domid_r != (uint32_t)INVALID_DOMID)
        libxl_domain_destroy(l->ctx, *domid_r, NULL);
    if (rc)
        mext_fail(why, "libxl could not restore it (disks and bridges that it "
                       "has must be here too; see packetd's log)");
out:
    libxl_domain_restore_params_dispose(&params);
    libxl_domain_config_dispose(&c);
    return rc ? -1 : 0;
}
