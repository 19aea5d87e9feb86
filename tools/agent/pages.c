/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages are free.  Why this is safe to act on is in docs/specs/agent.md,
 * "Free memory".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.h"

/* A free page, and nothing else: linux/kernel-page-flags.h. */
#define FREE_PAGE (1ULL << 10) /* KPF_BUDDY */

#define CONFIG_MAX (1 << 20)
#define BLOCK      8192 /* pages looked at twice at a time, 8 divides it */

/* As the kernel compares names of parameters: a hyphen is an underscore. */
static bool is_name(const char *p, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] == '-' ? '_' : p[i]) != name[i])
            return false;
    return true;
}

/* The value of the last word "name=value" or "name"; NULL: not there. */
static const char *last_word(const char *cmdline, const char *name)
{
    size_t n = strlen(name);
    const char *found = NULL;

    for (const char *p = cmdline; *p; p++)
        if ((p == cmdline || strchr(" \"\n", p[-1])) && is_name(p, name, n) &&
            strchr("= \"\n", p[n])) /* which finds the NUL too */
            found = p[n] == '=' ? p + n + 1 : "on";
    return found;
}

/* As the kernel's kstrtobool: 1, 0; -1 for what it would not take. */
static int boolean(const char *value)
{
    if (strchr("1yYtT", value[0]) && value[0])
        return 1;
    if (strchr("0nNfF", value[0]) && value[0])
        return 0;
    if (value[0] == 'o' || value[0] == 'O')
        return value[1] == 'n' || value[1] == 'N'   ? 1
               : value[1] == 'f' || value[1] == 'F' ? 0
                                                    : -1;
    return -1;
}

/* Whatever is not plainly off is on. */
static bool maybe_on(const char *cmdline, const char *name)
{
    const char *v = last_word(cmdline, name);

    return v && boolean(v) != 0;
}

int pages_judge(const char *cmdline, const char *config, struct agent_why *why)
{
    const char *v = last_word(cmdline, "init_on_free");

    if (maybe_on(cmdline, "page_poison"))
        return agent_fail(why, MEXT_AGENT_E_UNSURE, "page_poison is on");
    if (maybe_on(cmdline, "debug_pagealloc") ||
        (config && strstr(config, "\nCONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT=y")))
        return agent_fail(why, MEXT_AGENT_E_UNSURE, "debug_pagealloc is on");
    if (v)
        return boolean(v) == 0 ? 0 : MEXT_AGENT_FREE_ZERO;
    if (config &&
        strstr(config, "\n# CONFIG_INIT_ON_FREE_DEFAULT_ON is not set"))
        return 0;
    return MEXT_AGENT_FREE_ZERO;
}

static int judge(struct agent_why *why)
{
    static char cmdline[8192], config[CONFIG_MAX];
    char path[128 + sizeof(struct utsname)], type[16];
    struct utsname u;
    int n;

    if (agent_read_file("/sys/hypervisor/guest_type", type, sizeof(type)) > 0 &&
        !strncmp(type, "PV\n", 3))
        return agent_fail(why, MEXT_AGENT_E_UNSURE, "a PV guest");
    if (agent_read_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
        return agent_fail(why, MEXT_AGENT_E_UNSURE, "/proc/cmdline: %s",
                          strerror(errno));
    uname(&u);
    snprintf(path, sizeof(path), "/boot/config-%s", u.release);
    n = agent_read_file(path, config, sizeof(config));
    return pages_judge(cmdline, n > 0 ? config : NULL, why);
}

unsigned pages_bits(const uint64_t *first, const uint64_t *second, unsigned n,
                    uint8_t *bits)
{
    unsigned pages = 0;

    memset(bits, 0, (n + 7) / 8);
    for (unsigned i = 0; i < n; i++)
        if (first[i] == FREE_PAGE && second[i] == FREE_PAGE) {
            bits[i / 8] |= (uint8_t)(1 << i % 8);
            pages++;
        }
    return pages;
}

/* Up to n words from gfn on: how many there are, or -1. */
static int read_flags(int fd, uint64_t gfn, uint64_t *words, unsigned n)
{
    ssize_t r = pread(fd, words, n * 8, (off_t)(gfn * 8));

    /* the kernel says EINVAL beyond the last page */
    return r < 0 && errno != EINVAL ? -1 : r < 0 ? 0 : (int)(r / 8);
}

/* count gfns from first on; how many of them are free, or -1. */
static int chunk(int fd, uint64_t first, uint32_t count, uint64_t end_ms,
                 uint8_t *bits, struct agent_why *why)
{
    static uint64_t once[BLOCK], twice[BLOCK];
    unsigned pages = 0;

    memset(bits, 0, MEXT_AGENT_BITS_MAX);
    for (uint32_t i = 0; i < count; i += BLOCK) {
        unsigned want = count - i < BLOCK ? count - i : BLOCK;
        int n = read_flags(fd, first + i, once, want);
        int m = read_flags(fd, first + i, twice, want);

        if (n < 0 || m < 0)
            return agent_fail(why, MEXT_AGENT_E_FAILED, "/proc/kpageflags: %s",
                              strerror(errno));
        if (agent_now_ms() >= end_ms)
            return agent_fail(why, MEXT_AGENT_E_DEADLINE, "reading kpageflags");
        pages += pages_bits(once, twice, (unsigned)(n < m ? n : m),
                            bits + i / 8);
        if (n < (int)want || m < (int)want)
            break;
    }
    return (int)pages;
}

int pages_free(uint64_t ngfns, uint64_t end_ms, pages_fn *fn, void *arg,
               unsigned *flags_r, uint64_t *pages_r, struct agent_why *why)
{
    static uint8_t bits[MEXT_AGENT_BITS_MAX];
    int rc = 0, n, flags = judge(why), fd;
    uint64_t pages = 0;

    if (flags < 0)
        return -1;
    fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return agent_fail(why, MEXT_AGENT_E_FAILED, "/proc/kpageflags: %s",
                          strerror(errno));
    for (uint64_t gfn = 0; gfn < ngfns && !rc; gfn += MEXT_AGENT_CHUNK_GFNS) {
        uint64_t left = ngfns - gfn;
        uint32_t count = left < MEXT_AGENT_CHUNK_GFNS ? (uint32_t)left
                                                      : MEXT_AGENT_CHUNK_GFNS;

        n = chunk(fd, gfn, count, end_ms, bits, why);
        rc = n > 0 ? fn(arg, gfn, count, bits, why) : n;
        pages += n > 0 ? (uint64_t)n : 0;
    }
    close(fd);
    *flags_r = (unsigned)flags;
    *pages_r = pages;
    return rc;
}
