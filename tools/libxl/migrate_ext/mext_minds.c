/* SPDX-License-Identifier: LGPL-2.1-only */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_minds.h"

void mext_minds_path(const uint8_t id[MEXT_ID_LEN], char out[MEXT_MINDS_PATH])
{
    char hex[2 * MEXT_ID_LEN + 1];

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    snprintf(out, MEXT_MINDS_PATH, MEXT_MINDS_DIR "/%s", hex);
}

bool mext_minds_wanted(const uint8_t id[MEXT_ID_LEN])
{
    char path[MEXT_MINDS_PATH], word[sizeof(MEXT_MINDS_OVER)] = "";
    bool over;
    int fd;

    mext_minds_path(id, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    over = read(fd, word, sizeof(word) - 1) > 0 &&
           !strcmp(word, MEXT_MINDS_OVER);
    close(fd);
    return !over;
}

void mext_minds_ask(const uint8_t id[MEXT_ID_LEN])
{
    char path[MEXT_MINDS_PATH];
    int fd;

    mkdir(MEXT_MINDS_DIR, 0700); /* or it is there */
    mext_minds_path(id, path);
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        close(fd);
}
