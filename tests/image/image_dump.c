/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this xl says on its data channels, without the seals, in a file for each:
 * MEXT_DUMP is the folder, and docs/specs/streams.md says what is in them.  The
 * linker puts this before the product's functions (-Wl,--wrap); the product itself
 * has no such thing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_data.h"

#define MAGIC "MEXTDMP1"

static struct {
    const struct mext_seal *seal; /* of the channel, toward mstrap */
    FILE *file;
} dumps[MEXT_CHANNELS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Its place; NULL seal: a free one; -1: none. */
static int find(const struct mext_seal *seal)
{
    int at = -1;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < (int)MEXT_CHANNELS_MAX; i++)
        if (dumps[i].seal == seal)
            at = i;
    pthread_mutex_unlock(&lock);
    return at;
}

static void put(const struct mext_seal *seal, const void *p, size_t n)
{
    int at = find(seal);

    if (at >= 0 && fwrite(p, 1, n, dumps[at].file) != n)
        abort();
}

static void begin(const struct mext_seal *seal, const struct mext_open *open)
{
    const char *dir = getenv("MEXT_DUMP");
    uint8_t hello[MEXT_OPEN_LEN];
    char path[4096];
    int at;

    if (!dir)
        return;
    at = find(NULL);
    snprintf(path, sizeof(path), "%s/channel-%u", dir, open->index);
    if (at < 0 || mext_open_encode(open, hello) ||
        !(dumps[at].file = fopen(path, "w")))
        abort();
    memcpy(hello, MAGIC, strlen(MAGIC));
    dumps[at].seal = seal;
    put(seal, hello, sizeof(hello));
}

int __real_mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                             const struct mext_open *open,
                             const struct mext_root *root, unsigned timeout_ms,
                             struct mext_why *why);
int __wrap_mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                             const struct mext_open *open,
                             const struct mext_root *root, unsigned timeout_ms,
                             struct mext_why *why);
int __wrap_mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                             const struct mext_open *open,
                             const struct mext_root *root, unsigned timeout_ms,
                             struct mext_why *why)
{
    int rc = __real_mext_channel_open(c, ip, port, open, root, timeout_ms, why);

    if (!rc)
        begin(&c->tx, open);
    return rc;
}

void __real_mext_channel_close(struct mext_channel *c);
void __wrap_mext_channel_close(struct mext_channel *c);
void __wrap_mext_channel_close(struct mext_channel *c)
{
    int at = find(&c->tx);

    if (at >= 0) {
        if (fclose(dumps[at].file))
            abort();
        pthread_mutex_lock(&lock);
        dumps[at].seal = NULL;
        pthread_mutex_unlock(&lock);
    }
    __real_mext_channel_close(c);
}

int __real_mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n,
                           size_t max, size_t *len_r);
int __wrap_mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n,
                           size_t max, size_t *len_r);
int __wrap_mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n,
                           size_t max, size_t *len_r)
{
    const uint8_t len[] = { 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

    put(s, len, sizeof(len));
    put(s, frame + MEXT_FRAME_HDR_LEN, n);
    return __real_mext_frame_seal(s, frame, n, max, len_r);
}

int __real_mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                          size_t n);
int __wrap_mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                          size_t n);
int __wrap_mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                          size_t n)
{
    put(s, src, n);
    return __real_mext_page_seal(s, dst, src, n);
}
