/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_file.h"
#include "mext_net.h"

/* At most max bytes; how many, or -1. */
static ssize_t read_all(int fd, char *text, size_t max)
{
    size_t n = 0;
    ssize_t r;

    while (n < max && (r = read(fd, text + n, max - n)) != 0) {
        if (r < 0 && errno != EINTR)
            return -1;
        n += r > 0 ? (size_t)r : 0;
    }
    return (ssize_t)n;
}

static int write_all(int fd, const char *text)
{
    for (size_t n = strlen(text); n;) {
        ssize_t r = write(fd, text, n);

        if (r < 0 && errno != EINTR)
            return -1;
        text += r > 0 ? r : 0;
        n -= r > 0 ? (size_t)r : 0;
    }
    return fsync(fd);
}

static int open_dir(const char *dir, struct mext_why *why)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? mext_fail(why, "cannot open %s: %s", dir, strerror(errno))
                  : fd;
}

/* O_NONBLOCK: a FIFO of that name must not hang us. */
int mext_file_read(const char *dir, const char *name, char *text, size_t max,
                   size_t *n_r, bool *found_r, struct mext_why *why)
{
    int rc = -1, fd, at = open_dir(dir, why);
    struct stat st;
    ssize_t n = 0;

    if (at < 0)
        return -1;
    fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(at);
    if (fd < 0 && errno == ENOENT) {
        *found_r = false;
        return 0;
    }
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
        (n = read_all(fd, text, max)) < 0)
        mext_fail(why, "%s/%s cannot be read, or is not a regular file", dir,
                  name);
    else if ((size_t)n == max || memchr(text, 0, (size_t)n))
        mext_fail(why, "%s/%s is longer than %zu bytes, or is no text", dir,
                  name, max - 1);
    else
        rc = 0;
    if (fd >= 0)
        close(fd);
    if (rc)
        return -1;
    text[n] = 0;
    *n_r = (size_t)n;
    *found_r = true;
    return 0;
}

/* Under another name first, which is linked: O_EXCL for a whole file. */
int mext_file_create(const char *dir, const char *name, const char *text,
                     struct mext_why *why)
{
    int rc = -1, fd, saved, at = open_dir(dir, why);
    char tmp[32];

    if (at < 0)
        return -1;
    snprintf(tmp, sizeof(tmp), ".new-%08x", (unsigned)randombytes_random());
    fd = openat(at, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0 && !write_all(fd, text) && !linkat(at, tmp, at, name, 0))
        rc = 0;
    saved = errno;
    if (fd >= 0) {
        close(fd);
        unlinkat(at, tmp, 0);
    }
    if (rc || fsync(at))
        rc = mext_fail(why, "cannot create %s/%s: %s", dir, name,
                       strerror(rc ? saved : errno));
    close(at);
    return rc;
}
