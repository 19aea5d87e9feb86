/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_net.h"
#include "mext_text.h"
#include "ms_host.h"

/* More own pages than any mstrap has; a larger claim is a lie. */
#define OWN_PAGES_MAX 4096

/*
 * SHA-256 and BLAKE2b-256 of all that can be read from fd, which is copied to
 * `copy` unless that is -1.
 */
static int measure(int fd, int copy, uint8_t sha256_r[MEXT_DIGEST_LEN],
                   uint8_t blake2b_r[MEXT_DIGEST_LEN])
{
    crypto_hash_sha256_state st;
    crypto_generichash_blake2b_state st2;
    uint8_t buf[65536];
    ssize_t n;

    crypto_hash_sha256_init(&st);
    crypto_generichash_blake2b_init(&st2, NULL, 0, MEXT_DIGEST_LEN);
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        crypto_hash_sha256_update(&st, buf, (unsigned long long)n);
        crypto_generichash_blake2b_update(&st2, buf, (unsigned long long)n);
        if (copy >= 0 && write(copy, buf, (size_t)n) != n)
            return -1;
    }
    crypto_hash_sha256_final(&st, sha256_r);
    crypto_generichash_blake2b_final(&st2, blake2b_r, MEXT_DIGEST_LEN);
    return n ? -1 : 0;
}

/* What is measured is what is copied, and nobody can change the copy. */
int ms_image_load(const char *path, char copy_r[MS_IMAGE_COPY_MAX],
                  uint8_t sha256_r[MEXT_DIGEST_LEN],
                  uint8_t blake2b_r[MEXT_DIGEST_LEN], struct mext_why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), copy, rc;

    if (fd < 0)
        return mext_fail(why, "cannot open the mstrap image %s: %s", path,
                         strerror(errno));
    copy = memfd_create("mstrap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    rc = copy < 0 || measure(fd, copy, sha256_r, blake2b_r) ||
         fcntl(copy, F_ADD_SEALS,
               F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    if (rc)
        mext_fail(why, "cannot copy %s to memory: %s", path, strerror(errno));
    else
        snprintf(copy_r, MS_IMAGE_COPY_MAX, "/proc/self/fd/%d", copy);
    close(fd);
    return rc ? -1 : 0;
}

/*
 * The measurement of a domain's kernel: noted by packetd when it launched it,
 * otherwise that of the file its configuration names.
 */
static int measure_domain(struct mext_lxl *lxl, struct mext_store *store,
                          uint32_t domid, uint8_t digest_r[MEXT_DIGEST_LEN])
{
    uint8_t unused[MEXT_DIGEST_LEN];
    char hex[2 * MEXT_DIGEST_LEN + 1];
    char *kernel;
    size_t len;
    int fd, rc;

    if (mext_store_read(store, domid, "mstrap/measurement", hex, sizeof(hex)) ==
        2 * MEXT_DIGEST_LEN)
        return sodium_hex2bin(digest_r, MEXT_DIGEST_LEN, hex,
                              2 * MEXT_DIGEST_LEN, NULL, &len, NULL) ||
               len != MEXT_DIGEST_LEN;
    kernel = mext_lxl_kernel(lxl, domid);
    fd = kernel ? open(kernel, O_RDONLY | O_CLOEXEC) : -1;
    rc = fd < 0 || measure(fd, -1, digest_r, unused);
    if (fd >= 0)
        close(fd);
    free(kernel);
    return rc;
}

struct waiting {
    struct mext_lxl *lxl;
    struct mext_store *store;
    char address[32];
    const uint8_t *measurement;
};

static bool is_waiting(void *arg, uint32_t domid)
{
    struct waiting *w = arg;
    uint8_t digest[MEXT_DIGEST_LEN];
    char text[200];

    if (mext_store_read(w->store, domid, "data/mstrap/state", text,
                        sizeof(text)) < 0 ||
        strcmp(text, "waiting") ||
        mext_store_read(w->store, domid, "data/mstrap/address", text,
                        sizeof(text)) < 0 ||
        strcmp(text, w->address) ||
        mext_store_read(w->store, domid, "mstrap/session", text,
                        sizeof(text)) >= 0)
        return false;
    return !measure_domain(w->lxl, w->store, domid, digest) &&
           !memcmp(digest, w->measurement, sizeof(digest));
}

uint32_t ms_find_waiting(struct mext_lxl *lxl, struct mext_store *store,
                         uint32_t ip, uint16_t port,
                         const uint8_t measurement[MEXT_DIGEST_LEN])
{
    struct waiting w = { .lxl = lxl,
                         .store = store,
                         .measurement = measurement };

    snprintf(w.address, sizeof(w.address), "%u.%u.%u.%u %u", ip >> 24,
             ip >> 16 & 255, ip >> 8 & 255, ip & 255, port);
    return mext_lxl_each(lxl, is_waiting, &w);
}

int ms_seed(struct ms_domain *m, struct mext_why *why)
{
    uint8_t seed[32];
    char hex[65], vif[12];
    int rc;

    randombytes_buf(seed, sizeof(seed));
    sodium_bin2hex(hex, sizeof(hex), seed, sizeof(seed));
    snprintf(vif, sizeof(vif), "%d", m->vif);
    rc = mext_store_write(m->store, m->domid, "mstrap/vif", vif, why) ||
         mext_store_write(m->store, m->domid, "mstrap/seed", hex, why);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(hex, sizeof(hex));
    return rc ? -1 : 0;
}

int ms_invite(struct ms_domain *m, const uint8_t token[MEXT_DIGEST_LEN],
              const uint8_t session[MEXT_KEY_LEN], unsigned channels,
              struct mext_why *why)
{
    char text[160], a[65], b[65];

    sodium_bin2hex(a, sizeof(a), token, MEXT_DIGEST_LEN);
    sodium_bin2hex(b, sizeof(b), session, MEXT_KEY_LEN);
    snprintf(text, sizeof(text), "v1 %s %s %u", a, b, channels);
    if (mext_rcv_event(&m->seen, MEXT_RCV_EV_INVITED))
        return mext_fail(why, "mstrap is %s, not waiting",
                         mext_rcv_name(m->seen));
    return mext_store_write(m->store, m->domid, "mstrap/session", text, why);
}

/* "data=N zero=N absent=N populated=N ms=N" */
static bool is_counts(const char *s)
{
    static const char *const fields[] = { "data=", " zero=", " absent=",
                                          " populated=", " ms=" };
    struct mext_text t = { .at = s, .end = s + strlen(s) };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        mext_text_expect(&t, fields[i]);
        mext_text_number(&t, 0, UINT64_MAX);
    }
    return mext_text_done(&t);
}

/* What a value says, and what is behind its word; STATES: malformed. */
static enum mext_rcv said(const char *text, const char **rest_r)
{
    size_t len = strcspn(text, " ");

    *rest_r = text[len] ? text + len + 1 : text + len;
    for (unsigned i = MEXT_RCV_WAITING; i < MEXT_RCV_STATES; i++) {
        const char *word = mext_rcv_word(i);

        if (strlen(word) != len || memcmp(text, word, len))
            continue;
        if (i == MEXT_RCV_TIDY ? is_counts(*rest_r)
                               : i == MEXT_RCV_FAILED || !text[len])
            return (enum mext_rcv)i;
    }
    return MEXT_RCV_STATES;
}

enum mext_rcv ms_state_read(struct ms_domain *m, char *detail, size_t max)
{
    static const char path[] = "data/mstrap/state";
    enum mext_rcv now = MEXT_RCV_STARTING;
    const char *rest = "";
    char text[256];

    /* Once it is there it stays: what cannot be read then is malformed. */
    if (mext_store_has(m->store, m->domid, path))
        now = mext_store_read(m->store, m->domid, path, text, sizeof(text)) < 0
                  ? MEXT_RCV_STATES
                  : said(text, &rest);
    mext_show(rest, strlen(rest), detail, max);
    if (now < MEXT_RCV_STATES && mext_rcv_follow(&m->seen, now))
        return m->seen;
    if (now == MEXT_RCV_STATES)
        snprintf(detail, max, "%s is malformed", path);
    else if (now == MEXT_RCV_STARTING)
        snprintf(detail, max, "%s is gone", path);
    else
        snprintf(detail, max, "%s says %s after %s", path, mext_rcv_name(now),
                 mext_rcv_name(m->seen));
    return m->seen = MEXT_RCV_FAILED;
}

int ms_keys_read(struct ms_domain *m, struct mext_why *why)
{
    char text[80], *end;
    size_t len;

    if (mext_store_read(m->store, m->domid, "data/mstrap/key", text,
                        sizeof(text)) != 2 * MEXT_KEY_LEN ||
        sodium_hex2bin(m->key, sizeof(m->key), text, 2 * MEXT_KEY_LEN, NULL,
                       &len, NULL) ||
        len != MEXT_KEY_LEN)
        return mext_fail(why, "mstrap gave no usable key");
    if (mext_store_read(m->store, m->domid, "data/mstrap/own", text,
                        sizeof(text)) <= 0)
        return mext_fail(why, "mstrap does not tell which pages are its own");
    m->own_gfn = strtoull(text, &end, 16);
    if (*end != ' ')
        return mext_fail(why, "data/mstrap/own is malformed");
    m->own_count = (uint32_t)strtoul(end + 1, &end, 16);
    if (*end || !m->own_count || m->own_count > OWN_PAGES_MAX ||
        m->own_gfn > MEXT_GFN_MAX)
        return mext_fail(why, "data/mstrap/own is malformed");
    return 0;
}

/* The guest must not find mstrap's traces, nor a network card too many. */
static void remove_nodes(struct ms_domain *m)
{
    char path[32];

    mext_store_remove(m->store, m->domid, "data/mstrap");
    mext_store_remove(m->store, m->domid, "mstrap");
    if (m->vif < 0)
        return;
    snprintf(path, sizeof(path), "device/vif/%d", m->vif);
    mext_store_remove(m->store, m->domid, path);
    if (mext_store_empty(m->store, m->domid, "device/vif"))
        mext_store_remove(m->store, m->domid, "device/vif");
}

int ms_handover(struct ms_domain *m, const struct mext_tsc *tsc,
                const uint8_t *context, uint32_t context_len,
                uint64_t target_kib, struct mext_why *why)
{
    char target[24], detail[200];

    snprintf(target, sizeof(target), "%llu", (unsigned long long)target_kib);
    if (mext_dom_pause(m->dom, why))
        return -1;
    if (ms_state_read(m, detail, sizeof(detail)) != MEXT_RCV_TIDY)
        return mext_fail(why, "mstrap is not tidy: %s",
                         *detail ? detail : mext_rcv_name(m->seen));
    if (mext_dom_release(m->dom, m->own_gfn, m->own_count, why) ||
        mext_dom_tsc_set(m->dom, tsc, why) ||
        mext_dom_context_set(m->dom, context, context_len, m->vcpus, why))
        return -1;
    remove_nodes(m);
    /* Before the guest runs, or a ballooned one would inflate at once. */
    return mext_store_write(m->store, m->domid, "memory/target", target, why);
}
