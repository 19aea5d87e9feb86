/* SPDX-License-Identifier: LGPL-2.1-only */
#include <signal.h>
#include <stdio.h>

#include "xl_json.h"
#include "xl_look.h"

struct view {
    yajl_gen json; /* NULL: text */
    bool quiet;
    unsigned obstacles;
};

static const char *const sides[] = {
    [MEXT_LOOK_HERE] = "source",
    [MEXT_LOOK_THERE] = "destination",
};

static const char *const kinds[] = {
    [MEXT_FINDING_FINE] = "fine",
    [MEXT_FINDING_NOTE] = "note",
    [MEXT_FINDING_OBSTACLE] = "obstacle",
};

static void on_step(void *arg, const char *text)
{
    const struct view *v = arg;

    if (!v->quiet)
        fprintf(stderr, "source: %s\n", text);
}

static void on_finding(void *arg, enum mext_look_side side, unsigned kind,
                       const char *text)
{
    struct view *v = arg;

    v->obstacles += kind == MEXT_FINDING_OBSTACLE;
    if (!v->json) {
        printf("%-11s  %-8s  %s\n", sides[side], kinds[kind], text);
        return;
    }
    yajl_gen_map_open(v->json);
    xl_json_text(v->json, "side", sides[side]);
    xl_json_text(v->json, "kind", kinds[kind]);
    xl_json_text(v->json, "text", text);
    yajl_gen_map_close(v->json);
}

static void open_json(struct view *v, const struct mext_request *rq)
{
    v->json = xl_json_open(stdout);
    if (!v->json)
        return;
    yajl_gen_config(v->json, yajl_gen_beautify, 1);
    yajl_gen_map_open(v->json);
    xl_json_text(v->json, "domain", rq->domain);
    xl_json_text(v->json, "destination", rq->host);
    xl_json_key(v->json, "findings");
    yajl_gen_array_open(v->json);
}

static void close_json(struct view *v, int rc, const struct mext_why *why)
{
    yajl_gen_array_close(v->json);
    xl_json_text(v->json, "result",
                 rc < 0 ? "unknown"
                 : rc   ? "obstacles"
                        : "would move");
    if (rc < 0)
        xl_json_text(v->json, "reason", why->text);
    yajl_gen_map_close(v->json);
    yajl_gen_free(v->json);
}

int xl_look(const struct mext_request *rq, bool json, bool quiet)
{
    struct view v = { .quiet = quiet };
    struct mext_look_events ev = { on_step, on_finding, &v };
    struct mext_why why = { "" };
    int rc;

    signal(SIGPIPE, SIG_IGN);
    if (json)
        open_json(&v, rq);
    rc = mext_look(rq, &ev, &why);
    if (v.json)
        close_json(&v, rc, &why);
    if (rc < 0)
        fprintf(stderr, "source: whether %s could move is not known: %s\n",
                rq->domain, why.text);
    else if (rc)
        fprintf(stderr, "source: %s would not move: %u obstacle%s\n",
                rq->domain, v.obstacles, v.obstacles > 1 ? "s" : "");
    else if (!quiet)
        fprintf(stderr, "source: nothing stands against moving %s\n",
                rq->domain);
    return rc ? 1 : 0;
}
