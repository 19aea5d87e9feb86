/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `packetd run` as a service manager sees it: ready, reload, stop, sockets that
 * are handed over, and the file of counts.  Any file does for an image here.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mext_fate_ask.h"
#include "mext_net.h"
#include "unit.h"

#define PACKETD "tools/packetd/packetd"
#define WAIT_MS 30000

static char dir[] = "/tmp/test-service-XXXXXX", metrics[64], state[64];
static char conf[64];
static int notify = -1, tcp = -1, udp = -1;
static uint16_t port;
static pid_t pid;
static struct mext_why why;

static void open_notify(char path[108])
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    snprintf(path, 108, "%s/notify", dir);
    strcpy(sa.sun_path, path);
    notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(notify, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

/* As systemd does: descriptors from 3 on, and who they are for. */
static void become_packetd(const char *path)
{
    char self[16];
    const char *argv[] = { PACKETD,   "run",   "--dir",     dir,
                           "--state", state,   "--user",    "nobody",
                           "--image", PACKETD, "--metrics", metrics,
                           "--rate",  "0",     "--conf",    conf,
                           NULL };
    int high = fcntl(udp, F_DUPFD, 10);

    dup2(tcp, 3);
    dup2(high, 4);
    snprintf(self, sizeof(self), "%d", (int)getpid());
    setenv("LISTEN_PID", self, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("NOTIFY_SOCKET", path, 1);
    execv(PACKETD, (char *const *)argv);
    _exit(127);
}

static void start(void)
{
    struct mext_identity source;
    char path[108];

    strcpy(dir, "/tmp/test-service-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(metrics, sizeof(metrics), "%s/metrics.prom", dir);
    snprintf(state, sizeof(state), "%s/state", dir);
    snprintf(conf, sizeof(conf), "%s/none.conf", dir);
    ck_assert_int_eq(mext_identity_create(dir, false, &why), 0);
    fix_identity(&source, FIX_SOURCE);
    ck_assert_int_eq(mext_trust_add(dir, "peer", source.pk, false, &why), 0);
    open_notify(path);
    ck_assert_int_eq(mext_net_listen("127.0.0.1", 0, &tcp, &udp, &port, &why),
                     0);
    pid = fork();
    if (!pid)
        become_packetd(path);
    ck_assert_int_gt(pid, 0);
}

/* The next word to the service manager is this. */
static void expect(const char *word)
{
    char got[64];
    ssize_t n;

    ck_assert_int_eq(mext_net_wait(&notify, 1, WAIT_MS, &why), 0);
    n = recv(notify, got, sizeof(got) - 1, 0);
    ck_assert_int_gt(n, 0);
    got[n] = 0;
    ck_assert_str_eq(got, word);
}

static void end(void)
{
    char command[64];
    int status;

    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    expect("STOPPING=1");
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(notify);
    close(tcp);
    close(udp);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* Until the file of counts has a line. */
static void wait_metric(const char *line)
{
    char text[4096];

    for (uint64_t end_ms = mext_now_ms() + WAIT_MS; mext_now_ms() < end_ms;) {
        FILE *f = fopen(metrics, "r");
        size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

        if (f)
            fclose(f);
        text[n] = 0;
        if (strstr(text, line))
            return;
        usleep(20000);
    }
    ck_abort_msg("no \"%s\" in %s", line, text);
}

/* A datagram to the door. */
static void say(const void *p, size_t n)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    ck_assert_int_eq(sendto(fd, p, n, 0, (struct sockaddr *)&to, sizeof(to)),
                     (ssize_t)n);
    close(fd);
}

static void noise(void)
{
    say("noise", 5);
}

/* Good, of the source that is trusted. */
static void trusted_token(uint8_t out[MEXT_TOKEN_LEN])
{
    struct mext_identity source, self;
    struct mext_token t;

    fix_identity(&source, FIX_SOURCE);
    ck_assert_int_eq(mext_identity_load(dir, &self, &why), 0);
    fix_token(&t);
    memcpy(t.audience, self.pk, sizeof(t.audience));
    memset(t.image, 0, sizeof(t.image));
    t.issued = (uint64_t)time(NULL);
    t.expiry = t.issued + 300;
    ck_assert_int_eq(mext_token_sign(&t, &source, out), 0);
}

/* Each refusal counts once, whoever of the two parts refuses. */
START_TEST(counted_once)
{
    uint8_t token[MEXT_TOKEN_LEN];

    start();
    expect("READY=1");
    trusted_token(token);
    say(token, sizeof(token));
    wait_metric("{reason=\"policy of the destination\"} 1\n");
    say(token, sizeof(token));
    wait_metric("{reason=\"token was used before\"} 1\n");
    wait_metric("{reason=\"policy of the destination\"} 1\n");
    wait_metric("packetd_tokens_taken_total 0\n");
    end();
}
END_TEST

/* Once, in the name of `who`, the key `audience`. */
static int ask_fate(enum fix_who who, const uint8_t audience[MEXT_KEY_LEN],
                    unsigned timeout_ms, struct mext_fate *f_r)
{
    struct mext_identity id;
    struct mext_query q;
    char at[32];

    fix_query(&q);
    fix_identity(&id, who);
    memcpy(q.source, id.pk, sizeof(q.source));
    memcpy(q.audience, audience, sizeof(q.audience));
    snprintf(at, sizeof(at), "127.0.0.1:%u", port);
    return mext_fate_ask(at, &q, &id, timeout_ms, f_r, &why);
}

/* Of a migration that never was; a source that is trusted is told so. */
START_TEST(fate)
{
    struct mext_identity self, next;
    struct mext_fate f = { 0 };

    start();
    expect("READY=1");
    ck_assert_int_eq(mext_identity_load(dir, &self, &why), 0);
    for (int i = 0; i < 3; i++) {
        f.fate = 0;
        ck_assert_msg(!ask_fate(FIX_SOURCE, self.pk, WAIT_MS, &f), "%s",
                      why.text);
        ck_assert_uint_eq(f.fate, MEXT_FATE_UNKNOWN);
        ck_assert_uint_eq(f.domid, 0);
    }
    ck_assert_int_eq(ask_fate(FIX_STRANGER, self.pk, 100, &f), -1);
    wait_metric("{reason=\"source key is not trusted\"} 1\n");
    fix_identity(&next, FIX_NEXT);
    ck_assert_int_eq(ask_fate(FIX_SOURCE, next.pk, 100, &f), -1);
    wait_metric("{reason=\"token is for another host\"} 1\n");
    /* The answer is signed by the very key that was asked. */
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    ck_assert_int_eq(kill(pid, SIGHUP), 0);
    expect("RELOADING=1");
    expect("READY=1");
    ck_assert_msg(!ask_fate(FIX_SOURCE, self.pk, WAIT_MS, &f), "%s", why.text);
    ck_assert_int_eq(mext_identity_load(dir, &next, &why), 0);
    ck_assert_mem_ne(self.pk, next.pk, MEXT_KEY_LEN);
    ck_assert_msg(!ask_fate(FIX_SOURCE, next.pk, WAIT_MS, &f), "%s", why.text);
    wait_metric("packetd_door_starts_total 1\n");
    end();
}
END_TEST

START_TEST(lives)
{
    int mine;

    start();
    expect("READY=1");
    wait_metric("packetd_door_starts_total 1\n");
    noise();
    wait_metric(
        "packetd_tokens_refused_total{reason=\"malformed message\"} 1\n");
    ck_assert_int_eq(kill(pid, SIGHUP), 0);
    expect("RELOADING=1");
    expect("READY=1");
    noise();
    wait_metric(
        "packetd_tokens_refused_total{reason=\"malformed message\"} 2\n");
    end();
    /* Nobody is left who holds the port. */
    ck_assert_int_eq(
        mext_net_listen("127.0.0.1", port, &tcp, &mine, &port, &why), 0);
}
END_TEST

/* Without a key a reload changes nothing. */
START_TEST(reload_fails)
{
    char key[64];

    start();
    expect("READY=1");
    snprintf(key, sizeof(key), "%s/host.key", dir);
    ck_assert_int_eq(unlink(key), 0);
    ck_assert_int_eq(kill(pid, SIGHUP), 0);
    expect("RELOADING=1");
    expect("READY=1");
    noise();
    wait_metric(
        "packetd_tokens_refused_total{reason=\"malformed message\"} 1\n");
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { lives, counted_once, fate, reload_fails,
                                   NULL };

    return unit_main(unit_suite("service", tests));
}
