/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `xl restore` of a file that `xl save --cooperative` wrote: its sum is compared
 * before the stock xl sees it; a packed one is unpacked into a pipe.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mext_net.h"
#include "mext_saved.h"
#include "xl_save.h"

#define PROGRESS_MS 1000

static int progress(void *arg, uint64_t done, uint64_t of)
{
    uint64_t *shown = arg, now = mext_now_ms();

    if (now - *shown >= PROGRESS_MS) {
        *shown = now;
        fprintf(stderr, "xl restore: %" PRIu64 " of %" PRIu64 " MB checked\n",
                done / 1000000, of / 1000000);
    }
    return 0;
}

/* The rest of the stream into the pipe; whoever reads it sees where it ends. */
static int feed(struct mext_saved_in *in, int to)
{
    static uint8_t buf[1 << 17];
    ptrdiff_t n;

    while ((n = mext_saved_read(in, buf, sizeof(buf))) > 0)
        for (ptrdiff_t at = 0; at < n;) {
            ssize_t done = write(to, buf + at, (size_t)(n - at));

            if (done < 0 && errno == EINTR)
                continue;
            if (done < 0)
                return 1;
            at += done;
        }
    if (n < 0)
        fprintf(stderr, "xl restore: the file cannot be read: %s\n",
                strerror(errno));
    return n < 0;
}

/* A process unpacks it; *arg_r is where the stock xl finds the stream. */
static int unpack(struct mext_saved_in *in, char **arg_r)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends) || (pid = fork()) < 0 ||
        asprintf(arg_r, "/dev/fd/%d", ends[0]) < 0) {
        fprintf(stderr, "xl restore: %s\n", strerror(errno));
        return 1;
    }
    if (pid == 0) {
        close(ends[0]);
        _exit(feed(in, ends[1]));
    }
    close(ends[1]);
    return -1;
}

int xl_restore_prepare(int argc, char **argv, int word)
{
    int at = argc - 1; /* of the file's name: no option has a value */
    uint64_t shown = mext_now_ms();
    struct mext_saved_in *in;
    struct mext_why why;
    const char *name;
    int fd, rc = -1;

    while (at > word && argv[at][0] == '-')
        at--;
    if (at <= word)
        return -1;
    name = argv[at];
    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1; /* the stock xl says what is wrong */
    if (mext_saved_open(fd, &in, &why)) {
        fprintf(stderr, "xl restore: %s: %s\n", name, why.text);
        close(fd);
        return 1;
    }
    if (mext_saved_check(in, progress, &shown, &why)) {
        fprintf(stderr, "xl restore: %s: %s; nothing was started\n", name,
                why.text);
        rc = 1;
    } else if (mext_saved_kind(in) == MEXT_SAVED_ZSTD) {
        rc = unpack(in, &argv[at]);
    }
    mext_saved_close_in(in);
    close(fd);
    return rc;
}
