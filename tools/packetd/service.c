/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <systemd/sd-daemon.h>

#include "service.h"

static uint16_t port_of(int fd)
{
    struct sockaddr_in6 got = { .sin6_port = 0 };
    socklen_t len = sizeof(got);

    getsockname(fd, (struct sockaddr *)&got, &len);
    return ntohs(got.sin6_port); /* same place in sockaddr_in */
}

static void prepare(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int service_sockets(int listeners_r[2], uint16_t *port_r, struct mext_why *why)
{
    int n = sd_listen_fds(1), tcp = -1, udp = -1;

    if (!n)
        return 0;
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
            tcp = fd;
        else if (sd_is_socket(fd, AF_UNSPEC, SOCK_DGRAM, -1) > 0)
            udp = fd;
    }
    if (n != 2 || tcp < 0 || udp < 0 || port_of(tcp) != port_of(udp))
        return mext_fail(why, "packetd.socket must give one TCP and one UDP "
                              "socket on the same port");
    prepare(tcp);
    prepare(udp);
    listeners_r[0] = tcp;
    listeners_r[1] = udp;
    *port_r = port_of(tcp);
    return 1;
}

void service_ready(void)
{
    sd_notify(0, "READY=1");
}

void service_reloading(void)
{
    sd_notify(0, "RELOADING=1");
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}
