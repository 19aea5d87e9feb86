/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl migrate-stream convert: a first walk takes in what the guest is and names
 * what cannot be carried, a second writes, a third sees that the new file keeps
 * the rules.  What goes where: docs/specs/portability.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xl_stream_convert.h"

bool xl_convert_broken(void *arg, const struct stream_broken *b)
{
    const struct xl_convert *c = arg;

    xl_stream_say(c->x->err, c->x->name[0], b);
    return false;
}

/* Whether the operator's list, parted by commas, has it. */
static bool accepted(const char *list, const char *name)
{
    size_t n = strlen(name);

    while (list) {
        if (!strncmp(list, name, n) && (!list[n] || list[n] == ','))
            return true;
        list = strchr(list, ',');
        if (list)
            list++;
    }
    return false;
}

/* Without these there is no guest to go on with. */
static bool is_vital(const char *name)
{
    static const char *const vital[] = { "apic-id", "cr0",   "devices",
                                         "fpu",     "guest", "hvm-context",
                                         "machine", "pvh",   "segments",
                                         "size",    "vcpu",  "xbzrle" };

    for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++)
        if (!strcmp(vital[i], name))
            return true;
    return false;
}

static void put_json(struct xl_convert *c, const char *name, const char *why,
                     bool fine)
{
    yajl_gen_map_open(c->json);
    xl_json_text(c->json, "name", name);
    xl_json_text(c->json, "why", why);
    xl_json_key(c->json, "accepted");
    yajl_gen_bool(c->json, fine);
    yajl_gen_map_close(c->json);
}

void xl_convert_refuse(void *arg, const char *name, const char *why)
{
    struct xl_convert *c = arg;
    bool fine = accepted(c->x->accept, name) && !is_vital(name);

    if (c->json)
        put_json(c, name, why, fine);
    if (fine) {
        if (!c->json)
            fprintf(c->x->out, "accepted: %s: %s\n", name, why);
        return;
    }
    c->refused++;
    fprintf(c->x->err, "xl: %s: not carried: %s: %s\n", c->x->name[0], name,
            why);
}

void xl_convert_put(void *arg, const void *p, size_t n)
{
    struct xl_convert *c = arg;

    if (n && fwrite(p, 1, n, c->new) != n && !c->error)
        c->error = errno ? errno : EIO;
}

int xl_convert_begin(struct xl_convert *c)
{
    if (c->refused) {
        fprintf(c->x->err,
                "xl: %s: nothing was written; --accept NAME does without "
                "something\n",
                c->x->name[0]);
        return -1;
    }
    if (xl_file_rewind(c->x, &c->in))
        return -1;
    c->new = xl_new_open(c->x);
    return c->new ? 0 : -1;
}

int xl_convert_end(struct xl_convert *c, int rc)
{
    if (!rc && c->error) {
        fprintf(c->x->err, "xl: %s: %s\n", c->x->name[1], strerror(c->error));
        rc = -1;
    }
    return xl_new_close(c->x, c->new, rc);
}

static int convert(struct xl_convert *c)
{
    const struct xl_stream *x = c->x;
    int rc = -1;

    if (xl_file_open(x, x->name[0], &c->in))
        return -1;
    if (!xl_file_rewind(x, &c->in) && !xl_file_check(x, &c->in))
        rc = x->xen ? xl_stream_to_xen(c) : xl_stream_to_qemu(c);
    xl_file_close(&c->in);
    return rc;
}

/* What is said of how to go on is one text of it. */
static int convert_json(const struct xl_stream *x)
{
    struct xl_stream inner = *x;
    struct xl_convert c = { .x = &inner, .json = xl_json_open(x->out) };
    char *how = NULL;
    size_t n;
    int rc;

    inner.out = open_memstream(&how, &n);
    if (!c.json || !inner.out) {
        fprintf(x->err, "xl: %s\n", strerror(ENOMEM));
        return -1;
    }
    yajl_gen_map_open(c.json);
    xl_json_key(c.json, "not_carried");
    yajl_gen_array_open(c.json);
    rc = convert(&c);
    yajl_gen_array_close(c.json);
    xl_json_key(c.json, "written");
    yajl_gen_bool(c.json, !rc);
    fclose(inner.out);
    if (!rc)
        xl_json_text(c.json, "how", how);
    free(how);
    yajl_gen_map_close(c.json);
    xl_json_close(x->out, c.json);
    return rc;
}

int xl_stream_convert(const struct xl_stream *x)
{
    struct xl_convert c = { .x = x };

    return (x->json ? convert_json(x) : convert(&c)) ? 1 : 0;
}
