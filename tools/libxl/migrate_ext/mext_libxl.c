/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_libxl_priv.h"
#include "mext_net.h"

#define DEVICES_MS 10000 /* so long devices may come and go */

int mext_lxl_open(unsigned verbosity, struct mext_lxl **l_r,
                  struct mext_why *why)
{
    static const xentoollog_level levels[] = { XTL_ERROR, XTL_WARN,
                                               XTL_DETAIL };
    struct mext_lxl *l = calloc(1, sizeof(*l));

    if (!l)
        return mext_fail(why, "out of memory");
    l->log = xtl_createlogger_stdiostream(
        stderr, levels[verbosity > 2 ? 2 : verbosity], 0);
    if (!l->log || libxl_ctx_alloc(&l->ctx, LIBXL_VERSION, 0,
                                   (xentoollog_logger *)l->log)) {
        mext_lxl_close(l);
        return mext_fail(why, "cannot initialise libxl: is this dom0, and "
                              "are you root?");
    }
    *l_r = l;
    return 0;
}

void mext_lxl_close(struct mext_lxl *l)
{
    if (!l)
        return;
    libxl_ctx_free(l->ctx);
    if (l->log)
        xtl_logger_destroy((xentoollog_logger *)l->log);
    free(l);
}

int mext_lxl_find(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                  struct mext_why *why)
{
    if (libxl_domain_qualifier_to_domid(l->ctx, name, domid_r))
        return mext_fail(why, "there is no domain \"%.64s\" (see xl list)",
                         name);
    if (*domid_r == 0)
        return mext_fail(why, "domain 0 cannot be migrated");
    return 0;
}

const char *mext_lxl_type(libxl_domain_type t)
{
    switch (t) {
    case LIBXL_DOMAIN_TYPE_PVH:
        return "pvh";
    case LIBXL_DOMAIN_TYPE_HVM:
        return "hvm";
    case LIBXL_DOMAIN_TYPE_PV:
        return "pv";
    default:
        return "unknown";
    }
}

unsigned mext_lxl_vcpus(const libxl_domain_config *c)
{
    return c->b_info.max_vcpus > 0 ? (unsigned)c->b_info.max_vcpus : 1;
}

const char *mext_lxl_obstacle(const libxl_domain_config *c)
{
    if (c->num_pcidevs || c->num_dtdevs)
        return "a passed-through device";
    if (c->num_usbctrls || c->num_usbdevs)
        return "a USB device";
    if (c->num_vtpms)
        return "a vTPM";
    if (c->num_p9s)
        return "a 9pfs share";
    if (c->num_pvcallsifs || c->num_vdispls || c->num_vsnds)
        return "a PV display, sound or calls device";
    if (c->num_vfbs || c->num_vkbs)
        return "a PV framebuffer or keyboard";
    if (c->num_channels)
        return "a channel";
    return NULL;
}

/* Of a PV guest Xen logs nothing if it is built without shadow paging. */
static bool can_be_live(struct mext_lxl *l, const libxl_domain_config *c)
{
    libxl_physinfo info;
    bool live = true;

    libxl_physinfo_init(&info);
    if (c->c_info.type == LIBXL_DOMAIN_TYPE_PV)
        live = !libxl_get_physinfo(l->ctx, &info) && info.cap_shadow;
    libxl_physinfo_dispose(&info);
    return live;
}

/* Both texts are freed; NULL is like nothing. */
static bool same_text(char *a, char *b)
{
    bool same = a && b && !strcmp(a, b);

    free(a);
    free(b);
    return same;
}

static bool same_devices(libxl_ctx *ctx, libxl_domain_config *a,
                         libxl_domain_config *b)
{
    bool same = a->num_disks == b->num_disks && a->num_nics == b->num_nics;

    for (int i = 0; same && i < a->num_disks; i++)
        same = same_text(libxl_device_disk_to_json(ctx, &a->disks[i]),
                         libxl_device_disk_to_json(ctx, &b->disks[i]));
    for (int i = 0; same && i < a->num_nics; i++)
        same = same_text(libxl_device_nic_to_json(ctx, &a->nics[i]),
                         libxl_device_nic_to_json(ctx, &b->nics[i]));
    return same;
}

static int retrieve_once(struct mext_lxl *l, uint32_t domid,
                         libxl_domain_config *c, struct mext_why *why)
{
    libxl_domain_config_init(c);
    if (!libxl_retrieve_domain_configuration(l->ctx, domid, c, NULL))
        return 0;
    libxl_domain_config_dispose(c);
    return mext_fail(
        why, "the configuration of domain %u is not known to libxl", domid);
}

/*
 * The configuration as it is now, *c_r to be disposed of after 0 only.  If a device
 * goes while libxl looks, such as the migration vif of a guest that has just come,
 * it finds none of that kind at all; so until it finds the same twice.
 */
static int retrieve(struct mext_lxl *l, uint32_t domid,
                    libxl_domain_config *c_r, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + DEVICES_MS;
    libxl_domain_config before;
    bool same;

    if (retrieve_once(l, domid, &before, why))
        return -1;
    for (;;) {
        if (retrieve_once(l, domid, c_r, why)) {
            libxl_domain_config_dispose(&before);
            return -1;
        }
        same = same_devices(l->ctx, &before, c_r);
        libxl_domain_config_dispose(&before);
        if (same)
            return 0;
        before = *c_r;
        if (mext_now_ms() < end)
            continue;
        libxl_domain_config_dispose(&before);
        return mext_fail(why,
                         "disks or network cards of domain %u come and go: "
                         "try again when they do no longer",
                         domid);
    }
}

int mext_lxl_guest(struct mext_lxl *l, uint32_t domid, struct mext_guest *g_r,
                   struct mext_why *why)
{
    libxl_domain_config c;
    int rc = -1;

    memset(g_r, 0, sizeof(*g_r));
    if (retrieve(l, domid, &c, why))
        return -1;
    g_r->name = libxl_domid_to_name(l->ctx, domid);
    g_r->json = libxl_domain_config_to_json(l->ctx, &c);
    if (!g_r->name || !g_r->json) {
        mext_guest_free(g_r);
        mext_fail(why, "the configuration of domain %u cannot be read", domid);
        goto out;
    }
    g_r->type = mext_lxl_type(c.c_info.type);
    g_r->max_kib = c.b_info.max_memkb;
    g_r->target_kib = c.b_info.target_memkb;
    g_r->vcpus = mext_lxl_vcpus(&c);
    g_r->live = can_be_live(l, &c);
    g_r->obstacle = mext_lxl_obstacle(&c);
    rc = 0;
out:
    libxl_domain_config_dispose(&c);
    return rc;
}

int mext_lxl_unchanged(struct mext_lxl *l, uint32_t domid, const char *json,
                       struct mext_why *why)
{
    libxl_domain_config then, now;
    int rc = -1;

    if (retrieve(l, domid, &now, why))
        return -1;
    libxl_domain_config_init(&then);
    if (libxl_domain_config_from_json(l->ctx, &then, json))
        mext_fail(why, "the guest's configuration is not known any more");
    else if (!same_devices(l->ctx, &then, &now))
        mext_fail(why, "a disk or network card of the guest came, went or "
                       "changed meanwhile: migrate it again");
    else
        rc = 0;
    libxl_domain_config_dispose(&then);
    libxl_domain_config_dispose(&now);
    return rc;
}

void mext_guest_free(struct mext_guest *g)
{
    free(g->name);
    free(g->json);
    memset(g, 0, sizeof(*g));
}

/* Is it in the list of all?  True also if there is no list. */
static bool may_be_there(struct mext_lxl *l, uint32_t domid)
{
    int n = 0;
    libxl_dominfo *all = libxl_list_domain(l->ctx, &n);
    bool there = !all;

    for (int i = 0; i < n; i++)
        there |= all[i].domid == domid;
    if (all)
        libxl_dominfo_list_free(all, n);
    return there;
}

int mext_lxl_now(struct mext_lxl *l, uint32_t domid,
                 struct mext_domain_now *n_r)
{
    libxl_dominfo info;
    char *name;
    int rc = 1;

    libxl_dominfo_init(&info);
    if (libxl_domain_info(l->ctx, &info, domid)) {
        rc = may_be_there(l, domid) ? -1 : 1;
    } else if (!info.dying) {
        memcpy(n_r->uuid, libxl_uuid_bytearray_const(&info.uuid),
               sizeof(n_r->uuid));
        n_r->paused = info.paused;
        n_r->stopped = info.shutdown;
        n_r->suspended = info.shutdown &&
                         info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
        name = libxl_domid_to_name(l->ctx, domid);
        snprintf(n_r->name, sizeof(n_r->name), "%s", name ? name : "");
        free(name);
        rc = 0;
    }
    libxl_dominfo_dispose(&info);
    return rc;
}

int mext_lxl_resume(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    if (libxl_domain_resume(l->ctx, domid, 1, NULL))
        return mext_fail(why,
                         "domain %u is suspended and could not be "
                         "resumed",
                         domid);
    return 0;
}

int mext_lxl_rename(struct mext_lxl *l, uint32_t domid, const char *name,
                    struct mext_why *why)
{
    if (libxl_domain_rename(l->ctx, domid, NULL, name))
        return mext_fail(why, "domain %u cannot be named \"%.64s\"", domid,
                         name);
    return 0;
}

int mext_lxl_cap(struct mext_lxl *l, uint32_t domid, unsigned *cap_r,
                 struct mext_why *why)
{
    libxl_domain_sched_params p;
    int rc;

    libxl_domain_sched_params_init(&p);
    rc = libxl_domain_sched_params_get(l->ctx, domid, &p);
    if (!rc && p.cap >= 0)
        *cap_r = (unsigned)p.cap;
    else
        rc = mext_fail(why, "Xen's scheduler here has no cap on a domain's CPU "
                            "time (credit and credit2 have)");
    libxl_domain_sched_params_dispose(&p);
    return rc;
}

int mext_lxl_set_cap(struct mext_lxl *l, uint32_t domid, unsigned cap,
                     struct mext_why *why)
{
    libxl_domain_sched_params p;
    int rc;

    libxl_domain_sched_params_init(&p);
    p.cap = (int)cap; /* of the scheduler that the domain's pool has */
    rc = libxl_domain_sched_params_set(l->ctx, domid, &p);
    libxl_domain_sched_params_dispose(&p);
    return rc ? mext_fail(why, "Xen refuses a cap of %u %%", cap) : 0;
}

int mext_lxl_destroy(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    if (libxl_domain_destroy(l->ctx, domid, NULL))
        return mext_fail(why, "domain %u could not be destroyed", domid);
    return 0;
}

/* The device model of an HVM guest has to go on before it. */
int mext_lxl_unpause(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    if (libxl_domain_unpause(l->ctx, domid, NULL))
        return mext_fail(why, "domain %u cannot be unpaused", domid);
    return 0;
}

int mext_lxl_save(struct mext_lxl *l, uint32_t domid, bool live, int fd,
                  struct mext_why *why)
{
    int flags = live ? LIBXL_SUSPEND_LIVE : 0;

    if (libxl_domain_suspend(l->ctx, domid, fd, flags, NULL))
        return mext_fail(why, "libxl could not save domain %u", domid);
    return 0;
}

void mext_lxl_facts(struct mext_lxl *l, char out[128])
{
    const libxl_version_info *v = libxl_get_version_info(l->ctx);
    libxl_physinfo info;
    uint64_t kib;

    libxl_physinfo_init(&info);
    if (!v || libxl_get_physinfo(l->ctx, &info) ||
        libxl_get_free_memory(l->ctx, &kib))
        snprintf(out, 128, "nothing is known of its Xen");
    else
        snprintf(out, 128, "Xen %d.%d%.20s, %u CPUs, %llu MiB free",
                 v->xen_version_major, v->xen_version_minor,
                 v->xen_version_extra, info.nr_cpus,
                 (unsigned long long)kib >> 10);
    libxl_physinfo_dispose(&info);
}
