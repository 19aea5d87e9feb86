/* SPDX-License-Identifier: GPL-2.0-only */
/* mext-agent, docs/specs/agent.md: what its files share. */
#ifndef AGENT_H
#define AGENT_H

#include <libxenvchan.h>
#include <xenstore.h>

#include "mext_agentmsg.h"

/* ---- config.c ---- */

#define AGENT_CGROUPS_MAX 16
#define AGENT_PATH_MAX    256

struct agent_config {
    char cgroups[AGENT_CGROUPS_MAX][AGENT_PATH_MAX]; /* below the root */
    unsigned ncgroups;
    char hooks[AGENT_PATH_MAX]; /* has pre.d and post.d */
    unsigned hook_ms;           /* for all of post.d */
    bool free, calm, clock, announce, quiesce;
    unsigned trim; /* deepest MEXT_AGENT_TRIM_* allowed, 0: none */
};

/* Defaults, then the file; a missing one is none.  -1: said on stderr. */
int agent_config_read(const char *path, struct agent_config *c_r);

/* ---- why a request failed, for ERROR ---- */

struct agent_why {
    unsigned code; /* MEXT_AGENT_E_* */
    char text[200];
};

/* Fills *why, printable ASCII; returns -1. */
int agent_fail(struct agent_why *why, unsigned code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void agent_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Milliseconds of CLOCK_MONOTONIC: it stands still during a suspend. */
uint64_t agent_now_ms(void);
struct mext_agent_time agent_time(void);
void agent_sleep_ms(unsigned ms);

/* Reads at most max - 1 bytes of a small file and ends them; -1 and errno. */
int agent_read_file(const char *path, char *out, size_t max);
/* Writes text in one write; -1 and errno. */
int agent_write_file(const char *path, const char *text);

/*
 * Waits for a child until end_ms, then kills its process group: its status as
 * of wait(2), or -1 if it was killed.
 */
int agent_wait_child(int pid, uint64_t end_ms);

/* ---- pages.c ---- */

/*
 * What this kernel relies on in free pages, from the words of its command
 * line and its configuration (NULL: unknown): 0, MEXT_AGENT_FREE_ZERO, or -1
 * and why if that cannot be said.
 */
int pages_judge(const char *cmdline, const char *config, struct agent_why *why);

/* The bits of n words of /proc/kpageflags read twice; how many are free. */
unsigned pages_bits(const uint64_t *first, const uint64_t *second, unsigned n,
                    uint8_t *bits);

/* bits: (count + 7) / 8 octets, from gfn first on; 0, or -1 and why. */
typedef int pages_fn(void *arg, uint64_t first, uint32_t count,
                     const uint8_t *bits, struct agent_why *why);

/* Calls fn for each chunk that has free pages below ngfns. */
int pages_free(uint64_t ngfns, uint64_t end_ms, pages_fn *fn, void *arg,
               unsigned *flags_r, uint64_t *pages_r, struct agent_why *why);

/* ---- trim.c ---- */

int trim(unsigned level, uint64_t end_ms, uint64_t *before_r, uint64_t *after_r,
         struct agent_why *why);

/* ---- cgroup.c: what is done to cgroups can be undone by a later process ---- */

int cgroups_freeze(const struct agent_config *c, uint64_t end_ms, unsigned *n_r,
                   struct agent_why *why);
int cgroups_calm(const struct agent_config *c, unsigned percent, unsigned *n_r,
                 struct agent_why *why);
/* All of it back, whoever did it. */
void cgroups_undo(void);

/* ---- hooks.c ---- */

/*
 * Runs dir/sub in order; stops at the first failure if strict: -1 and why.  If not,
 * each has two seconds at least, whatever end_ms says.
 */
int hooks_run(const char *dir, const char *sub, uint64_t end_ms, bool strict,
              unsigned *n_r, struct agent_why *why);

/*
 * What pre.d begins is to be undone by post.d, by a later process if need be.  0, or -1
 * and why: that cannot be noted, and pre.d is not to be run.
 */
int hooks_begin(struct agent_why *why);
bool hooks_begun(void);
void hooks_end(void);

/* ---- announce.c ---- */

/* Tells the neighbours; waits for the cards until end_ms; how many it told. */
unsigned announce(uint64_t end_ms);

/* ---- quiesce.c ---- */

enum agent_state { AGENT_RUNNING, AGENT_CALM, AGENT_QUIET };

struct agent {
    const struct agent_config *config;
    struct xs_handle *xs;
    struct libxenvchan *chan; /* NULL: no session */
    char session[20];         /* the one served, "" none */
    bool greeted, ended;      /* ended: the session is to be put away */
    uint64_t idle_end;        /* of the session */
    enum agent_state state;
    uint64_t hold_end; /* of state, unless RUNNING */
    bool gave_up;      /* a quiesce, post.d is to be run without a session */
    struct mext_agent_report report;
    uint8_t in[64];
    size_t have;
};

int agent_quiesce(struct agent *a, unsigned deadline_ms, unsigned hold_ms,
                  struct mext_agentmsg *m_r, struct agent_why *why);
int agent_calm(struct agent *a, unsigned percent, unsigned hold_ms,
               unsigned *n_r, struct agent_why *why);
/* Whatever was done is undone; counts in m_r->u.resumed. */
void agent_resume(struct agent *a, bool tell_neighbours, unsigned deadline_ms,
                  struct mext_agentmsg *m_r);

/* ---- request.c ---- */

/* Answers a request; -1: the session must end. */
int request_answer(struct agent *a, const struct mext_agentmsg *m);

/* ---- serve.c ---- */

/* Until a signal comes on sigfd; 0, or 1 if it cannot go on. */
int agent_serve(struct agent *a, int sigfd);
/* One frame to dom0; -1: the session must end. */
int serve_send(struct agent *a, const struct mext_agentmsg *m);
/* Writes the report to xenstore, and the advertisement. */
void serve_report(struct agent *a);

#endif
