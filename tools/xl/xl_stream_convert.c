/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl migrate-stream convert: a first walk takes in what the guest is and names
 * what cannot be carried, a second writes, a third sees that the new file keeps
 * the rules.  What goes where: docs/specs/portability.md.
 */
#include <errno.h>
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

void xl_convert_refuse(void *arg, const char *name, const char *why)
{
    struct xl_convert *c = arg;

    if (accepted(c->x->accept, name) && !is_vital(name)) {
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

int xl_stream_convert(const struct xl_stream *x)
{
    struct xl_convert c = { .x = x };
    int rc = -1;

    if (xl_file_open(x, x->name[0], &c.in))
        return 1;
    if (!xl_file_rewind(x, &c.in) && !xl_file_check(x, &c.in))
        rc = x->xen ? xl_stream_to_xen(&c) : xl_stream_to_qemu(&c);
    xl_file_close(&c.in);
    return rc ? 1 : 0;
}
