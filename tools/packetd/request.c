/* SPDX-License-Identifier: GPL-2.0-only */
/* `packetd request`: one signed datagram out, one signed receipt back. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "packetd.h"

#define RECEIPT_MS 120000

static const char usage[] =
    "Usage: packetd request [OPTION]... HOST[:PORT] A/BITS\n"
    "\n"
    "Asks packetd on HOST for an mstrap that waits at address A.\n"
    "\n"
    "  --memory MIB   its RAM (default 32; grows to that of the guest)\n"
    "  --vcpus N      must be the guest's (default 1)\n"
    "  --mstrap-port N   (default 7011)\n"
    "  --peer NAME    name of HOST's key (default: HOST)\n"
    "  --dir DIR      keys\n";

struct request {
    const char *dir, *peer;
    unsigned long memory, vcpus, port;
    char host[256];
    uint16_t udp;
    struct mext_token t;
};

static int fail(const char *text)
{
    fprintf(stderr, "packetd: %s\n", text);
    return 1;
}

static bool parse_address(const char *text, struct mext_token *t)
{
    char host[32];
    const char *slash = strchr(text, '/');
    struct in_addr a;
    unsigned long bits;
    char *end;

    if (!slash || (size_t)(slash - text) >= sizeof(host))
        return false;
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = 0;
    bits = strtoul(slash + 1, &end, 10);
    if (*end || bits < 1 || bits > 31 || inet_pton(AF_INET, host, &a) != 1)
        return false;
    t->ip = ntohl(a.s_addr);
    t->netmask = ~0u << (32 - bits);
    return true;
}

/* 0, or the exit status. */
static int parse(int argc, char **argv, struct request *r)
{
    static const struct option options[] = {
        { "memory", required_argument, NULL, 'm' },
        { "vcpus", required_argument, NULL, 'c' },
        { "mstrap-port", required_argument, NULL, 'p' },
        { "peer", required_argument, NULL, 'k' },
        { "dir", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct mext_why why;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'm':
            r->memory = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            r->vcpus = strtoul(optarg, NULL, 10);
            break;
        case 'p':
            r->port = strtoul(optarg, NULL, 10);
            break;
        case 'k':
            r->peer = optarg;
            break;
        case 'd':
            r->dir = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs("(packetd request --help)\n", stderr);
            return 2;
        }
    }
    if (argc - optind != 2 || !parse_address(argv[optind + 1], &r->t) ||
        mext_net_split(argv[optind], MEXT_CONTROL_PORT, r->host, &r->udp,
                       &why)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!r->peer)
        r->peer = r->host;
    return 0;
}

static int make_token(struct request *r, const struct mext_identity *self,
                      uint8_t out[MEXT_TOKEN_LEN], struct mext_why *why)
{
    struct mext_token *t = &r->t;
    struct mext_trusted peer;
    uint8_t unused[32];

    if (mext_trust_find(r->dir, r->peer, &peer, why))
        return -1;
    memcpy(t->audience, peer.key[0], sizeof(t->audience));
    randombytes_buf(t->id, sizeof(t->id));
    randombytes_buf(unused, sizeof(unused));
    crypto_scalarmult_base(t->session, unused);
    memcpy(t->source, self->pk, sizeof(t->source));
    t->issued = (uint64_t)time(NULL);
    t->expiry = t->issued + 300;
    t->memory_kib = r->memory * 1024;
    t->vcpus = (uint32_t)r->vcpus;
    t->channels = 1;
    t->port = (uint16_t)r->port;
    if (r->port > 65535 || mext_token_sign(t, self, out))
        return mext_fail(why, "memory, vCPUs, address or port are outside "
                              "what a token can carry");
    return 0;
}

int packetd_request(int argc, char **argv)
{
    struct request r = {
        .dir = mext_keys_dir(), .memory = 32, .vcpus = 1, .port = MEXT_DATA_PORT
    };
    uint8_t token[MEXT_TOKEN_LEN], in[MEXT_RECEIPT_LEN];
    uint8_t digest[MEXT_DIGEST_LEN];
    const struct mext_asked asked = { .token = &r.t, .digest = digest };
    char hex[2 * MEXT_DIGEST_LEN + 1];
    struct mext_identity self;
    struct mext_receipt receipt;
    struct mext_why why;
    int rc = parse(argc, argv, &r);

    if (rc)
        return rc;
    if (mext_identity_load(r.dir, &self, &why) ||
        make_token(&r, &self, token, &why))
        return fail(why.text);
    rc = mext_net_ask(r.host, r.udp, token, sizeof(token), in, sizeof(in),
                      RECEIPT_MS, &why);
    if (rc < 0)
        return fail(why.text);
    mext_digest(token, sizeof(token), digest);
    rc = mext_receipt_verify(in, (size_t)rc, &asked, &receipt);
    if (rc) {
        fprintf(stderr, "packetd: the answer is refused: %s\n",
                mext_reason((unsigned)rc));
        return 1;
    }
    sodium_bin2hex(hex, sizeof(hex), receipt.measurement, MEXT_DIGEST_LEN);
    printf("domain %u waits at %s, mstrap SHA-256 %s\n", receipt.domid,
           argv[optind + 1], hex);
    return 0;
}
