/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <string.h>

#include "broken.h"

#define ROWS    32
#define CHANGES 2

#define SRC(s, e, n, ...) \
    { \
        MEXT_SRC_##s, MEXT_EV_##e, MEXT_SRC_##n, \
        { \
            __VA_ARGS__ \
        } \
    }
#define DST(s, e, n, ...) \
    { \
        MEXT_DST_##s, MEXT_EV_##e, MEXT_DST_##n, \
        { \
            __VA_ARGS__ \
        } \
    }
#define KEEP MEXT_DO_RESUME, MEXT_DO_NOTE_KEPT
#define TOO_EARLY \
    MEXT_DO_SEND_ABORT, MEXT_DO_DESTROY_DOMAIN, MEXT_DO_NOTE_ABORTED
#define NOTED_FIRST \
    MEXT_DO_NOTE_ABORTED, MEXT_DO_DESTROY_DOMAIN, MEXT_DO_SEND_ABORT

/* Rows that take the place of those with their state and event. */
static const struct {
    const char *name;
    enum side side;
    struct mext_transition rows[CHANGES];
    unsigned quirks;
} broken[] = {
    { "source resumes on silence after COMMIT",
      SOURCE,
      { SRC(ASKED, SILENT, KEPT, KEEP) },
      0 },
    { "source resumes when it asks and none answers",
      SOURCE,
      { SRC(DOUBT, SILENT, KEPT, KEEP) },
      0 },
    { "committing is noted after COMMIT was sent",
      SOURCE,
      { SRC(COPYING, ALL_SENT, READY, MEXT_DO_NOTHING),
        SRC(READY, PREPARED, ASKED, MEXT_DO_SEND_COMMIT,
            MEXT_DO_NOTE_COMMITTING) },
      0 },
    { "COMMIT is sent on what is not PREPARED",
      SOURCE,
      { SRC(COPYING, ALL_SENT, ASKED, MEXT_DO_SEND_COMMIT) },
      0 },
    { "done is noted before the copy is destroyed",
      SOURCE,
      { SRC(ASKED, RUNNING, DONE, MEXT_DO_NOTE_DONE, MEXT_DO_DESTROY_COPY) },
      0 },
    { "kept is noted before the copy is resumed",
      SOURCE,
      { SRC(DOUBT, ABORTED, KEPT, MEXT_DO_NOTE_KEPT, MEXT_DO_RESUME) },
      0 },
    { "lost is taken for aborted",
      SOURCE,
      { SRC(DOUBT, LOST, KEPT, KEEP) },
      0 },
    { "unknown is taken for aborted",
      SOURCE,
      { SRC(DOUBT, UNKNOWN, KEPT, KEEP) },
      0 },
    { "source destroys its copy on COMMIT",
      SOURCE,
      { SRC(READY, PREPARED, ASKED, MEXT_DO_SEND_COMMIT,
            MEXT_DO_DESTROY_COPY) },
      0 },
    { "a source that gives up does not resume",
      SOURCE,
      { SRC(READY, FAILED, KEPT, MEXT_DO_SEND_ABORT, MEXT_DO_NOTE_KEPT) },
      0 },
    { "committed is noted after the unpause",
      DEST,
      { DST(PREPARED, COMMIT, COMMITTED, MEXT_DO_UNPAUSE,
            MEXT_DO_NOTE_COMMITTED) },
      0 },
    { "committed is not noted",
      DEST,
      { DST(PREPARED, COMMIT, COMMITTED, MEXT_DO_NOTHING) },
      0 },
    { "incoming is not noted",
      DEST,
      { DST(NEW, CONFIG, INCOMING, MEXT_DO_NOTHING) },
      0 },
    { "ABORT is sent before the domain is destroyed",
      DEST,
      { DST(PREPARED, FAILED, ABORTED, TOO_EARLY) },
      0 },
    { "aborted is noted before the domain is destroyed",
      DEST,
      { DST(PREPARED, FAILED, ABORTED, NOTED_FIRST) },
      0 },
    { "RUNNING is sent before the unpause",
      DEST,
      { DST(COMMITTED, GO, RUNNING, MEXT_DO_SEND_RUNNING, MEXT_DO_UNPAUSE,
            MEXT_DO_NOTE_RUNNING) },
      0 },
    { "running is noted before the unpause",
      DEST,
      { DST(COMMITTED, GO, RUNNING, MEXT_DO_NOTE_RUNNING, MEXT_DO_UNPAUSE,
            MEXT_DO_SEND_RUNNING) },
      0 },
    { "a domain that is gone is noted as aborted",
      DEST,
      { DST(COMMITTED, GONE, ABORTED, MEXT_DO_NOTE_ABORTED) },
      0 },
    { "after a crash what is committed is given up",
      DEST,
      { { 0 } },
      QUIRK_COMMITTED },
    { "a query is answered aborted while it goes on",
      DEST,
      { { 0 } },
      QUIRK_ABORTED },
    { "to unpause what runs is taken for refused",
      DEST,
      { { 0 } },
      QUIRK_UNPAUSE },
    { "a note that is not durable is gone on from",
      DEST,
      { { 0 } },
      QUIRK_UNSYNCED },
    { "after a crash the source resumes unasked",
      SOURCE,
      { { 0 } },
      QUIRK_BLIND },
    { "after a crash it asks though its copy runs",
      SOURCE,
      { { 0 } },
      QUIRK_ASKS },
    { "operator says here though a domain is paused",
      SOURCE,
      { { 0 } },
      QUIRK_GLANCE },
};

unsigned broken_count(void)
{
    return sizeof(broken) / sizeof(broken[0]);
}

static void change(struct mext_transition *table, size_t rows,
                   const struct mext_transition *to)
{
    for (size_t i = 0; i < rows; i++)
        if (table[i].state == to->state && table[i].event == to->event) {
            table[i] = *to;
            return;
        }
    assert(!"a row of that state and event");
}

const char *broken_rules(unsigned n, struct rules *r_r)
{
    static struct mext_transition table[ROWS];
    struct rules r = { { mext_src_table, mext_dst_table },
                       { mext_src_rows, mext_dst_rows },
                       FAULTS_ALL,
                       0 };

    *r_r = r;
    if (!n--)
        return NULL;
    assert(r.rows[broken[n].side] <= ROWS);
    memcpy(table, r.table[broken[n].side],
           r.rows[broken[n].side] * sizeof(table[0]));
    for (unsigned i = 0; i < CHANGES; i++)
        if (broken[n].rows[i].event)
            change(table, r.rows[broken[n].side], &broken[n].rows[i]);
    r_r->table[broken[n].side] = table;
    r_r->quirks = broken[n].quirks;
    return broken[n].name;
}
