/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_handshake.h"

static int other_key(const char *what, const char *peer,
                     const uint8_t key[MEXT_KEY_LEN], struct mext_why *why)
{
    char print[MEXT_FINGERPRINT_LEN];

    mext_fingerprint(key, print);
    return mext_fail(why,
                     "%s trusted as \"%s\" (%s): it is another host, or has "
                     "a new key. Compare 'packetd fingerprint' there with "
                     "'packetd fingerprint %s' here; if it was set up anew, "
                     "packetd trust remove %s, then packetd trust fetch",
                     what, peer, print, peer, peer);
}

/* HELLO, or the destination's refusal in words and *refused_r. */
static int read_hello(int fd, const uint8_t audience[MEXT_KEY_LEN],
                      const uint8_t digest[MEXT_DIGEST_LEN], const char *peer,
                      unsigned timeout_ms, struct mext_hello *h_r,
                      unsigned *refused_r, struct mext_why *why)
{
    uint8_t buf[1024];
    int n = mext_net_recv_plain(fd, buf, sizeof(buf), timeout_ms, why);
    struct mext_ctl m;

    if (n < 0)
        return -1;
    if (buf[0] == MEXT_CTL_ABORT && !mext_ctl_decode(buf, (size_t)n, &m)) {
        *refused_r = m.u.abort.code;
        if (m.u.abort.code == MEXT_E_AUDIENCE)
            return other_key("the destination does not have the key", peer,
                             audience, why);
        return mext_fail(why, "refused by the destination: %s%s%.*s",
                         mext_reason(m.u.abort.code), m.u.abort.len ? ": " : "",
                         m.u.abort.len, m.u.abort.text);
    }
    if (mext_hello_verify(buf, (size_t)n, audience, digest, h_r))
        return other_key("the answer is not signed by the key", peer, audience,
                         why);
    return 0;
}

int mext_handshake(struct mext_conn *c, int fd,
                   const uint8_t token[MEXT_TOKEN_LEN],
                   const uint8_t secret[32], const char *peer,
                   unsigned timeout_ms, struct mext_hello *h_r,
                   struct mext_root *root_r, unsigned *refused_r,
                   struct mext_why *why)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_token t;
    struct mext_root root;
    int rc = -1;

    if (mext_token_parse(token, MEXT_TOKEN_LEN, &t))
        return mext_fail(why, "no token");
    mext_digest(token, MEXT_TOKEN_LEN, digest);
    if (mext_net_send_plain(fd, token, MEXT_TOKEN_LEN, timeout_ms, why) ||
        read_hello(fd, t.audience, digest, peer, timeout_ms, h_r, refused_r,
                   why))
        return -1;
    if (mext_root_derive(&root, MEXT_KDF_CONTROL, secret, h_r->session, digest,
                         t.session, h_r->session))
        return mext_fail(why, "the destination's session key is unusable");
    rc = mext_conn_init(c, fd, &root, true, 0);
    if (!rc)
        *root_r = root;
    mext_wipe(&root, sizeof(root));
    return rc ? mext_fail(why, "out of memory") : 0;
}
