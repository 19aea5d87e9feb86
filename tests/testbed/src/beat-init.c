/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only program of a Linux without PV features (scenario-convert): four
 * lines a second on its serial port, with both clocks and a sum that needs the
 * FPU's registers:
 *
 *   beat 0000002a mono 12345 real 1700000000 sum 6.340428055478 good
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The same once more, from the start. */
static double sum_up_to(unsigned n)
{
    volatile double sum = 1;

    for (unsigned i = 0; i <= n; i++)
        sum = sqrt(sum + i);
    return sum;
}

int main(void)
{
    struct timespec mono, real;
    double sum = 1;
    int fd;

    mkdir("/dev", 0755);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    fd = open("/dev/ttyS0", O_RDWR);
    dup2(fd, 1);
    for (unsigned i = 0;; i++) {
        sum = sqrt(sum + i);
        clock_gettime(CLOCK_MONOTONIC, &mono);
        clock_gettime(CLOCK_REALTIME, &real);
        printf("beat %08x mono %lld real %lld sum %.12f %s\n", i,
               mono.tv_sec * 1000ll + mono.tv_nsec / 1000000,
               (long long)real.tv_sec, sum,
               sum == sum_up_to(i) ? "good" : "bad");
        fflush(stdout);
        usleep(250000);
    }
}
