/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_libxl.h over the image back-end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "image_config.h"
#include "mext_libxl.h"
#include "mext_net.h"
#include "mext_xen.h"

struct mext_lxl {
    struct image_conn *conn;
};

int mext_lxl_open(unsigned verbosity, struct mext_lxl **l_r,
                  struct mext_why *why)
{
    struct mext_lxl *l = calloc(1, sizeof(*l));

    if (l)
        l->conn = image_open(NULL);
    if (!l || !l->conn) {
        free(l);
        return mext_fail(why, "cannot initialise libxl");
    }
    *l_r = l;
    return 0;
}

void mext_lxl_close(struct mext_lxl *l)
{
    if (!l)
        return;
    image_close(l->conn);
    free(l);
}

/* The domain of that name; 0: none. */
static uint32_t by_name(struct mext_lxl *l, const char *name)
{
    struct image_domain d = { 0 };

    while (image_next(l->conn, d.domid, &d))
        if (!strcmp(d.name, name))
            return d.domid;
    return 0;
}

int mext_lxl_find(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                  struct mext_why *why)
{
    struct image_domain d;
    char *end;

    *domid_r = (uint32_t)strtoul(name, &end, 10);
    if (*end || image_info(l->conn, *domid_r, &d))
        *domid_r = by_name(l, name);
    if (!*domid_r)
        return mext_fail(why, "there is no domain \"%.64s\"", name);
    return 0;
}

static int config_of(struct mext_lxl *l, uint32_t domid,
                     struct image_config *g_r, char text[IMAGE_CONFIG_MAX])
{
    struct image_msg m = { .op = IMAGE_CONFIG_GET, .domid = domid };

    if (image_call(l->conn, &m) || m.len >= IMAGE_CONFIG_MAX)
        return -1;
    memcpy(text, m.data, m.len);
    text[m.len] = 0;
    return image_config_parse(text, g_r);
}

int mext_lxl_guest(struct mext_lxl *l, uint32_t domid, struct mext_guest *g_r,
                   struct mext_why *why)
{
    char text[IMAGE_CONFIG_MAX];
    struct image_config c;
    struct image_domain d;

    memset(g_r, 0, sizeof(*g_r));
    if (image_info(l->conn, domid, &d) || config_of(l, domid, &c, text))
        return mext_fail(why, "the configuration of domain %u is not known",
                         domid);
    *g_r = (struct mext_guest){ .name = strdup(d.name),
                                .json = strdup(text),
                                .type = "pvh",
                                .max_kib = c.kib,
                                .target_kib = c.kib,
                                .vcpus = c.vcpus,
                                .live = true };
    return 0;
}

void mext_guest_free(struct mext_guest *g)
{
    free(g->name);
    free(g->json);
    memset(g, 0, sizeof(*g));
}

int mext_lxl_canonical(struct mext_lxl *l, char **json, struct mext_why *why)
{
    char text[IMAGE_CONFIG_MAX];
    struct image_config c;

    if (image_config_parse(*json, &c))
        return mext_fail(why, "libxl of this host does not understand it");
    image_config_text(&c, text);
    free(*json);
    *json = strdup(text);
    return 0;
}

int mext_lxl_now(struct mext_lxl *l, uint32_t domid,
                 struct mext_domain_now *n_r)
{
    struct image_domain d;

    if (image_info(l->conn, domid, &d))
        return 1;
    memcpy(n_r->uuid, d.uuid, sizeof(n_r->uuid));
    n_r->paused = d.paused;
    n_r->suspended = d.shutdown && d.reason == MEXT_SHUTDOWN_SUSPEND;
    memcpy(n_r->name, d.name, sizeof(n_r->name));
    return 0;
}

int mext_lxl_resume(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    if (image_do(l->conn, IMAGE_RESUME, domid))
        return mext_fail(why, "domain %u could not be resumed", domid);
    return 0;
}

int mext_lxl_rename(struct mext_lxl *l, uint32_t domid, const char *name,
                    struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_RENAME, .domid = domid };

    snprintf(m.path, sizeof(m.path), "%s", name);
    if (image_call(l->conn, &m))
        return mext_fail(why, "domain %u cannot be named \"%.64s\"", domid,
                         name);
    return 0;
}

int mext_lxl_destroy(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    if (image_do(l->conn, IMAGE_DESTROY, domid))
        return mext_fail(why, "domain %u could not be destroyed", domid);
    return 0;
}

/* These domains have no devices to change. */
int mext_lxl_unchanged(struct mext_lxl *l, uint32_t domid, const char *json,
                       struct mext_why *why)
{
    return 0;
}

int mext_lxl_cap(struct mext_lxl *l, uint32_t domid, unsigned *cap_r,
                 struct mext_why *why)
{
    return mext_fail(why, "guests of images cannot be slowed down");
}

int mext_lxl_set_cap(struct mext_lxl *l, uint32_t domid, unsigned cap,
                     struct mext_why *why)
{
    return mext_fail(why, "guests of images cannot be slowed down");
}

/* ---- destination ---- */

/* The guest keeps its uuid unless it comes from this very host. */
static void choose_uuid(struct mext_lxl *l, struct image_config *c)
{
    struct image_domain d = { 0 };

    while (image_next(l->conn, d.domid, &d))
        if (!memcmp(d.uuid, c->uuid, sizeof(d.uuid))) {
            randombytes_buf(c->uuid, sizeof(c->uuid));
            return;
        }
}

static bool name_taken(struct mext_lxl *l, const struct image_config *c)
{
    uint32_t domid = by_name(l, c->name);
    struct image_domain d;

    return domid && !image_info(l->conn, domid, &d) &&
           memcmp(d.uuid, c->uuid, sizeof(d.uuid)) != 0;
}

/* The configuration, with the uuid that the domain will have. */
static int config_check(struct mext_lxl *l, const struct mext_launch *how,
                        struct image_config *c_r, unsigned *code_r,
                        struct mext_why *why)
{
    *code_r = MEXT_E_CONFIG;
    if (image_config_parse(how->json, c_r) || c_r->kib != how->memory_kib ||
        c_r->vcpus != how->vcpus)
        return mext_fail(why, "memory or vCPUs are not those of the token");
    *code_r = MEXT_E_NAME;
    if (name_taken(l, c_r))
        return mext_fail(why, "a domain named \"%.64s\" is here already",
                         c_r->name);
    *code_r = MEXT_E_CREATE;
    choose_uuid(l, c_r);
    return 0;
}

int mext_lxl_launch(struct mext_lxl *l, const struct mext_launch *how,
                    struct mext_launched *r_r, unsigned *code_r,
                    struct mext_why *why)
{
    char name[IMAGE_NAME_MAX];
    struct image_config c;
    uint32_t domid;

    if (config_check(l, how, &c, code_r, why))
        return -1;
    snprintf(name, sizeof(name), "%s" MEXT_INCOMING_SUFFIX, c.name);
    domid = image_create(l->conn, &c, name, IMAGE_ENTRY_MSTRAP, how->image,
                         how->cmdline);
    if (!domid)
        return mext_fail(why, "libxl could not build it");
    *r_r = (struct mext_launched){ .domid = domid, .name = strdup(c.name) };
    memcpy(r_r->uuid, c.uuid, sizeof(r_r->uuid));
    return 0;
}

int mext_lxl_adopt(struct mext_lxl *l, uint32_t domid,
                   const struct mext_launch *how, struct mext_launched *r_r,
                   unsigned *code_r, struct mext_why *why)
{
    *code_r = MEXT_E_CREATE;
    return mext_fail(why, "no image is started by hand");
}

int mext_lxl_launch_bare(struct mext_lxl *l, const char *name,
                         const struct mext_launch *how, uint32_t *domid_r,
                         unsigned *code_r, struct mext_why *why)
{
    *code_r = MEXT_E_CREATE;
    return mext_fail(why, "no image is started by hand");
}

int mext_lxl_vifs_replace(struct mext_lxl *l, uint32_t domid, int old,
                          const char *json, struct mext_why *why)
{
    return 0;
}

char *mext_lxl_kernel(struct mext_lxl *l, uint32_t domid)
{
    struct image_domain d;

    return image_info(l->conn, domid, &d) ? NULL : strdup(d.kernel);
}

uint32_t mext_lxl_each(struct mext_lxl *l, mext_domain_fn *fn, void *arg)
{
    struct image_domain d = { 0 };

    while (image_next(l->conn, d.domid, &d))
        if (fn(arg, d.domid))
            return d.domid;
    return 0;
}

int mext_lxl_settle(struct mext_lxl *l, uint32_t domid, const char *json,
                    const char *name, struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_CONFIG_SET, .domid = domid };
    struct image_config c;
    struct image_domain d;

    if (image_config_parse(json, &c) || image_info(l->conn, domid, &d))
        return mext_fail(why, "the domain's configuration cannot be stored");
    memcpy(c.uuid, d.uuid, sizeof(c.uuid));
    snprintf(c.name, sizeof(c.name), "%s", name);
    image_config_text(&c, (char *)m.data);
    m.len = (uint32_t)strlen((char *)m.data);
    if (image_call(l->conn, &m))
        return mext_fail(why, "the domain's configuration cannot be stored");
    return 0;
}

/* No guest here has a network card of its own. */
void mext_lxl_vifs_strip(struct mext_lxl *l, uint32_t domid)
{
    struct image_msg m = { .op = IMAGE_REMOVE };

    snprintf(m.path, sizeof(m.path), "/local/domain/0/backend/vif/%u", domid);
    image_call(l->conn, &m);
}

/* ---- a guest that stops ---- */

/* All of them are destroyed when they stop by themselves. */
int mext_lxl_mind(struct mext_lxl *l, uint32_t domid, unsigned wait_s,
                  const struct mext_minding *how)
{
    struct image_domain d;
    char token[16];

    if (image_watch(l->conn, "@releaseDomain", "stop"))
        return -1;
    while (!image_info(l->conn, domid, &d)) {
        int fd = image_fd(l->conn);
        struct mext_why quiet;

        if (d.shutdown && d.reason != MEXT_SHUTDOWN_SUSPEND) {
            image_do(l->conn, IMAGE_DESTROY, domid);
            how->note(how->arg, "guest stopped and was destroyed");
            return 0;
        }
        if (!image_event(l->conn, token, sizeof(token)))
            mext_net_wait(&fd, 1, 60000, &quiet);
    }
    return 0;
}

/* So none is ever to be made anew. */
int mext_lxl_anew(struct mext_lxl *l, const char *json,
                  const struct mext_minding *how, uint32_t *domid_r)
{
    *domid_r = 0;
    return 0;
}

int mext_lxl_named(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                   struct mext_why *why)
{
    return !mext_lxl_find(l, name, domid_r, why);
}

int mext_lxl_unpause(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    struct mext_dom *d;
    int rc;

    if (mext_dom_open(domid, &d, why))
        return -1;
    rc = mext_dom_unpause(d, why);
    mext_dom_close(d);
    return rc;
}

/* ---- guests that come as a stock stream ---- */

int mext_lxl_restore_check(struct mext_lxl *l, const struct mext_launch *how,
                           struct mext_launched *r_r, unsigned *code_r,
                           struct mext_why *why)
{
    struct image_config c;

    if (config_check(l, how, &c, code_r, why))
        return -1;
    *r_r = (struct mext_launched){ .name = strdup(c.name) };
    memcpy(r_r->uuid, c.uuid, sizeof(r_r->uuid));
    return 0;
}

int mext_lxl_restore(struct mext_lxl *l, const char *json,
                     const uint8_t uuid[16], int fd, uint32_t *domid_r,
                     struct mext_why *why)
{
    char name[IMAGE_NAME_MAX];
    struct image_config c;

    if (image_config_parse(json, &c))
        return mext_fail(why, "libxl of this host does not understand it");
    memcpy(c.uuid, uuid, sizeof(c.uuid));
    snprintf(name, sizeof(name), "%s" MEXT_INCOMING_SUFFIX, c.name);
    *domid_r = image_create(l->conn, &c, name, IMAGE_ENTRY_GUEST, NULL, "");
    if (*domid_r && !image_restore(l->conn, *domid_r, fd))
        return 0;
    if (*domid_r)
        image_do(l->conn, IMAGE_DESTROY, *domid_r);
    return mext_fail(why, "libxl could not restore it");
}

/* Images are on any host. */
void mext_lxl_facts(struct mext_lxl *l, char out[128])
{
    snprintf(out, 128, "a host of images");
}

bool mext_lxl_bridge_here(const char *name)
{
    return true;
}

bool mext_lxl_device_model(char out[128])
{
    return false;
}

void mext_lxl_look(struct mext_lxl *l, const struct mext_launch *how,
                   mext_finding_fn *fn, void *arg)
{
    fn(arg, MEXT_FINDING_FINE, "an image");
}
