/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Messages between dom0 and the guest's agent, docs/specs/agent.md.  Pure as
 * mext_codec, and used by both sides: bytes in, records out.  Functions
 * return 0 or a negative enum mext_rc and leave out-parameters alone on
 * failure.
 */
#ifndef MEXT_AGENTMSG_H
#define MEXT_AGENTMSG_H

#include "mext_codec.h"

/* Octets of a BITMAP that covers a whole chunk. */
#define MEXT_AGENT_BITS_MAX (MEXT_AGENT_CHUNK_GFNS / 8)

/* Pointers of a decoded message point into the body it was read from. */
struct mext_agentmsg {
    uint8_t type; /* MEXT_AGENT_* */
    uint32_t id;  /* of the request */
    union {
        struct {
            uint16_t version; /* not 0 */
        } hello;
        struct {
            uint32_t deadline_ms;
            uint64_t ngfns;
        } free;
        struct {
            uint32_t deadline_ms;
            uint8_t level; /* MEXT_AGENT_TRIM_* */
        } trim;
        struct {
            uint32_t deadline_ms, hold_ms;
        } quiesce;
        struct {
            uint32_t deadline_ms;
            uint8_t flags;    /* MEXT_AGENT_RESUME_* */
            uint64_t real_ms; /* asker's wall clock */
        } resume;
        struct {
            uint32_t hold_ms;
            uint8_t percent;
        } calm;
        struct {
            uint16_t version;
            uint32_t abilities; /* MEXT_AGENT_CAN_* */
            uint16_t len;
            const char *text; /* not terminated, printable ASCII */
        } welcome;
        struct {
            uint64_t first; /* multiple of MEXT_AGENT_CHUNK_GFNS */
            uint32_t count;
            const uint8_t *bits; /* (count + 7) / 8 octets */
        } bitmap;
        struct {
            uint8_t flags; /* MEXT_AGENT_FREE_ZERO */
            uint64_t pages;
        } free_end;
        struct {
            uint64_t before_kib, after_kib;
        } trimmed;
        struct {
            uint32_t took_ms;
            uint16_t cgroups, hooks;
        } quiesced;
        struct {
            uint32_t took_ms;
            uint16_t hooks, announced;
            uint64_t before_ms, after_ms; /* the guest's wall clock */
        } resumed;
        struct {
            uint16_t cgroups;
        } calmed;
        struct {
            uint16_t code; /* MEXT_AGENT_E_* */
            uint16_t len;
            const char *text; /* not terminated, printable ASCII */
        } error;
    } u;
};

/* Appends the body to b; MEXT_ERR_FULL, MEXT_ERR_FORMAT, MEXT_ERR_LIMIT. */
int mext_agentmsg_encode(const struct mext_agentmsg *m, struct mext_buf *b);
/* Reads a whole body of len bytes; MEXT_ERR_FORMAT, MEXT_ERR_LIMIT. */
int mext_agentmsg_decode(const uint8_t *body, size_t len,
                         struct mext_agentmsg *m_r);

/* One moment by the guest's three clocks, ms; all 0: there was none. */
struct mext_agent_time {
    uint64_t real, boot, mono;
};

/* What the agent leaves in xenstore after a resume. */
struct mext_agent_report {
    uint32_t n; /* resumes since the agent's start */
    struct mext_agent_time quiesced, resumed, thawed;
};

/* Text with NUL; always fits. */
void mext_agent_report_text(const struct mext_agent_report *r,
                            char out[MEXT_AGENT_REPORT_MAX + 1]);
/* Of the len bytes at text; MEXT_ERR_FORMAT. */
int mext_agent_report_parse(const char *text, size_t len,
                            struct mext_agent_report *r_r);

/* How long the guest stood still by its own wall clock, ms; 0: not known. */
uint64_t mext_agent_report_gap(const struct mext_agent_report *r);

/* Short words for a reason (MEXT_AGENT_E_*), never NULL. */
const char *mext_agent_reason(unsigned code);

#endif
