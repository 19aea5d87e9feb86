/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "xl_detach.h"
#include "xl_json.h"

#define LOG_DIR "/var/log/xen"
#define HEX     (2 * MEXT_ID_LEN)

static struct {
    char log[512];
    int ready, fd; /* where it is said that it has begun; the log */
} self;

/* As libxl names its logs; a name is no path. */
static void log_name(const char *domain)
{
    int n = snprintf(self.log, sizeof(self.log), LOG_DIR "/xl-migrate-");

    snprintf(self.log + n, sizeof(self.log) - (size_t)n, "%.200s.log", domain);
    for (char *p = self.log + n; *p; p++)
        if (*p == '/')
            *p = '_';
}

static int failed(const char *what)
{
    fprintf(stderr, "xl: %s: %s\n", what, strerror(errno));
    return 1;
}

static void told_json(const char *id)
{
    yajl_gen g = xl_json_open(stdout);

    if (!g)
        return;
    yajl_gen_config(g, yajl_gen_beautify, 1);
    yajl_gen_map_open(g);
    xl_json_text(g, "result", "begun");
    xl_json_text(g, "id", id);
    xl_json_text(g, "log", self.log);
    yajl_gen_map_close(g);
    yajl_gen_free(g);
}

static void told(const char *domain, const char *host, const char *id,
                 bool json)
{
    if (json)
        told_json(id);
    else
        printf("%s is being migrated to %s; xl migrate-status --watch %.8s "
               "shows it, its log is %s\n",
               domain, host, id, self.log);
}

/* The terminal's: until it has begun, or has failed. */
static int wait_begun(pid_t pid, int from, const char *domain, const char *host,
                      bool json)
{
    char id[HEX + 1] = "";
    int status;
    ssize_t n;

    do
        n = read(from, id, HEX);
    while (n < 0 && errno == EINTR);
    if (n == HEX) {
        told(domain, host, id, json);
        return 0;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return failed("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int xl_detach(const char *domain, const char *host, bool json)
{
    int ends[2];
    pid_t pid;

    log_name(domain);
    self.fd = open(self.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (self.fd < 0)
        return failed(self.log);
    if (pipe2(ends, O_CLOEXEC))
        return failed("pipe");
    pid = fork();
    if (pid < 0)
        return failed("fork");
    self.ready = ends[1];
    if (!pid) {
        close(ends[0]);
        return -1;
    }
    close(ends[1]);
    return wait_begun(pid, ends[0], domain, host, json);
}

void xl_detach_now(const uint8_t id[MEXT_ID_LEN])
{
    char hex[HEX + 1];
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    fflush(stdout);
    /* Before it is said: who was told may close the terminal. */
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(self.fd, STDOUT_FILENO);
    dup2(self.fd, STDERR_FILENO);
    close(null);
    close(self.fd);
    /* A parent that is gone is told nothing; the log has it, too. */
    if (write(self.ready, hex, HEX) != HEX)
        fprintf(stderr, "source: nobody waits for it any more\n");
    close(self.ready);
    fprintf(stderr, "source: migration %s goes on in the background\n", hex);
}
