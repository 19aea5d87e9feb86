/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACKETD_H
#define PACKETD_H

#include "mext_net.h"
#include "mext_token.h"

#define PACKETD_POOL_MAX 256 /* addresses mstraps may use */
#define PACKETD_CONF     MEXT_SYSCONFDIR "/xen/packetd.conf"

/* Settings of a running packetd; strings live as long as the process. */
struct packetd {
    const char *keys_dir;
    const char *state_dir; /* of the ids already seen */
    const char *conf;      /* policy for guests that ask to be moved */
    const char *listen;    /* address, NULL: all IPv4 */
    uint16_t port;
    const char *image;
    const char *bridge;
    uint32_t pool_first, pool_count; /* addresses for mstraps */
    uint32_t netmask, gateway;
    unsigned verbosity;
    struct mext_identity self;
    uint8_t measurement[MEXT_DIGEST_LEN];  /* SHA-256 of the image */
    uint8_t measurement2[MEXT_DIGEST_LEN]; /* BLAKE2b-256 of it */
};

/* One line on standard error, with the role in front. */
void packetd_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Everything after accept, in a process of its own: token, control
 * connection, mstrap, hand-over, and then minding the guest.  slot: this
 * process's place in the address pool.  Returns the exit status.
 */
int packetd_session(const struct packetd *p, int fd, unsigned slot);

/*
 * The first reason against a token (MEXT_E_*), 0 if there is none; why may
 * hold a hint, or is empty.  Marks the token as used.
 */
unsigned packetd_judge(const struct packetd *p, const uint8_t *in, size_t len,
                       struct mext_token *t_r, struct mext_why *why);

/* mstrap's words. */
void packetd_cmdline(uint32_t ip, uint32_t netmask, uint32_t gateway,
                     uint16_t port, char out[128]);

/*
 * A token that came as a datagram: starts a waiting mstrap and writes the
 * receipt, MEXT_RECEIPT_LEN bytes.  0, or -1 (logged).
 */
int packetd_datagram(const struct packetd *p, const uint8_t *in,
                     const struct mext_token *t, uint8_t *receipt_r);

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

#endif
