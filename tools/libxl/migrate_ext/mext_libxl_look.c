/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mext_libxl_priv.h"
#include "mext_wire.h"

#define DEFAULT_BRIDGE "xenbr0" /* libxl's, for a vif that names none */

/* Where libxl looks for it, as Debian builds it (QEMU_XEN_PATH); no API tells. */
#define DEVICE_MODEL "/usr/libexec/xen-qemu-system-i386"

struct look {
    mext_finding_fn *fn;
    void *arg;
};

static void tell(struct look *k, unsigned kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct look *k, unsigned kind, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    k->fn(k->arg, kind, text);
}

/* Of another domain, made by a script, or no file (rbd:…): nothing can be seen here. */
static void look_at_disk(struct look *k, const libxl_device_disk *d)
{
    const char *name = d->vdev ? d->vdev : "?";
    struct stat st;

    if (!d->pdev_path || !*d->pdev_path)
        return;
    if (d->backend_domname || d->backend_domid || d->script ||
        *d->pdev_path != '/')
        tell(k, MEXT_FINDING_NOTE, "disk %.20s: not looked at", name);
    else if (stat(d->pdev_path, &st))
        tell(k, MEXT_FINDING_OBSTACLE, "disk %.20s: %.200s is not here", name,
             d->pdev_path);
    else if (d->backend == LIBXL_DISK_BACKEND_PHY && !S_ISBLK(st.st_mode))
        tell(k, MEXT_FINDING_OBSTACLE,
             "disk %.20s: %.200s is no block device here", name, d->pdev_path);
    else
        tell(k, MEXT_FINDING_FINE, "disk %.20s: %.200s", name, d->pdev_path);
}

bool mext_lxl_bridge_here(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "/sys/class/net/%.32s/bridge", name);
    return !strchr(name, '/') && !access(path, F_OK);
}

static void look_at_nic(struct look *k, const libxl_device_nic *n)
{
    const char *bridge = n->bridge && *n->bridge ? n->bridge : DEFAULT_BRIDGE;

    if (n->backend_domname || n->backend_domid ||
        (n->script && strcmp(n->script, "vif-bridge") &&
         !strstr(n->script, "/vif-bridge"))) {
        tell(k, MEXT_FINDING_NOTE, "vif %d: not looked at", n->devid);
        return;
    }
    if (!mext_lxl_bridge_here(bridge))
        tell(k, MEXT_FINDING_OBSTACLE, "vif %d: there is no bridge %.32s here",
             n->devid, bridge);
    else
        tell(k, MEXT_FINDING_FINE, "vif %d: bridge %.32s", n->devid, bridge);
}

static void look_at_devices(struct look *k, const libxl_domain_config *c)
{
    for (int i = 0; i < c->num_disks; i++)
        look_at_disk(k, &c->disks[i]);
    for (int i = 0; i < c->num_nics; i++)
        look_at_nic(k, &c->nics[i]);
}

static void first_obstacle(void *arg, unsigned kind, const char *text)
{
    struct mext_why *why = arg;

    if (kind == MEXT_FINDING_OBSTACLE && !*why->text)
        mext_fail(why, "%s", text);
}

int mext_lxl_devices_here(const libxl_domain_config *c, struct mext_why *why)
{
    struct look k = { first_obstacle, why };

    why->text[0] = 0;
    look_at_devices(&k, c);
    return *why->text ? -1 : 0;
}

bool mext_lxl_device_model(char out[128])
{
    FILE *f = access(DEVICE_MODEL, X_OK)
                  ? NULL
                  : popen("exec " DEVICE_MODEL " --version 2>/dev/null", "re");
    bool said = f && fgets(out, 128, f);

    if (said)
        out[strcspn(out, "\n")] = 0;
    while (f && getc(f) != EOF)
        ;
    if (f)
        pclose(f);
    return said;
}

/* Another QEMU takes what an older one wrote, seldom the other way round. */
static void look_at_model(struct look *k, const libxl_domain_config *c)
{
    char version[128];

    if (c->c_info.type != LIBXL_DOMAIN_TYPE_HVM)
        return;
    if (mext_lxl_device_model(version))
        tell(k, MEXT_FINDING_FINE, "device model: %s", version);
    else
        tell(k, MEXT_FINDING_OBSTACLE,
             "there is no device model here, %s (qemu-system-xen)",
             DEVICE_MODEL);
}

/* Only what the guest's next start needs. */
static void look_at_file(struct look *k, const char *what, const char *path)
{
    if (path && *path && access(path, R_OK))
        tell(k, MEXT_FINDING_NOTE,
             "%s %.200s is not here: the guest could not be started again when "
             "it reboots",
             what, path);
}

static void look_at(struct look *k, struct mext_lxl *l, libxl_domain_config *c,
                    const struct mext_launch *how)
{
    struct mext_why why;

    if (mext_lxl_config_check(c, how, &why))
        tell(k, MEXT_FINDING_OBSTACLE, "%s", why.text);
    if (mext_lxl_name_check(l, c, &why))
        tell(k, MEXT_FINDING_OBSTACLE, "%s", why.text);
    else
        tell(k, MEXT_FINDING_FINE, "the name \"%.64s\" is free",
             c->c_info.name);
    if (mext_lxl_memory_check(l, c, &why))
        tell(k, MEXT_FINDING_OBSTACLE, "memory: %s", why.text);
    else
        tell(k, MEXT_FINDING_FINE, "memory: %llu MiB of RAM can be had",
             (unsigned long long)how->memory_kib >> 10);
    look_at_devices(k, c);
    look_at_model(k, c);
    look_at_file(k, "kernel", c->b_info.kernel);
    look_at_file(k, "ramdisk", c->b_info.ramdisk);
}

void mext_lxl_look(struct mext_lxl *l, const struct mext_launch *how,
                   mext_finding_fn *fn, void *arg)
{
    struct look k = { fn, arg };
    libxl_domain_config c;

    libxl_domain_config_init(&c);
    if (libxl_domain_config_from_json(l->ctx, &c, how->json))
        tell(&k, MEXT_FINDING_OBSTACLE,
             "libxl of this host does not understand the configuration");
    else
        look_at(&k, l, &c, how);
    libxl_domain_config_dispose(&c);
}
