/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "mext_net.h"

#define ADDRESSES MEXT_RUNDIR "/packetd-addresses"

static int held = -1;

static int lock(int fd, uint32_t ip)
{
    struct flock l = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = ip, .l_len = 1
    };

    return fcntl(fd, F_OFD_SETLK, &l);
}

int address_hold(uint32_t ip, struct mext_why *why)
{
    int fd = open(ADDRESSES, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return mext_fail(why, ADDRESSES ": %s", strerror(errno));
    if (lock(fd, ip)) {
        close(fd);
        mext_fail(why, "another migration has that address");
        return 1;
    }
    held = fd;
    return 0;
}

void address_let_go(void)
{
    if (held >= 0)
        close(held);
    held = -1;
}
