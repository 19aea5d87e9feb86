/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_libxl_priv.h"
#include "mext_net.h"
#include "mext_vif.h"

int mext_lxl_canonical(struct mext_lxl *l, char **json, struct mext_why *why)
{
    libxl_domain_config c;
    char *own = NULL;

    libxl_domain_config_init(&c);
    if (!libxl_domain_config_from_json(l->ctx, &c, *json))
        own = libxl_domain_config_to_json(l->ctx, &c);
    libxl_domain_config_dispose(&c);
    if (!own)
        return mext_fail(why, "libxl of this host does not understand it");
    free(*json);
    *json = own;
    return 0;
}

void mext_lxl_set_string(char **where, const char *value)
{
    free(*where);
    *where = value ? strdup(value) : NULL;
}

int mext_lxl_config_check(const libxl_domain_config *c,
                          const struct mext_launch *how, struct mext_why *why)
{
    const char *what = mext_lxl_obstacle(c);

    if (what)
        return mext_fail(why, "the guest has %s", what);
    if (c->b_info.max_memkb != how->memory_kib ||
        mext_lxl_vcpus(c) != how->vcpus)
        return mext_fail(why, "memory or vCPUs are not those of the token");
    return 0;
}

/* What an mstrap cannot become, whatever packetd.conf says; MEXT_E_CONFIG. */
static int config_check(const libxl_domain_config *c,
                        const struct mext_launch *how, struct mext_why *why)
{
    if (c->c_info.type != LIBXL_DOMAIN_TYPE_PVH)
        return mext_fail(why,
                         "an mstrap becomes PVH guests only, this is %s: "
                         "--receiver dom0",
                         mext_lxl_type(c->c_info.type));
    return mext_lxl_config_check(c, how, why);
}

void mext_lxl_config_filter(libxl_domain_config *c)
{
    if (c->b_info.bootloader)
        mext_lxl_set_string(&c->b_info.bootloader, "pygrub");
#ifdef LIBXL_HAVE_BOOTLOADER_RESTRICT
    mext_lxl_set_string(&c->b_info.bootloader_user, NULL);
#endif
    libxl_string_list_dispose(&c->b_info.bootloader_args);
    libxl_string_list_dispose(&c->b_info.extra);
    libxl_string_list_dispose(&c->b_info.extra_pv);
    libxl_string_list_dispose(&c->b_info.extra_hvm);
    mext_lxl_set_string(&c->b_info.device_model, NULL);
    mext_lxl_set_string(&c->b_info.device_model_user, NULL);
    mext_lxl_set_string(&c->b_info.stubdomain_kernel, NULL);
    mext_lxl_set_string(&c->b_info.stubdomain_cmdline, NULL);
    mext_lxl_set_string(&c->b_info.stubdomain_ramdisk, NULL);
    libxl_defbool_set(&c->b_info.device_model_stubdomain, false);
}

/* Appends the migration vif; its index. */
static int add_migration_vif(libxl_domain_config *c,
                             const struct mext_launch *how)
{
    libxl_device_nic *n;
    int devid = 0;

    for (int i = 0; i < c->num_nics; i++)
        if (c->nics[i].devid >= devid)
            devid = c->nics[i].devid + 1;
    n = realloc(c->nics, sizeof(*n) * (size_t)(c->num_nics + 1));
    if (!n)
        return -1;
    c->nics = n;
    n += c->num_nics++;
    libxl_device_nic_init(n);
    n->devid = devid;
    n->nictype = LIBXL_NIC_TYPE_VIF;
    n->bridge = strdup(how->bridge);
    if (how->vif_script)
        n->script = strdup(how->vif_script);
    else if (mext_vif_simple())
        n->script = strdup(MEXT_VIF_SCRIPT);
    randombytes_buf(n->mac, sizeof(n->mac));
    n->mac[0] = 0x00; /* Xen's own prefix, 00:16:3e */
    n->mac[1] = 0x16;
    n->mac[2] = 0x3e;
    return devid;
}

static bool uuid_in_use(libxl_ctx *ctx, const libxl_uuid *uuid)
{
    int n = 0;
    libxl_dominfo *all = libxl_list_domain(ctx, &n);
    bool used = false;

    for (int i = 0; all && i < n; i++)
        used |= !libxl_uuid_compare(&all[i].uuid, uuid);
    libxl_dominfo_list_free(all, n);
    return used;
}

void mext_lxl_config_incoming(libxl_ctx *ctx, libxl_domain_config *c)
{
    char name[256];

    snprintf(name, sizeof(name), "%s" MEXT_INCOMING_SUFFIX, c->c_info.name);
    mext_lxl_set_string(&c->c_info.name, name);
    /* On a move within one host the source has it. */
    if (uuid_in_use(ctx, &c->c_info.uuid))
        libxl_uuid_generate(&c->c_info.uuid);
}

/* The guest's configuration becomes that of an mstrap. */
static void config_for_mstrap(libxl_ctx *ctx, libxl_domain_config *c,
                              const struct mext_launch *how)
{
    mext_lxl_config_incoming(ctx, c);
    mext_lxl_set_string(&c->b_info.kernel, how->image);
    mext_lxl_set_string(&c->b_info.ramdisk, NULL);
    mext_lxl_set_string(&c->b_info.cmdline, how->cmdline);
    mext_lxl_config_filter(c);
    mext_lxl_set_string(&c->b_info.bootloader, NULL);
    /* Fully populated: mstrap gives back what the source does not have. */
    c->b_info.target_memkb = c->b_info.max_memkb;
}

/* What is free and nobody has a claim to, KiB. */
static int free_memory(struct mext_lxl *l, uint64_t *kib_r)
{
    libxl_physinfo info;
    uint64_t pages;
    int rc;

    libxl_physinfo_init(&info);
    rc = libxl_get_physinfo(l->ctx, &info);
    pages = info.free_pages + info.scrub_pages;
    *kib_r = pages > info.outstanding_pages
                 ? (pages - info.outstanding_pages) * 4
                 : 0;
    libxl_physinfo_dispose(&info);
    return rc ? -1 : 0;
}

int mext_lxl_memory_check(struct mext_lxl *l, libxl_domain_config *c,
                          struct mext_why *why)
{
    uint64_t need, have;
    libxl_domain_config copy;

    libxl_domain_config_init(&copy);
    libxl_domain_config_copy(l->ctx, &copy, c);
    if (libxl_domain_need_memory(l->ctx, &copy, INVALID_DOMID, &need) ||
        free_memory(l, &have))
        need = have = 0;
    libxl_domain_config_dispose(&copy);
    if (need > have)
        return mext_fail(why, "%llu MiB needed, %llu MiB free here",
                         (unsigned long long)need >> 10,
                         (unsigned long long)have >> 10);
    return 0;
}

/*
 * Refuses a name that is in use, unless it is the guest itself (same uuid), or
 * that will be by a migration under way.
 */
int mext_lxl_name_check(struct mext_lxl *l, const libxl_domain_config *c,
                        struct mext_why *why)
{
    libxl_dominfo info;
    char incoming[256];
    uint32_t other;
    int same;

    snprintf(incoming, sizeof(incoming), "%s" MEXT_INCOMING_SUFFIX,
             c->c_info.name);
    if (!libxl_name_to_domid(l->ctx, incoming, &other))
        return mext_fail(why,
                         "a former migration of \"%.64s\" to here is not over "
                         "yet: try again in a few seconds, or cancel it (xl "
                         "migrate-cancel)",
                         c->c_info.name);
    if (libxl_name_to_domid(l->ctx, c->c_info.name, &other))
        return 0;
    libxl_dominfo_init(&info);
    same = !libxl_domain_info(l->ctx, &info, other) &&
           !libxl_uuid_compare(&info.uuid, &c->c_info.uuid);
    libxl_dominfo_dispose(&info);
    if (!same)
        return mext_fail(why, "a domain named \"%.64s\" is here already",
                         c->c_info.name);
    return 0;
}

/* An mstrap; its last nic is the migration vif.  On failure nothing is left of it. */
static int create(struct mext_lxl *l, libxl_domain_config *c, uint32_t *domid_r,
                  struct mext_why *why)
{
    const libxl_device_nic *n = &c->nics[c->num_nics - 1];
    bool join = n->script && !strcmp(n->script, MEXT_VIF_SCRIPT);
    int rc = 0;

    *domid_r = (uint32_t)INVALID_DOMID;
    if (libxl_domain_create_new(l->ctx, c, domid_r, NULL, NULL))
        rc = mext_fail(why, "libxl could not build it (disks and bridges that "
                            "it has must be here too; see packetd's log)");
    else if (join)
        rc = mext_vif_join(*domid_r, n->devid, n->bridge, why);
    if (rc && *domid_r != (uint32_t)INVALID_DOMID)
        libxl_domain_destroy(l->ctx, *domid_r, NULL);
    if (rc)
        *domid_r = 0;
    return rc;
}

int mext_lxl_read(struct mext_lxl *l, const struct mext_launch *how,
                  mext_lxl_check_fn *check, libxl_domain_config *c,
                  unsigned *code_r, struct mext_why *why)
{
    *code_r = MEXT_E_CONFIG;
    if (libxl_domain_config_from_json(l->ctx, c, how->json))
        return mext_fail(why, "libxl of this host does not understand it");
    if (check(c, how, why))
        return -1;
    *code_r = MEXT_E_NAME;
    if (mext_lxl_name_check(l, c, why))
        return -1;
    *code_r = MEXT_E_MEMORY;
    if (mext_lxl_memory_check(l, c, why))
        return -1;
    *code_r = MEXT_E_CREATE;
    return mext_lxl_devices_here(c, why);
}

int mext_lxl_launch(struct mext_lxl *l, const struct mext_launch *how,
                    struct mext_launched *r_r, unsigned *code_r,
                    struct mext_why *why)
{
    libxl_domain_config c;
    uint32_t domid;
    char *name = NULL;
    int vif, rc = -1;

    libxl_domain_config_init(&c);
    if (mext_lxl_read(l, how, config_check, &c, code_r, why))
        goto out;
    name = strdup(c.c_info.name);
    config_for_mstrap(l->ctx, &c, how);
    vif = add_migration_vif(&c, how);
    if (!name || vif < 0) {
        mext_fail(why, "out of memory");
        goto out;
    }
    if (create(l, &c, &domid, why))
        goto out;
    *r_r = (struct mext_launched){ .domid = domid, .vif = vif, .name = name };
    memcpy(r_r->uuid, libxl_uuid_bytearray_const(&c.c_info.uuid),
           sizeof(r_r->uuid));
    name = NULL;
    rc = 0;
out:
    free(name);
    libxl_domain_config_dispose(&c);
    return rc;
}

/* ---- an mstrap that is there already ---- */

char *mext_lxl_kernel(struct mext_lxl *l, uint32_t domid)
{
    libxl_domain_config c;
    char *kernel = NULL;

    libxl_domain_config_init(&c);
    if (!libxl_retrieve_domain_configuration(l->ctx, domid, &c, NULL) &&
        c.b_info.kernel)
        kernel = strdup(c.b_info.kernel);
    libxl_domain_config_dispose(&c);
    return kernel;
}

uint32_t mext_lxl_each(struct mext_lxl *l, mext_domain_fn *fn, void *arg)
{
    int n = 0;
    libxl_dominfo *all = libxl_list_domain(l->ctx, &n);
    uint32_t found = 0;

    for (int i = 0; all && i < n && !found; i++)
        if (all[i].domid && fn(arg, all[i].domid))
            found = all[i].domid;
    libxl_dominfo_list_free(all, n);
    return found;
}

/* vCPUs are fixed when a domain is created, everything else can be grown. */
static int adopt_check(struct mext_lxl *l, uint32_t domid,
                       const struct mext_launch *how, int *vif_r,
                       struct mext_why *why)
{
    libxl_domain_config own;
    int rc = -1;

    libxl_domain_config_init(&own);
    if (libxl_retrieve_domain_configuration(l->ctx, domid, &own, NULL))
        mext_fail(why, "the waiting mstrap's configuration is not known");
    else if (mext_lxl_vcpus(&own) != how->vcpus)
        mext_fail(why, "the waiting mstrap has %u vCPUs, the guest %u",
                  mext_lxl_vcpus(&own), how->vcpus);
    else if (own.num_disks || own.num_nics != 1)
        mext_fail(why, "the waiting mstrap must have one vif and no disk");
    else
        rc = 0;
    if (!rc)
        *vif_r = own.nics[0].devid;
    libxl_domain_config_dispose(&own);
    return rc;
}

/* All, or none: the mstrap waits for another guest then. */
static int add_disks(struct mext_lxl *l, uint32_t domid, libxl_domain_config *c,
                     struct mext_why *why)
{
    for (int i = 0; i < c->num_disks; i++) {
        if (!libxl_device_disk_add(l->ctx, domid, &c->disks[i], NULL))
            continue;
        mext_fail(why, "disk %s cannot be attached here", c->disks[i].vdev);
        while (i--)
            libxl_device_disk_destroy(l->ctx, domid, &c->disks[i], NULL);
        return -1;
    }
    return 0;
}

int mext_lxl_adopt(struct mext_lxl *l, uint32_t domid,
                   const struct mext_launch *how, struct mext_launched *r_r,
                   unsigned *code_r, struct mext_why *why)
{
    libxl_domain_config c;
    struct mext_domain_now now;
    int vif, rc = -1;

    libxl_domain_config_init(&c);
    *code_r = MEXT_E_CONFIG;
    if (mext_lxl_now(l, domid, &now))
        mext_fail(why, "the waiting mstrap is gone");
    else if (libxl_domain_config_from_json(l->ctx, &c, how->json))
        mext_fail(why, "libxl of this host does not understand it");
    else if (!config_check(&c, how, why) &&
             !adopt_check(l, domid, how, &vif, why))
        rc = 0;
    *code_r = rc ? *code_r : MEXT_E_NAME;
    if (!rc)
        rc = mext_lxl_name_check(l, &c, why);
    *code_r = rc ? *code_r : MEXT_E_CREATE;
    if (!rc)
        rc = add_disks(l, domid, &c, why);
    if (!rc) {
        *r_r = (struct mext_launched){ .domid = domid,
                                       .vif = vif,
                                       .name = strdup(c.c_info.name) };
        memcpy(r_r->uuid, now.uuid, sizeof(r_r->uuid));
    }
    libxl_domain_config_dispose(&c);
    return rc;
}

static void vif_remove(struct mext_lxl *l, uint32_t domid, int vif)
{
    libxl_device_nic n;

    libxl_device_nic_init(&n);
    n.devid = vif;
    libxl_device_nic_destroy(l->ctx, domid, &n, NULL);
    libxl_device_nic_dispose(&n);
}

static bool has_nic(const libxl_domain_config *c, int devid)
{
    for (int i = 0; i < c->num_nics; i++)
        if (c->nics[i].devid == devid)
            return true;
    return false;
}

void mext_lxl_vifs_strip(struct mext_lxl *l, uint32_t domid)
{
    libxl_device_nic *nics;
    libxl_domain_config c;
    uint8_t *json = NULL;
    int n = 0, len = 0;

    libxl_domain_config_init(&c);
    nics = libxl_device_nic_list(l->ctx, domid, &n);
    if (!libxl_userdata_retrieve(l->ctx, domid, "libxl-json", &json, &len) &&
        len && !json[len - 1] &&
        !libxl_domain_config_from_json(l->ctx, &c, (char *)json))
        for (int i = 0; i < n; i++)
            if (!has_nic(&c, nics[i].devid))
                vif_remove(l, domid, nics[i].devid);
    free(json);
    libxl_device_nic_list_free(nics, n);
    libxl_domain_config_dispose(&c);
}

int mext_lxl_vifs_replace(struct mext_lxl *l, uint32_t domid, int old,
                          const char *json, struct mext_why *why)
{
    libxl_domain_config c;
    int rc = 0;

    vif_remove(l, domid, old);
    libxl_domain_config_init(&c);
    if (libxl_domain_config_from_json(l->ctx, &c, json))
        rc = mext_fail(why, "the guest's configuration cannot be read");
    for (int i = 0; !rc && i < c.num_nics; i++)
        if (libxl_device_nic_add(l->ctx, domid, &c.nics[i], NULL))
            rc = mext_fail(why, "vif %d cannot be attached here", i);
    libxl_domain_config_dispose(&c);
    return rc;
}

int mext_lxl_launch_bare(struct mext_lxl *l, const char *name,
                         const struct mext_launch *how, uint32_t *domid_r,
                         unsigned *code_r, struct mext_why *why)
{
    libxl_domain_config c;
    int rc = -1;

    libxl_domain_config_init(&c);
    c.c_info.type = LIBXL_DOMAIN_TYPE_PVH;
    mext_lxl_set_string(&c.c_info.name, name);
    libxl_uuid_generate(&c.c_info.uuid);
    libxl_domain_build_info_init_type(&c.b_info, LIBXL_DOMAIN_TYPE_PVH);
    c.b_info.max_vcpus = (int)how->vcpus;
    libxl_cpu_bitmap_alloc(l->ctx, &c.b_info.avail_vcpus, (int)how->vcpus);
    for (unsigned v = 0; v < how->vcpus; v++)
        libxl_bitmap_set(&c.b_info.avail_vcpus, (int)v);
    c.b_info.max_memkb = c.b_info.target_memkb = how->memory_kib;
    mext_lxl_set_string(&c.b_info.kernel, how->image);
    mext_lxl_set_string(&c.b_info.cmdline, how->cmdline);
    *code_r = MEXT_E_MEMORY;
    if (mext_lxl_memory_check(l, &c, why))
        goto out;
    *code_r = MEXT_E_CREATE;
    if (add_migration_vif(&c, how) < 0)
        mext_fail(why, "out of memory");
    else
        rc = create(l, &c, domid_r, why);
out:
    libxl_domain_config_dispose(&c);
    return rc;
}

int mext_lxl_settle(struct mext_lxl *l, uint32_t domid, const char *json,
                    const char *name, struct mext_why *why)
{
    libxl_domain_config c;
    libxl_dominfo info;
    char *own = NULL;
    int rc = -1;

    libxl_domain_config_init(&c);
    libxl_dominfo_init(&info);
    if (libxl_domain_config_from_json(l->ctx, &c, json) ||
        libxl_domain_info(l->ctx, &info, domid)) {
        mext_fail(why, "the domain's configuration cannot be stored");
        goto out;
    }
    mext_lxl_config_filter(&c);
    libxl_uuid_copy(l->ctx, &c.c_info.uuid, &info.uuid);
    mext_lxl_set_string(&c.c_info.name, name);
    own = libxl_domain_config_to_json(l->ctx, &c);
    if (!own ||
        libxl_userdata_store(l->ctx, domid, "libxl-json", (const uint8_t *)own,
                             (int)strlen(own) + 1)) {
        mext_fail(why, "the domain's configuration cannot be stored");
        goto out;
    }
    rc = 0;
out:
    free(own);
    libxl_dominfo_dispose(&info);
    libxl_domain_config_dispose(&c);
    return rc;
}

/* ---- a guest that stops ---- */

static libxl_action_on_shutdown action_for(const libxl_domain_config *c,
                                           libxl_shutdown_reason reason)
{
    switch (reason) {
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
        return c->on_poweroff;
    case LIBXL_SHUTDOWN_REASON_REBOOT:
        return c->on_reboot;
    case LIBXL_SHUTDOWN_REASON_CRASH:
        return c->on_crash;
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        return c->on_watchdog;
    case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
        return c->on_soft_reset;
    default:
        return LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    }
}

/* How a wait for a guest ended. */
enum stop { STOP_GONE, STOP_SUSPENDED, STOP_SHUTDOWN, STOP_FAILED };

static enum stop next_stop(struct mext_lxl *l, libxl_shutdown_reason *reason_r)
{
    for (;;) {
        libxl_event *e;
        libxl_event_type type;

        if (libxl_event_wait(l->ctx, &e, LIBXL_EVENTMASK_ALL, NULL, NULL))
            return STOP_FAILED;
        type = e->type;
        *reason_r = type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN
                        ? e->u.domain_shutdown.shutdown_reason
                        : LIBXL_SHUTDOWN_REASON_UNKNOWN;
        libxl_event_free(l->ctx, e);
        if (type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
            return STOP_GONE;
        if (type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
            return *reason_r == LIBXL_SHUTDOWN_REASON_SUSPEND ? STOP_SUSPENDED
                                                              : STOP_SHUTDOWN;
    }
}

/* Somebody saves or migrates it: false once gone, true once it runs again. */
static bool comes_back(struct mext_lxl *l, uint32_t domid)
{
    struct mext_domain_now now;
    int r;

    do {
        sleep(1);
        r = mext_lxl_now(l, domid, &now);
    } while (r < 0 || (r == 0 && now.suspended));
    return r == 0;
}

/* A guest that boots another kernel by itself (kexec) stays in its domain. */
static uint32_t soft_reset(struct mext_lxl *l, libxl_domain_config *c,
                           uint32_t domid)
{
    return libxl_domain_soft_reset(l->ctx, c, domid, NULL, NULL) ||
                   libxl_domain_unpause(l->ctx, domid, NULL)
               ? 0
               : domid;
}

/* The guest is destroyed; made anew it has another number, 0: it could not be. */
static uint32_t start_again(struct mext_lxl *l, libxl_domain_config *c,
                            const struct mext_minding *how)
{
    uint32_t domid = 0;

    if (libxl_domain_create_new(l->ctx, c, &domid, NULL, NULL)) {
        how->note(how->arg,
                  "guest could not be started again (are its kernel and disks "
                  "on this host?)");
        return 0;
    }
    how->again(how->arg, domid, false);
    if (libxl_domain_unpause(l->ctx, domid, NULL)) {
        how->note(how->arg, "guest was made anew and could not be let run: xl "
                            "unpause it");
        return domid;
    }
    how->again(how->arg, domid, true);
    how->note(how->arg, "guest was started again");
    return domid;
}

/* It stands still for good, or was made and has never run; else somebody has it. */
static bool is_left_over(const libxl_dominfo *d)
{
    return d->dying ||
           (d->shutdown &&
            d->shutdown_reason != LIBXL_SHUTDOWN_REASON_SUSPEND) ||
           (d->paused && !d->cpu_time);
}

int mext_lxl_anew(struct mext_lxl *l, const char *json,
                  const struct mext_minding *how, uint32_t *domid_r)
{
    libxl_domain_config c;
    libxl_dominfo *all = NULL;
    int n = 0, rc = 0;

    *domid_r = 0;
    libxl_domain_config_init(&c);
    if (libxl_domain_config_from_json(l->ctx, &c, json)) {
        how->note(how->arg, "guest was to be started again, and its "
                            "configuration is lost: xl create it");
        goto out;
    }
    all = libxl_list_domain(l->ctx, &n);
    rc = all ? 0 : -1;
    for (int i = 0; i < n && !*domid_r; i++) {
        if (libxl_uuid_compare(&all[i].uuid, &c.c_info.uuid))
            continue;
        if (!is_left_over(&all[i]))
            *domid_r = all[i].domid;
        else if (!all[i].dying)
            libxl_domain_destroy(l->ctx, all[i].domid, NULL);
    }
    if (*domid_r)
        how->again(how->arg, *domid_r, true);
    else if (!rc)
        *domid_r = start_again(l, &c, how);
out:
    libxl_dominfo_list_free(all, n);
    libxl_domain_config_dispose(&c);
    return rc;
}

int mext_lxl_named(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                   struct mext_why *why)
{
    int n = 0, found = 0;
    libxl_dominfo *all = libxl_list_domain(l->ctx, &n);

    if (!all)
        return mext_fail(why, "libxl does not say which domains there are");
    for (int i = 0; i < n && !found; i++) {
        char *its = libxl_domid_to_name(l->ctx, all[i].domid);

        found = its && !strcmp(its, name);
        if (found)
            *domid_r = all[i].domid;
        free(its);
    }
    libxl_dominfo_list_free(all, n);
    return found;
}

/* What is to come is told before anything goes. */
static void tell_anew(struct mext_lxl *l, libxl_domain_config *c,
                      const struct mext_minding *how)
{
    char *json = libxl_domain_config_to_json(l->ctx, c);

    if (json)
        how->anew(how->arg, json);
    free(json);
}

static bool starts_again(libxl_action_on_shutdown a)
{
    return a == LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET ||
           a == LIBXL_ACTION_ON_SHUTDOWN_RESTART ||
           a == LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART;
}

/* Acts on a stop: the guest's domid if it was started again, else 0. */
static uint32_t act(struct mext_lxl *l, uint32_t domid,
                    libxl_shutdown_reason reason,
                    const struct mext_minding *how)
{
    libxl_domain_config c;
    libxl_action_on_shutdown a;
    uint32_t now = 0;

    libxl_domain_config_init(&c);
    if (libxl_retrieve_domain_configuration(l->ctx, domid, &c, NULL)) {
        how->note(how->arg, "guest stopped and its configuration is gone: left "
                            "as it is");
        goto out;
    }
    a = action_for(&c, reason);
    if (a == LIBXL_ACTION_ON_SHUTDOWN_PRESERVE ||
        a == LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME) {
        how->note(how->arg, "guest stopped and is kept");
        goto out;
    }
    if (a == LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET) {
        now = soft_reset(l, &c, domid);
        if (now)
            goto out;
        how->note(how->arg,
                  "guest could not be reset in its domain: it is started anew");
    }
    if (starts_again(a))
        tell_anew(l, &c, how);
    libxl_domain_destroy(l->ctx, domid, NULL);
    if (starts_again(a))
        now = start_again(l, &c, how);
    else
        how->note(how->arg, "guest stopped and was destroyed");
out:
    libxl_domain_config_dispose(&c);
    return now;
}

/* It has stopped: what becomes of it if somebody else has so long to act first. */
static int left_after(struct mext_lxl *l, uint32_t domid, unsigned wait_s,
                      struct mext_domain_now *now_r)
{
    int r;

    while (!(r = mext_lxl_now(l, domid, now_r)) && now_r->stopped && wait_s--)
        sleep(1);
    return r;
}

/* The domain that the guest goes on in, 0: none. */
static uint32_t stopped(struct mext_lxl *l, uint32_t domid, unsigned wait_s,
                        libxl_shutdown_reason reason,
                        const struct mext_minding *how)
{
    struct mext_domain_now now;
    int r = left_after(l, domid, wait_s, &now);

    if (r == 1)
        return 0;
    return r == 0 && !now.stopped ? domid : act(l, domid, reason, how);
}

int mext_lxl_mind(struct mext_lxl *l, uint32_t domid, unsigned wait_s,
                  const struct mext_minding *how)
{
    while (domid) {
        libxl_evgen_domain_death *w;
        libxl_shutdown_reason reason;
        enum stop stop;

        if (libxl_evenable_domain_death(l->ctx, domid, 0, &w))
            return -1;
        stop = next_stop(l, &reason);
        libxl_evdisable_domain_death(l->ctx, w);
        if (stop == STOP_SHUTDOWN) {
            domid = stopped(l, domid, wait_s, reason, how);
        } else if (stop == STOP_FAILED) {
            return -1;
        } else if (stop == STOP_GONE || !comes_back(l, domid)) {
            domid = 0;
        }
    }
    return 0;
}
