/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>
#include <xenguest.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/version.h>

#include "mext_net.h"
#include "mext_xen.h"

/*
 * Exported by libxenctrl and used by libxenguest, but in no public header
 * (tools/libs/ctrl/xc_private.h).
 */
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num,
                          xen_pfn_t *arr);

_Static_assert(MEXT_SHUTDOWN_POWEROFF == SHUTDOWN_poweroff, "");
_Static_assert(MEXT_SHUTDOWN_REBOOT == SHUTDOWN_reboot, "");
_Static_assert(MEXT_SHUTDOWN_SUSPEND == SHUTDOWN_suspend, "");
_Static_assert(MEXT_SHUTDOWN_CRASH == SHUTDOWN_crash, "");

struct mext_dom {
    xc_interface *xch;
    uint32_t domid;
    bool logging;
    uint64_t nbits; /* of the dirty bitmap, 0: none */
    xc_hypercall_buffer_t bitmap;
};

static int xen_fail(struct mext_dom *d, struct mext_why *why, const char *what)
{
    return mext_fail(why, "%s failed for domain %u: %s", what, d->domid,
                     strerror(errno));
}

int mext_dom_open(uint32_t domid, struct mext_dom **d_r, struct mext_why *why)
{
    struct mext_dom *d = calloc(1, sizeof(*d));

    if (!d)
        return mext_fail(why, "out of memory");
    d->domid = domid;
    d->xch = xc_interface_open(NULL, NULL, 0);
    if (!d->xch) {
        free(d);
        return mext_fail(why,
                         "cannot reach the hypervisor (%s): is this "
                         "dom0, and are you root?",
                         strerror(errno));
    }
    *d_r = d;
    return 0;
}

uint32_t mext_dom_id(const struct mext_dom *d)
{
    return d->domid;
}

static uint64_t bitmap_pages(const struct mext_dom *d)
{
    return (d->nbits / 8 + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE;
}

void mext_dom_dirty_off(struct mext_dom *d)
{
    xc_shadow_control(d->xch, d->domid, XEN_DOMCTL_SHADOW_OP_OFF, NULL, 0);
    d->logging = false;
}

void mext_dom_dirty_stop(struct mext_dom *d)
{
    if (d->logging)
        mext_dom_dirty_off(d);
    if (d->nbits)
        xc__hypercall_buffer_free_pages(d->xch, &d->bitmap,
                                        (int)bitmap_pages(d));
    d->nbits = 0;
}

void mext_dom_close(struct mext_dom *d)
{
    if (!d)
        return;
    mext_dom_dirty_stop(d);
    xc_interface_close(d->xch);
    free(d);
}

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *why)
{
    xc_domaininfo_t i;
    int r = xc_domain_getinfolist(d->xch, d->domid, 1, &i);

    if (r < 0)
        return xen_fail(d, why, "domain information");
    memset(s_r, 0, sizeof(*s_r));
    if (r != 1 || i.domain != d->domid)
        return 0;
    s_r->exists = true;
    s_r->dying = i.flags & XEN_DOMINF_dying;
    s_r->paused = i.flags & XEN_DOMINF_paused;
    s_r->shutdown = i.flags & XEN_DOMINF_shutdown;
    s_r->reason = (i.flags >> XEN_DOMINF_shutdownshift) &
                  XEN_DOMINF_shutdownmask;
    s_r->pages = i.tot_pages;
    s_r->vcpus = i.max_vcpu_id + 1;
    return 0;
}

int mext_dom_pause(struct mext_dom *d, struct mext_why *why)
{
    return xc_domain_pause(d->xch, d->domid) ? xen_fail(d, why, "pause") : 0;
}

int mext_dom_unpause(struct mext_dom *d, struct mext_why *why)
{
    return xc_domain_unpause(d->xch, d->domid) ? xen_fail(d, why, "unpause")
                                               : 0;
}

int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *why)
{
    xen_pfn_t g;

    if (xc_domain_maximum_gpfn(d->xch, d->domid, &g) < 0)
        return xen_fail(d, why, "reading the highest gfn");
    *gfn_r = g;
    return 0;
}

int mext_dom_present(struct mext_dom *d, const uint64_t *gfn, unsigned n,
                     uint8_t *present_r, struct mext_why *why)
{
    xen_pfn_t t[MEXT_PRESENT_MAX];

    for (unsigned i = 0; i < n; i++)
        t[i] = gfn[i];
    if (xc_get_pfn_type_batch(d->xch, d->domid, n, t))
        return xen_fail(d, why, "reading page types");
    for (unsigned i = 0; i < n; i++)
        present_r[i] = (t[i] & XEN_DOMCTL_PFINFO_LTAB_MASK) ==
                       XEN_DOMCTL_PFINFO_NOTAB;
    return 0;
}

int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *why)
{
    static const int params[MEXT_SPECIALS] = {
        HVM_PARAM_STORE_PFN,
        HVM_PARAM_CONSOLE_PFN,
        HVM_PARAM_IOREQ_PFN,
        HVM_PARAM_BUFIOREQ_PFN,
    };

    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        if (xc_hvm_param_get(d->xch, d->domid, (uint32_t)params[i], &gfn_r[i]))
            return xen_fail(d, why, "reading a parameter");
    return 0;
}

int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *why)
{
    DECLARE_HYPERCALL_BUFFER(uint64_t, bits);

    d->nbits = (n + 63) / 64 * 64;
    bits = xc_hypercall_buffer_alloc_pages(d->xch, bits, (int)bitmap_pages(d));
    if (!bits) {
        d->nbits = 0;
        return mext_fail(why, "out of memory for the dirty bitmap");
    }
    d->bitmap = *HYPERCALL_BUFFER(bits);
    if (xc_shadow_control(d->xch, d->domid,
                          XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, NULL, 0) < 0) {
        if (errno == EINVAL)
            mext_fail(why,
                      "the writes of domain %u are watched already: by another "
                      "migration or save of it; or one was killed, then \"xl "
                      "save -c %u FILE\" ends that",
                      d->domid, d->domid);
        else
            xen_fail(d, why, "log-dirty mode");
        mext_dom_dirty_stop(d);
        return -1;
    }
    d->logging = true;
    return 0;
}

static int read_dirty(struct mext_dom *d, unsigned op, unsigned mode,
                      struct mext_why *why)
{
    xc_shadow_op_stats_t stats = { 0, 0 };

    if (xc_logdirty_control(d->xch, d->domid, op, &d->bitmap, d->nbits, mode,
                            &stats) < 0)
        return xen_fail(d, why, "reading the dirty bitmap");
    return 0;
}

int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *why)
{
    if (read_dirty(d, XEN_DOMCTL_SHADOW_OP_CLEAN,
                   final ? XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL : 0, why))
        return -1;
    *bits_r = d->bitmap.hbuf;
    return 0;
}

int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *why)
{
    if (read_dirty(d, XEN_DOMCTL_SHADOW_OP_PEEK, 0, why))
        return -1;
    *bits_r = d->bitmap.hbuf;
    return 0;
}

int mext_dom_context_get(struct mext_dom *d, uint8_t **p_r, uint32_t *len_r,
                         struct mext_why *why)
{
    int n = xc_domain_hvm_getcontext(d->xch, d->domid, NULL, 0);
    uint8_t *p;

    if (n <= 0)
        return xen_fail(d, why, "size of the vCPU context");
    p = malloc((size_t)n);
    if (!p)
        return mext_fail(why, "out of memory");
    n = xc_domain_hvm_getcontext(d->xch, d->domid, p, (uint32_t)n);
    if (n <= 0) {
        free(p);
        return xen_fail(d, why, "reading the vCPU context");
    }
    *p_r = p;
    *len_r = (uint32_t)n;
    return 0;
}

int mext_dom_context_set(struct mext_dom *d, const uint8_t *p, uint32_t len,
                         unsigned vcpus, struct mext_why *why)
{
    /* A vCPU that blocked stays blocked unless it is reset first. */
    for (unsigned v = 0; v < vcpus; v++)
        if (xc_vcpu_setcontext(d->xch, d->domid, v, NULL))
            return xen_fail(d, why, "resetting a vCPU");
    if (xc_domain_hvm_setcontext(d->xch, d->domid, (uint8_t *)p, len))
        return xen_fail(d, why, "loading the vCPU context");
    return 0;
}

int mext_dom_tsc_get(struct mext_dom *d, struct mext_tsc *t_r,
                     struct mext_why *why)
{
    if (xc_domain_get_tsc_info(d->xch, d->domid, &t_r->mode, &t_r->nsec,
                               &t_r->khz, &t_r->incarnation))
        return xen_fail(d, why, "reading the TSC state");
    return 0;
}

int mext_dom_tsc_set(struct mext_dom *d, const struct mext_tsc *t,
                     struct mext_why *why)
{
    if (xc_domain_set_tsc_info(d->xch, d->domid, t->mode, t->nsec, t->khz,
                               t->incarnation))
        return xen_fail(d, why, "setting the TSC state");
    return 0;
}

/* ---- CPU policy ---- */

void mext_policy_free(struct mext_policy *p)
{
    free(p->leaves);
    free(p->msrs);
    memset(p, 0, sizeof(*p));
}

/* Xen's arrays -> wire form. */
static int policy_pack(const xen_cpuid_leaf_t *l, uint32_t nl,
                       const xen_msr_entry_t *m, uint32_t nm,
                       struct mext_policy *p)
{
    memset(p, 0, sizeof(*p));
    p->leaves = malloc(nl * 24u + 1);
    p->msrs = malloc(nm * 16u + 1);
    if (!p->leaves || !p->msrs) {
        mext_policy_free(p);
        return -1;
    }
    p->nleaves = nl;
    p->nmsrs = nm;
    for (uint32_t i = 0; i < nl; i++) {
        struct mext_leaf w = { l[i].leaf, l[i].subleaf, l[i].a,
                               l[i].b,    l[i].c,       l[i].d };
        mext_leaf_put(p->leaves, i, &w);
    }
    for (uint32_t i = 0; i < nm; i++) {
        struct mext_msr w = { m[i].idx, m[i].flags, m[i].val };
        mext_msr_put(p->msrs, i, &w);
    }
    return 0;
}

static int policy_pack_all(xc_interface *xch, const xc_cpu_policy_t *p,
                           struct mext_policy *p_r)
{
    uint32_t nl = 0, nm = 0;
    xen_cpuid_leaf_t *l;
    xen_msr_entry_t *m;
    int rc = -1;

    int version = xc_version(xch, XENVER_version, NULL);

    if (version < 0 || xc_cpu_policy_get_size(xch, &nl, &nm))
        return -1;
    l = calloc(nl, sizeof(*l));
    m = calloc(nm, sizeof(*m));
    if (l && m && !xc_cpu_policy_serialise(xch, p, l, &nl, m, &nm))
        rc = policy_pack(l, nl, m, nm, p_r);
    if (!rc)
        p_r->xen = (uint32_t)version;
    free(l);
    free(m);
    return rc;
}

int mext_dom_policy_get(struct mext_dom *d, struct mext_policy *p_r,
                        struct mext_why *why)
{
    xc_cpu_policy_t *p = xc_cpu_policy_init();
    int rc = -1;

    if (p && !xc_cpu_policy_get_domain(d->xch, d->domid, p))
        rc = policy_pack_all(d->xch, p, p_r);
    if (rc)
        xen_fail(d, why, "reading the CPU policy");
    xc_cpu_policy_destroy(p);
    return rc;
}

int mext_host_policy_get(bool pv, struct mext_policy *p_r, struct mext_why *why)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    xc_cpu_policy_t *p = xc_cpu_policy_init();
    int rc = -1;

    if (xch && p &&
        !xc_cpu_policy_get_system(xch,
                                  pv ? XEN_SYSCTL_cpu_policy_pv_max
                                     : XEN_SYSCTL_cpu_policy_hvm_max,
                                  p))
        rc = policy_pack_all(xch, p, p_r);
    if (rc)
        mext_fail(why, "reading this host's CPU policy: %s", strerror(errno));
    xc_cpu_policy_destroy(p);
    if (xch)
        xc_interface_close(xch);
    return rc;
}

int mext_dom_policy_set(struct mext_dom *d, uint32_t nleaves,
                        const uint8_t *leaves, uint32_t nmsrs,
                        const uint8_t *msrs, struct mext_why *why)
{
    xen_cpuid_leaf_t *l = calloc(nleaves + 1, sizeof(*l));
    xen_msr_entry_t *m = calloc(nmsrs + 1, sizeof(*m));
    uint32_t leaf = ~0u, sub = ~0u, msr = ~0u;
    int rc = -1;

    if (!l || !m) {
        mext_fail(why, "out of memory");
        goto out;
    }
    for (uint32_t i = 0; i < nleaves; i++) {
        struct mext_leaf w;

        mext_leaf_get(leaves, i, &w);
        l[i] = (xen_cpuid_leaf_t){ w.leaf, w.subleaf, w.a, w.b, w.c, w.d };
    }
    for (uint32_t i = 0; i < nmsrs; i++) {
        struct mext_msr w;

        mext_msr_get(msrs, i, &w);
        m[i].idx = w.idx;
        m[i].flags = w.flags;
        m[i].val = w.val;
    }
    rc = xc_set_domain_cpu_policy(d->xch, d->domid, nleaves, l, nmsrs, m, &leaf,
                                  &sub, &msr);
    if (rc)
        mext_fail(why,
                  "this host cannot give the guest's CPU features "
                  "(CPUID leaf 0x%x/0x%x, MSR 0x%x): %s",
                  leaf, sub, msr, strerror(errno));
out:
    free(l);
    free(m);
    return rc ? -1 : 0;
}

/* Leaves whose content a host or a vCPU sets by itself. */
static bool leaf_is_dynamic(const struct mext_leaf *l)
{
    return (l->leaf & 0xffffff00u) == 0x40000000u;
}

int mext_dom_policy_same(struct mext_dom *d, uint32_t nleaves,
                         const uint8_t *leaves, uint32_t nmsrs,
                         const uint8_t *msrs, struct mext_why *why)
{
    struct mext_policy own;
    int rc = 0;

    if (mext_dom_policy_get(d, &own, why))
        return -1;
    if (own.nleaves != nleaves || own.nmsrs != nmsrs)
        rc = mext_fail(why,
                       "the receiving domain has another CPU policy "
                       "(%u leaves, %u MSRs; the guest %u, %u)",
                       own.nleaves, own.nmsrs, nleaves, nmsrs);
    for (uint32_t i = 0; !rc && i < nleaves; i++) {
        struct mext_leaf a, b;

        mext_leaf_get(leaves, i, &a);
        mext_leaf_get(own.leaves, i, &b);
        if (!leaf_is_dynamic(&a) && memcmp(&a, &b, sizeof(a)))
            rc = mext_fail(why, "CPUID leaf 0x%x/0x%x differs", a.leaf,
                           a.subleaf);
    }
    for (uint32_t i = 0; !rc && i < nmsrs; i++) {
        struct mext_msr a, b;

        mext_msr_get(msrs, i, &a);
        mext_msr_get(own.msrs, i, &b);
        if (a.idx != b.idx || a.val != b.val)
            rc = mext_fail(why, "MSR 0x%x differs", a.idx);
    }
    mext_policy_free(&own);
    return rc;
}

int mext_dom_release(struct mext_dom *d, uint64_t gfn, uint32_t n,
                     struct mext_why *why)
{
    xen_pfn_t *g = calloc(n, sizeof(*g));
    int r;

    if (!g)
        return mext_fail(why, "out of memory");
    for (uint32_t i = 0; i < n; i++)
        g[i] = gfn + i;
    r = xc_domain_decrease_reservation(d->xch, d->domid, n, 0, g);
    free(g);
    if (r != (int)n)
        return mext_fail(why,
                         "only %d of mstrap's %u pages could be "
                         "released",
                         r, n);
    return 0;
}

/* Xen 4.17, common/page_alloc.c, domain_set_outstanding_pages. */
int mext_dom_claim(struct mext_dom *d, uint64_t pages, struct mext_why *why)
{
    if (!xc_domain_claim_pages(d->xch, d->domid, pages))
        return 0;
    if (errno == EINVAL)
        return 1;
    if (errno != ENOMEM)
        return xen_fail(d, why, "setting memory aside");
    return mext_fail(why, "%llu MiB needed, so much is not free here",
                     (unsigned long long)pages >> 8);
}

/* LIBXL_MAXMEM_CONSTANT, libxl_internal.h */
#define SLACK_KIB 1024

int mext_dom_grow(struct mext_dom *d, uint64_t ram_kib, unsigned vcpus,
                  struct mext_why *why)
{
    /* libxl__get_required_paging_memory, libxl_utils.c: in pages of 4 KiB */
    uint64_t pool = 256ull * vcpus + 2 * (ram_kib / 1024);

    if (xc_domain_setmaxmem(d->xch, d->domid, ram_kib + SLACK_KIB))
        return xen_fail(d, why, "raising the memory limit");
    if (xc_set_paging_mempool_size(d->xch, d->domid, pool * XC_PAGE_SIZE))
        return xen_fail(d, why, "enlarging the page-table pool");
    return 0;
}
