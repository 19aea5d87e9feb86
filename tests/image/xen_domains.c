/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image_config.h"
#include "mext_xen.h"
#include "mstrap.h"
#include "xen.h"


struct domain {
    struct domain *next;
    struct image_domain pub;
    pid_t pid;              /* what runs in it, 0: nothing */
    struct client *stopped; /* the guest's, until it is resumed */
    char config[IMAGE_CONFIG_MAX];
    uint32_t config_len, context_len;
    uint8_t context[IMAGE_DATA_MAX];
};

static struct domain *domains; /* by number */
static uint32_t last_domid;

static struct domain *find(uint32_t domid)
{
    for (struct domain *d = domains; d; d = d->next)
        if (d->pub.domid == domid)
            return d;
    return NULL;
}

/* ---- what runs in it ---- */

static void become(const struct domain *d)
{
    char path[4096], domid[16];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
    char *slash;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (n <= 0)
        _exit(127);
    path[n] = 0;
    slash = strrchr(path, '/');
    strcpy(slash + 1,
           d->pub.entry == IMAGE_ENTRY_MSTRAP ? "image-mstrap" : "image-guest");
    snprintf(domid, sizeof(domid), "%u", d->pub.domid);
    execl(path, slash + 1, domid, world_dir, NULL);
    _exit(127);
}

/* Until it has stopped, or ended. */
static void signal_process(struct domain *d, int sig)
{
    int status = 0;

    kill(d->pid, sig);
    while (waitpid(d->pid, &status, WUNTRACED) < 0 && errno == EINTR)
        continue;
    if (!WIFSTOPPED(status))
        d->pid = 0;
}

static int pause_it(struct domain *d)
{
    if (d->pid && !d->pub.paused)
        signal_process(d, SIGSTOP);
    d->pub.paused = true;
    return 0;
}

/* mstrap's network goes first: who dies says no farewell on it. */
static void kill_process(struct domain *d)
{
    pause_it(d);
    if (d->pub.entry == IMAGE_ENTRY_MSTRAP)
        image_address(d->pub.domid, 0, false);
    if (d->pid)
        signal_process(d, SIGKILL);
    d->stopped = NULL;
}

static int unpause(struct domain *d)
{
    if (!d->pub.paused)
        return -1;
    d->pub.paused = false;
    if (d->pid) {
        kill(d->pid, SIGCONT);
        return 0;
    }
    d->pid = fork();
    if (d->pid == 0)
        become(d);
    return d->pid < 0 ? -1 : 0;
}

static void stop(struct domain *d, unsigned reason)
{
    d->pub.shutdown = true;
    d->pub.reason = (uint8_t)reason;
    clients_fire("@releaseDomain");
}

void domains_reap(pid_t pid)
{
    for (struct domain *d = domains; d; d = d->next)
        if (d->pid == pid) {
            d->pid = 0;
            if (!d->pub.shutdown)
                stop(d, MEXT_SHUTDOWN_CRASH);
        }
}

void domains_forget(const struct client *c)
{
    for (struct domain *d = domains; d; d = d->next)
        if (d->stopped == c)
            d->stopped = NULL;
}

static int resume(struct domain *d)
{
    struct image_msg m = { .op = IMAGE_STOP };

    if (!d->pub.shutdown || d->pub.reason != MEXT_SHUTDOWN_SUSPEND)
        return -1;
    d->pub.shutdown = false;
    d->pub.resumed = true;
    if (d->stopped)
        client_answer(d->stopped, &m);
    d->stopped = NULL;
    return 0;
}

/* ---- its life ---- */

static void node(const struct domain *d, const char *name, const char *value)
{
    char path[IMAGE_PATH_MAX];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", d->pub.domid, name);
    store_print(path, value);
}

static const char *vm_path(const struct domain *d, char path[IMAGE_PATH_MAX])
{
    strcpy(path, "/vm/");
    image_uuid_text(d->pub.uuid, path + 4);
    return path;
}

/* /vm comes last: whoever waits for it finds the name. */
static void make_nodes(const struct domain *d)
{
    char text[64], path[IMAGE_PATH_MAX];

    node(d, "name", d->pub.name);
    node(d, "vm", vm_path(d, path));
    snprintf(text, sizeof(text), "%llu", (unsigned long long)d->pub.max_kib);
    node(d, "memory/target", text);
    node(d, "memory/static-max", text);
    node(d, "control/shutdown", "");
    store_print(vm_path(d, path), "");
    if (d->pub.entry == IMAGE_ENTRY_GUEST)
        return;
    node(d, "device/vif/0/state", "4");
    snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u/0/state",
             d->pub.domid);
    store_print(path, "4");
}

static int make_memory(const struct domain *d)
{
    struct image_ram r;

    if (d->pub.max_kib / 4 > IMAGE_SPECIAL_GFN - 0x1000 ||
        image_ram_open(d->pub.domid, true, &r))
        return -1;
    image_bits_put(r.present, 0, d->pub.max_kib / 4, true);
    image_bits_put(r.present, IMAGE_SPECIAL_GFN, IMAGE_SPECIALS, true);
    if (d->pub.entry == IMAGE_ENTRY_MSTRAP)
        image_bits_put(r.present, MS_OWN_GFN, IMAGE_OWN_PAGES, true);
    image_ram_close(&r);
    return 0;
}

static int set_config(struct domain *d, const uint8_t *p, uint32_t len)
{
    if (len >= sizeof(d->config))
        return -1;
    memcpy(d->config, p, len);
    d->config_len = len;
    return 0;
}

static int create(struct image_msg *m)
{
    struct domain *d = calloc(1, sizeof(*d)), **end = &domains;

    if (!d || m->len < sizeof(d->pub) ||
        set_config(d, m->data + sizeof(d->pub),
                   m->len - (uint32_t)sizeof(d->pub)))
        goto fail;
    memcpy(&d->pub, m->data, sizeof(d->pub));
    d->pub.domid = ++last_domid;
    d->pub.paused = true;
    if (make_memory(d))
        goto fail;
    while (*end)
        end = &(*end)->next;
    *end = d;
    make_nodes(d);
    clients_fire("@introduceDomain");
    m->domid = d->pub.domid;
    return 0;
fail:
    free(d);
    return -1;
}

static int destroy(struct domain *d)
{
    struct domain **at = &domains;
    char path[IMAGE_PATH_MAX];

    kill_process(d);
    image_ram_remove(d->pub.domid);
    snprintf(path, sizeof(path), "/local/domain/%u", d->pub.domid);
    store_remove(path);
    store_remove(vm_path(d, path));
    snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u",
             d->pub.domid);
    store_remove(path);
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    free(d);
    clients_fire("@releaseDomain");
    return 0;
}

static int rename_it(struct domain *d, const char *name)
{
    for (struct domain *o = domains; o; o = o->next)
        if (o != d && !strcmp(o->pub.name, name))
            return -1;
    snprintf(d->pub.name, sizeof(d->pub.name), "%s", name);
    node(d, "name", name);
    return 0;
}

/* ---- its insides ---- */

static int log_dirty(struct domain *d, bool on)
{
    struct image_ram r;

    if (image_ram_open(d->pub.domid, false, &r))
        return -1;
    if (on) {
        memset(r.fresh, 0, IMAGE_GFNS / 8);
        memset(r.dirty, 0, IMAGE_GFNS / 8);
    }
    image_ram_close(&r);
    d->pub.logging = on;
    return 0;
}

static int release(struct domain *d, uint64_t gfn, uint64_t n)
{
    struct image_ram r;

    if (gfn + n > IMAGE_GFNS || image_ram_open(d->pub.domid, false, &r))
        return -1;
    image_bits_put(r.present, gfn, n, false);
    image_ram_close(&r);
    return 0;
}

static int keep_context(struct domain *d, const struct image_msg *m)
{
    memcpy(d->context, m->data, m->len);
    d->context_len = m->len;
    return 0;
}

/* The vCPUs are the guest's: mstrap is no more. */
static int set_context(struct domain *d, const struct image_msg *m)
{
    if (!d->pub.paused)
        return -1;
    kill_process(d);
    d->pub.entry = IMAGE_ENTRY_GUEST;
    return keep_context(d, m);
}

static int get(struct image_msg *m, const void *p, size_t len)
{
    memcpy(m->data, p, len);
    m->len = (uint32_t)len;
    return 0;
}

static int next(struct image_msg *m)
{
    for (struct domain *d = domains; d; d = d->next)
        if (d->pub.domid > m->domid)
            return get(m, &d->pub, sizeof(d->pub));
    return -1;
}

/* A call about domain d. */
static int about(struct domain *d, struct image_msg *m)
{
    switch (m->op) {
    case IMAGE_DESTROY:
        return destroy(d);
    case IMAGE_INFO:
        return get(m, &d->pub, sizeof(d->pub));
    case IMAGE_RENAME:
        return rename_it(d, m->path);
    case IMAGE_CONFIG_GET:
        return get(m, d->config, d->config_len);
    case IMAGE_CONFIG_SET:
        return set_config(d, m->data, m->len);
    case IMAGE_PAUSE:
        return pause_it(d);
    case IMAGE_UNPAUSE:
        return unpause(d);
    case IMAGE_RESUME:
        return resume(d);
    case IMAGE_LOG:
        return log_dirty(d, m->a);
    case IMAGE_CONTEXT_GET:
        return get(m, d->context, d->context_len);
    case IMAGE_CONTEXT_SET:
        return set_context(d, m);
    case IMAGE_TSC_SET:
        memcpy(&d->pub.tsc, m->data, sizeof(d->pub.tsc));
        return 0;
    case IMAGE_RELEASE:
        return release(d, m->a, m->b);
    default:
        return -1;
    }
}

bool domains_call(struct client *c, struct image_msg *m)
{
    struct domain *d = find(m->domid);

    if (m->op == IMAGE_CREATE || m->op == IMAGE_NEXT) {
        m->rc = m->op == IMAGE_CREATE ? create(m) : next(m);
        m->len = m->op == IMAGE_CREATE ? 0 : m->len;
        return true;
    }
    if (d && m->op == IMAGE_STOP) {
        d->stopped = c;
        keep_context(d, m);
        stop(d, (unsigned)m->a);
        return false;
    }
    m->rc = d ? about(d, m) : -1;
    return true;
}
