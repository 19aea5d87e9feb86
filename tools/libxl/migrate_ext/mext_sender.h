/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's side of a migration: from an open domain to a guest that runs
 * on the destination, or runs here on as before.  Steps and states:
 * docs/architecture.md, "A migration, step by step".
 */
#ifndef MEXT_SENDER_H
#define MEXT_SENDER_H

#include "mext_copy.h"
#include "mext_token.h"

/* Who receives the guest. */
enum mext_receive {
    MEXT_RECEIVE_AUTO, /* as the guest's type wants */
    MEXT_RECEIVE_MSTRAP,
    MEXT_RECEIVE_DOM0,
};

/* What the operator asked for; all strings are the caller's. */
struct mext_request {
    const char *domain; /* name or number */
    const char *host;   /* destination, "HOST[:PORT]" */
    const char *peer;   /* name its key is pinned under */
    const char *keys_dir;
    enum mext_receive receiver;
    const char *mstrap_option; /* given, and for mstrap only; NULL: none */
    struct mext_limits limits;
    enum mext_on_stall on_stall;
    uint64_t bytes_per_s; /* bandwidth, 0: any */
    unsigned timeout_ms;  /* until COMMIT, 0: any */
    unsigned suspend_timeout_ms;
    /* 1 .. MEXT_CHANNELS_MAX; 0: one for each CPU, up to 4 */
    uint16_t channels;
    bool agent;                     /* ask the guest's agent for help */
    unsigned trim;                  /* MEXT_AGENT_TRIM_*, 0: not */
    struct mext_packing packing;    /* how pages are made smaller */
    uint16_t port;                  /* mstrap's */
    uint32_t ip, netmask, gateway;  /* mstrap's; 0: destination chooses */
    uint8_t image[MEXT_DIGEST_LEN]; /* mstrap wanted; zeros: any */
    unsigned verbosity;
};

/* Where the time and the bytes went. */
struct mext_report {
    char id[2 * MEXT_ID_LEN + 1]; /* in hex; "" if it was not begun */
    const char *receiver;         /* "mstrap", "dom0"; "": not chosen yet */
    uint32_t domid;               /* on the destination */
    unsigned iterations;
    uint64_t wire_bytes; /* sent, all connections, frames */
    uint64_t data_pages, zero_pages, absent_pages;
    uint64_t packed_pages; /* of data_pages */
    uint64_t zstd_pages;   /* of these by Zstandard */
    uint64_t delta_pages;  /* of these as what changed */
    uint64_t total_us;     /* start -> RUNNING */
    uint64_t setup_us;     /* start -> mstrap connected */
    uint64_t precopy_us;
    uint64_t downtime_us;             /* suspended -> RUNNING, seen here */
    uint64_t suspend_us;              /* request -> suspended */
    uint64_t last_us;                 /* suspended -> END sent */
    uint64_t tidy_us;                 /* END sent -> PREPARED, see below */
    uint64_t tidy_own_us, prepare_us; /* parts told by the destination */
    uint64_t commit_us;               /* PREPARED -> RUNNING */
    uint64_t handover_us;             /* part told by the destination */
    uint64_t last_pages;              /* sent while suspended */
    uint64_t foreseen_pages; /* of these, when it was decided to suspend */
    uint64_t foreseen_us;    /* that they would take */
    uint64_t free_pages;     /* by the guest's word, not sent */
    uint64_t trimmed_kib;    /* of page cache, freed */
    uint64_t stopped_ms;     /* by the guest's own clock; 0: not known */
    unsigned helped;         /* MEXT_HELPED_* */
    char agent[64];          /* name and version, "" if none answered */
    struct mext_why less;    /* help that was missing, and why; or "" */
};

/* How it ended, the exit status of `xl migrate --cooperative`. */
enum mext_outcome {
    MEXT_DONE = 0,    /* the guest runs on the destination */
    MEXT_KEPT = 1,    /* it runs here as before */
    MEXT_UNKNOWN = 3, /* COMMIT was sent, no answer: kept suspended */
};

struct mext_events {
    /* A step began; text is a plain sentence without newline. */
    void (*step)(void *arg, const char *text);
    void (*progress)(void *arg, const struct mext_progress *p);
    /* It is noted, can be seen and steered by this id; may be NULL. */
    void (*begun)(void *arg, const uint8_t id[MEXT_ID_LEN]);
    void *arg;
};

/*
 * Runs the whole migration.  On MEXT_KEPT and MEXT_UNKNOWN *why says why and
 * what to do; *rep_r is filled as far as it went.  Once the destination has taken the
 * token, SIGINT, SIGTERM, SIGHUP and the monitor socket (mext_steer.h) cancel
 * it; after COMMIT they do nothing.
 */
enum mext_outcome mext_migrate(const struct mext_request *rq,
                               const struct mext_events *ev,
                               struct mext_report *rep_r, struct mext_why *why);

#endif
