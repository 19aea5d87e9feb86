/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACKETD_H
#define PACKETD_H

#include "gate.h"
#include "jail.h"
#include "mext_fate.h"
#include "mext_journal.h"
#include "policy.h"

#define PACKETD_POOL_MAX 256 /* addresses mstraps may use */
#define PACKETD_CONF     MEXT_SYSCONFDIR "/xen/packetd.conf"

/* Settings of a running packetd; strings live as long as the process. */
struct packetd {
    const char *keys_dir;
    const char *state_dir; /* ids already seen, guests that came in, journal */
    const char *conf;      /* what may come in, which guests may ask to go */
    const char *listen;    /* address, NULL: all IPv4 */
    uint16_t port;
    const char *image; /* a sealed copy in memory, what libxl is to open */
    const char *bridge;
    const char *vif_script;          /* NULL: none */
    uint32_t pool_first, pool_count; /* addresses for mstraps */
    uint32_t netmask, gateway;
    const char *attest;  /* who vouches, see attest.h */
    const char *metrics; /* file they are written to, NULL: none */
    unsigned verbosity;
    uint32_t rate; /* tokens a second from one address, 0: any */
    const char *user_name;
    struct jail_user user;      /* of the parts that read from the network */
    int gate;                   /* to the door */
    struct mext_identities ids; /* this host's; the first is host.key */
    uint8_t measurement[MEXT_DIGEST_LEN];  /* SHA-256 of the image */
    uint8_t measurement2[MEXT_DIGEST_LEN]; /* BLAKE2b-256 of it */
};

/* One line on standard error, with the role in front. */
void packetd_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Does all that `packetd run` does, until SIGTERM; the exit status. */
int packetd_monitor(struct packetd *p, const int listeners[2]);

/*
 * Starts this program again as the part `word` (door.h) with n descriptors in
 * place, and nothing else of ours: its pid, or -1 and why.
 */
pid_t packetd_jailed(const struct packetd *p, const char *word, const int *fds,
                     unsigned n, struct mext_why *why);

/* The same for a part that is not jailed, with this environment. */
pid_t packetd_part(const struct packetd *p, const char *word, char **env,
                   const int *fds, unsigned n, struct mext_why *why);

/*
 * A migration whose token was taken, in a process of its own: control
 * connection fd, receiver, hand-over; who minds the guest is started.  key: name of
 * the source's; joins: for its line, where further connections come from, -1: none;
 * slot: this process's place in the address pool.  Returns the exit status: 0, a
 * guest came in; 1; or
 */
#define SESSION_LOOKED 2 /* it was LOOK, whatever came of it */
int packetd_session(const struct packetd *p, const uint8_t *token,
                    const struct mext_token *t, const char *key, int fd,
                    int joins, unsigned slot);

/*
 * May the owner of a trusted key do at all what the token asks for?  bare: it
 * wants an mstrap that waits.  -1 and why.  The guest's configuration is judged
 * by the session.
 */
int packetd_admit_token(const struct packetd *p, const char *key,
                        const struct mext_token *t, bool bare,
                        struct mext_why *why);

/*
 * The policy, read anew into the same place each time; NULL and why if it has
 * errors.
 */
const struct policy *packetd_policy(const struct packetd *p,
                                    struct mext_why *why);

/* May a source give an mstrap this address?  -1 and why. */
int packetd_admit_address(const struct packetd *p, const struct policy *policy,
                          const char *key, uint32_t ip, struct mext_why *why);

/* mstrap's words. */
void packetd_cmdline(uint32_t ip, uint32_t netmask, uint32_t gateway,
                     uint16_t port, char out[128]);

/*
 * A token of that key's that came as a datagram and was taken: starts a waiting
 * mstrap and has the door send the receipt.  The exit status.
 */
int packetd_datagram(const struct packetd *p, const uint8_t *in,
                     const char *key, const struct mext_token *t,
                     const struct gate_peer *from);

/* `packetd request`: asks another host for an mstrap; the exit status. */
int packetd_request(int argc, char **argv);

/* `packetd check-config`: prints the policy file's errors; the exit status. */
int packetd_check_config(int argc, char **argv);

/*
 * Records a token id until its expiry: 0 the first time, MEXT_E_REPLAY if it
 * was seen before, MEXT_E_INTERNAL and why if it cannot be recorded (then
 * nobody may use it).  Safe across processes and restarts.
 */
unsigned packetd_replay_new(const char *state_dir,
                            const uint8_t id[MEXT_ID_LEN], uint64_t expiry,
                            uint64_t now, struct mext_why *why);

/* The folder of the journal; -1 and why if its name is too long. */
int packetd_journal_dir(const struct packetd *p, char out[4096],
                        struct mext_why *why);

/* What is answered when this is noted, whoever asks. */
struct mext_fate packetd_fate_of(const struct mext_entry *e);

/*
 * What became of the migration that a verified question is about: 0, *f_r is the
 * answer.  One that is not decided yet is pursued.  -1 and why if what is noted
 * cannot be read: then nothing is answered, and the source asks again.
 */
int packetd_fate(const struct packetd *p, const struct mext_query *q,
                 struct mext_fate *f_r, struct mext_why *why);

/*
 * The source of this migration asks what became of it, and it is noted as
 * incoming or committed: whoever lives that minds it is made to give an
 * incoming one up; if nobody does, it goes on from the note.  Does not wait
 * for that.
 */
void packetd_pursue(const struct packetd *p, const struct mext_entry *e);

/*
 * Is there one whose process died before its end, or a guest that nobody minds?
 * *minds_r: the latter.
 */
bool packetd_unfinished(const struct packetd *p, bool *minds_r);

/* Brings those to their end, and has these minded; the exit status, 1: not all. */
int packetd_recover(const struct packetd *p);

#endif
