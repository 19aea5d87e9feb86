/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <yajl/yajl_tree.h>

#include "image_config.h"

#define KERNEL "/boot/guest"

static const char *string_at(yajl_val v, const char *a, const char *b)
{
    const char *path[] = { a, b, NULL };

    return YAJL_GET_STRING(yajl_tree_get(v, path, yajl_t_string));
}

static long long number_at(yajl_val v, const char *a, const char *b)
{
    const char *path[] = { a, b, NULL };
    yajl_val n = yajl_tree_get(v, path, yajl_t_number);

    return YAJL_IS_INTEGER(n) ? YAJL_GET_INTEGER(n) : 0;
}

int image_config_parse(const char *json, struct image_config *c_r)
{
    yajl_val v = yajl_tree_parse(json, NULL, 0);
    const char *name, *uuid, *type;
    size_t n = 0;
    int rc = -1;

    memset(c_r, 0, sizeof(*c_r));
    name = v ? string_at(v, "c_info", "name") : NULL;
    uuid = v ? string_at(v, "c_info", "uuid") : NULL;
    type = v ? string_at(v, "c_info", "type") : NULL;
    if (name && uuid && type && !strcmp(type, "pvh")) {
        snprintf(c_r->name, sizeof(c_r->name), "%s", name);
        sodium_hex2bin(c_r->uuid, sizeof(c_r->uuid), uuid, strlen(uuid), "-",
                       &n, NULL);
        c_r->kib = (uint64_t)number_at(v, "b_info", "max_memkb");
        c_r->vcpus = (unsigned)number_at(v, "b_info", "max_vcpus");
        c_r->vcpus += !c_r->vcpus;
        rc = n == sizeof(c_r->uuid) && c_r->kib ? 0 : -1;
    }
    yajl_tree_free(v);
    return rc;
}

void image_uuid_text(const uint8_t uuid[16], char out[37])
{
    char hex[33];

    sodium_bin2hex(hex, sizeof(hex), uuid, 16);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
}

void image_config_text(const struct image_config *c, char out[IMAGE_CONFIG_MAX])
{
    char uuid[37];

    image_uuid_text(c->uuid, uuid);
    snprintf(out, IMAGE_CONFIG_MAX,
             "{ \"c_info\": { \"type\": \"pvh\", \"name\": \"%s\", "
             "\"uuid\": \"%s\" }, \"b_info\": { \"max_vcpus\": %u, "
             "\"max_memkb\": %llu, \"target_memkb\": %llu, "
             "\"kernel\": \"" KERNEL "\" } }",
             c->name, uuid, c->vcpus, (unsigned long long)c->kib,
             (unsigned long long)c->kib);
}

uint32_t image_create(struct image_conn *c, const struct image_config *g,
                      const char *name, enum image_entry entry,
                      const char *kernel, const char *cmdline)
{
    struct image_domain d = { .max_kib = g->kib,
                              .vcpus = g->vcpus,
                              .entry = entry,
                              .tsc = { 0, 1000000, 1, 1 } };
    struct image_msg m = { .op = IMAGE_CREATE };
    struct image_config own = *g;

    memcpy(d.uuid, g->uuid, sizeof(d.uuid));
    snprintf(d.name, sizeof(d.name), "%s", name);
    snprintf(own.name, sizeof(own.name), "%s", name);
    snprintf(d.kernel, sizeof(d.kernel), "%s", kernel ? kernel : KERNEL);
    snprintf(d.cmdline, sizeof(d.cmdline), "%s", cmdline);
    memcpy(m.data, &d, sizeof(d));
    image_config_text(&own, (char *)m.data + sizeof(d));
    m.len = (uint32_t)(sizeof(d) + strlen((char *)m.data + sizeof(d)));
    return image_call(c, &m) ? 0 : m.domid;
}
