/* SPDX-License-Identifier: LGPL-2.1-only */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mext_text.h"
#include "xl_status_run.h"

#define ANSWER_MS 10000 /* for the answer to a command */

/* The one named, if a process minds it. */
static struct xl_seen *find_live(struct xl_run *r)
{
    struct xl_seen *m = xl_run_find(r);
    char todo[80];

    if (!m || m->alive)
        return m;
    xl_view_todo(m, todo);
    if (todo[0])
        fprintf(r->p->err, "xl: no process minds this migration any more: %s\n",
                todo);
    else
        fprintf(r->p->err, "xl: this migration has ended: %s\n",
                mext_noted_name(m->e.noted));
    return NULL;
}

struct talk {
    bool answered, ok, wait;       /* wait: for its end */
    struct mext_monitor_line line; /* the answer, then the last */
};

static bool talk_line(void *arg, const char *line, size_t n)
{
    struct talk *t = arg;
    struct mext_monitor_line l;
    struct mext_why why;

    if (mext_monitor_parse(line, n, &l, &why))
        return true;
    if (l.answer) {
        t->answered = true;
        t->ok = l.ok;
        t->line = l;
        return !l.ok || !t->wait;
    }
    if (l.last)
        t->line = l;
    return l.last;
}

static int say(struct xl_run *r, const struct xl_seen *m,
               const struct mext_command *c, unsigned timeout_ms,
               struct talk *t)
{
    char text[MEXT_MONITOR_LINE_MAX];
    struct mext_why why;

    mext_command_text(c, text);
    if (mext_steer_ask(r->p->sockets, m->e.id, m->e.side, text, timeout_ms,
                       talk_line, t, &why)) {
        fprintf(r->p->err, "xl: %s\n", why.text);
        return -1;
    }
    return 0;
}

/* Whether a migration with this last state left the guest at the source. */
static bool stays(const char *state)
{
    return !strcmp(state, mext_noted_name(MEXT_NOTED_KEPT)) ||
           !strcmp(state, mext_noted_name(MEXT_NOTED_ABORTED));
}

/* The process ended without a last line: what it noted. */
static void read_end(struct xl_run *r, const struct mext_entry *was,
                     struct mext_monitor_line *l)
{
    strcpy(l->state, "unknown");
    if (xl_run_read(r))
        return;
    for (size_t i = 0; i < r->n; i++) {
        const struct mext_entry *e = &r->seen[i].e;

        if (memcmp(e->id, was->id, MEXT_ID_LEN) || e->side != was->side)
            continue;
        snprintf(l->state, sizeof(l->state), "%s", mext_noted_name(e->noted));
        mext_show(e->text, strlen(e->text), l->text, sizeof(l->text));
    }
}

/* What became of it, after the answer "ok" or without one. */
static int cancel_end(struct xl_run *r, const struct xl_seen *m,
                      struct mext_monitor_line *l)
{
    bool kept;

    if (!l->last)
        read_end(r, &m->e, l);
    kept = stays(l->state);
    if (r->json)
        xl_view_cancel(r->p->out, m, kept, l);
    else
        fprintf(
            kept ? r->p->out : r->p->err, "%s%s: %s%s%s\n", kept ? "" : "xl: ",
            kept ? "cancelled, the guest stays where it was" : "not cancelled",
            l->state, l->text[0] ? ": " : "", l->text);
    return kept ? 0 : 1;
}

int xl_run_cancel(struct xl_run *r)
{
    static const struct mext_command c = { .word = MEXT_WORD_CANCEL };
    struct talk t = { .wait = true };
    struct xl_seen *found = find_live(r), m;

    if (!found)
        return 1;
    m = *found; /* seen may be read again */
    if (say(r, &m, &c, INT_MAX, &t))
        return 1;
    if (!t.answered || t.ok)
        return cancel_end(r, &m, &t.line);
    if (r->json)
        xl_view_cancel(r->p->out, &m, false, &t.line);
    else
        fprintf(r->p->err, "xl: not cancelled: %s\n", t.line.text);
    return 1;
}

/* One command and its answer. */
static int set(struct xl_run *r, const struct xl_seen *m, enum mext_word word,
               const struct mext_wishes *w)
{
    struct mext_command c = { word, *w };
    struct talk t = { 0 };

    if (say(r, m, &c, ANSWER_MS, &t))
        return 1;
    if (t.ok)
        return 0;
    fprintf(r->p->err, "xl: not set: %s\n",
            t.answered ? t.line.text : "the migration has ended");
    return 1;
}

int xl_run_set(struct xl_run *r)
{
    struct mext_wishes limits = r->wishes, now = { .switch_over = true };
    struct xl_seen *m = find_live(r);
    bool any;

    limits.switch_over = false;
    any = limits.downtime_ms || limits.iterations || limits.bytes_per_s ||
          limits.timeout_ms;
    if (!m || (any && set(r, m, MEXT_WORD_LIMITS, &limits)))
        return 1;
    return r->wishes.switch_over ? set(r, m, MEXT_WORD_SWITCH_OVER, &now) : 0;
}
