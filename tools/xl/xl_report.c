/* SPDX-License-Identifier: LGPL-2.1-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <yajl/yajl_gen.h>

#include "xl_report.h"

/* At most so often a progress figure, ms; in a log less often. */
#define TERMINAL_MS 200
#define LOG_MS      5000

static struct {
    bool terminal, quiet, open; /* open: a moving line is on screen */
    uint64_t shown;             /* ms */
} view;

static void end_line(void)
{
    if (view.open)
        fputs("\r\033[K", stderr);
    view.open = false;
}

static void on_step(void *arg, const char *text)
{
    if (view.quiet)
        return;
    end_line();
    fprintf(stderr, "source: %s\n", text);
    view.shown = mext_now_ms();
}

static void on_progress(void *arg, const struct mext_progress *p)
{
    uint64_t now = mext_now_ms();

    if (view.quiet || now - view.shown < (view.terminal ? TERMINAL_MS : LOG_MS))
        return;
    view.shown = now;
    fprintf(stderr,
            "%ssource: iteration %u: %" PRIu64 " pages, %" PRIu64
            " MiB sent, %" PRIu64 " pages/s%s",
            view.terminal ? "\r\033[K" : "", p->iteration, p->sent,
            p->wire_bytes >> 20, p->rate, view.terminal ? "" : "\n");
    view.open = view.terminal;
}

void xl_report_events(struct mext_events *ev_r, bool quiet)
{
    view.terminal = isatty(STDERR_FILENO);
    view.quiet = quiet;
    view.shown = mext_now_ms();
    *ev_r = (struct mext_events){ .step = on_step, .progress = on_progress };
}

void xl_report_log(void)
{
    end_line();
    view.terminal = false;
}

/* ---- result ---- */

static const char *const outcomes[] = {
    [MEXT_DONE] = "done",
    [MEXT_KEPT] = "kept",
    [MEXT_UNKNOWN] = "unknown",
};

static void put_text(yajl_gen g, const char *key, const char *value)
{
    yajl_gen_string(g, (const unsigned char *)key, strlen(key));
    yajl_gen_string(g, (const unsigned char *)value, strlen(value));
}

static void put_help(yajl_gen g, unsigned helped)
{
    static const struct {
        unsigned bit;
        const char *name;
    } helps[] = {
        { MEXT_HELPED_TRIM, "trim" },
        { MEXT_HELPED_FREE, "free" },
        { MEXT_HELPED_QUIESCE, "quiesce" },
        { MEXT_HELPED_CALM, "calm" },
    };

    yajl_gen_string(g, (const unsigned char *)"help", 4);
    yajl_gen_array_open(g);
    for (unsigned i = 0; i < sizeof(helps) / sizeof(helps[0]); i++)
        if (helped & helps[i].bit)
            yajl_gen_string(g, (const unsigned char *)helps[i].name,
                            strlen(helps[i].name));
    yajl_gen_array_close(g);
}

static void print_json(enum mext_outcome o, const struct mext_report *r,
                       const struct mext_why *why,
                       const struct mext_request *rq)
{
    const struct {
        const char *key;
        uint64_t value;
    } figures[] = {
        { "destination_domid", r->domid },
        { "iterations", r->iterations },
        { "wire_bytes", r->wire_bytes },
        { "data_pages", r->data_pages },
        { "zero_pages", r->zero_pages },
        { "absent_pages", r->absent_pages },
        { "packed_pages", r->packed_pages },
        { "zstd_pages", r->zstd_pages },
        { "delta_pages", r->delta_pages },
        { "last_pages", r->last_pages },
        { "foreseen_pages", r->foreseen_pages },
        { "free_pages", r->free_pages },
        { "trimmed_kib", r->trimmed_kib },
        { "guest_stopped_ms", r->stopped_ms },
        { "total_us", r->total_us },
        { "setup_us", r->setup_us },
        { "precopy_us", r->precopy_us },
        { "downtime_us", r->downtime_us },
        { "suspend_us", r->suspend_us },
        { "last_us", r->last_us },
        { "foreseen_us", r->foreseen_us },
        { "tidy_us", r->tidy_us },
        { "tidy_own_us", r->tidy_own_us },
        { "prepare_us", r->prepare_us },
        { "commit_us", r->commit_us },
        { "handover_us", r->handover_us },
    };
    yajl_gen g = yajl_gen_alloc(NULL);
    const unsigned char *text;
    size_t len;

    yajl_gen_config(g, yajl_gen_beautify, 1);
    yajl_gen_map_open(g);
    put_text(g, "result", outcomes[o]);
    put_text(g, "id", r->id);
    put_text(g, "domain", rq->domain);
    put_text(g, "destination", rq->host);
    put_text(g, "reason", o == MEXT_DONE ? "" : why->text);
    put_text(g, "receiver", r->receiver);
    put_text(g, "agent", r->agent);
    put_text(g, "help_missing", r->less.text);
    put_help(g, r->helped);
    for (unsigned i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        yajl_gen_string(g, (const unsigned char *)figures[i].key,
                        strlen(figures[i].key));
        yajl_gen_integer(g, (long long)figures[i].value);
    }
    yajl_gen_map_close(g);
    yajl_gen_get_buf(g, &text, &len);
    fwrite(text, 1, len, stdout);
    yajl_gen_free(g);
}

static double ms(uint64_t us)
{
    return (double)us / 1000;
}

static void print_done(const struct mext_report *r,
                       const struct mext_request *rq)
{
    char foreseen[80] = "";

    if (r->foreseen_pages)
        snprintf(foreseen, sizeof(foreseen), " (%" PRIu64 " in %.0f foreseen)",
                 r->foreseen_pages, ms(r->foreseen_us));
    fprintf(stderr,
            "source: %s runs on %s as domain %u: %.1f s in all, %.1f "
            "MiB sent in %u iterations\n",
            rq->domain, rq->host, r->domid, (double)r->total_us / 1e6,
            (double)r->wire_bytes / (1 << 20), r->iterations);
    fprintf(stderr,
            "source: down %.0f ms after a suspend of %.0f ms: last %" PRIu64
            " pages %.0f%s, tidy and prepare %.0f (%.0f + %.0f there), "
            "commit %.0f (%.0f there)\n",
            ms(r->downtime_us), ms(r->suspend_us), r->last_pages,
            ms(r->last_us), foreseen, ms(r->tidy_us), ms(r->tidy_own_us),
            ms(r->prepare_us), ms(r->commit_us), ms(r->handover_us));
    if (r->stopped_ms)
        fprintf(stderr,
                "source: the guest says it stood still for %" PRIu64 " ms\n",
                r->stopped_ms);
}

void xl_report_end(enum mext_outcome o, const struct mext_report *rep,
                   const struct mext_why *why, const struct mext_request *rq,
                   bool json)
{
    end_line();
    if (json)
        print_json(o, rep, why, rq);
    if (o == MEXT_DONE && !view.quiet)
        print_done(rep, rq);
    else if (o == MEXT_KEPT)
        fprintf(stderr, "source: %s was not migrated: %s\n", rq->domain,
                why->text);
    else if (o == MEXT_UNKNOWN)
        fprintf(stderr, "source: %s\n", why->text);
}
