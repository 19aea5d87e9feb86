/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "door_case.h"

#define WAIT_MS 60000 /* for what must come: only a failure waits so long */

struct part_door door;
struct gate_msg got;
uint64_t counted[GATE_REASONS];
unsigned hellos;
uint32_t rate;
bool stranger_trusted;

static struct mext_why why;

/* ---- the monitor's side ---- */

void send_trust(void)
{
    static struct gate_msg m;
    struct mext_identity id;

    m.type = GATE_TRUST;
    m.fd = -1;
    m.u.trust.rate = rate;
    m.u.trust.nself = 1;
    fix_identity(&id, FIX_DEST);
    memcpy(m.u.trust.self[0], id.pk, MEXT_KEY_LEN);
    m.u.trust.n = stranger_trusted ? 2 : 1;
    fix_identity(&id, FIX_SOURCE);
    memcpy(m.u.trust.keys[0], id.pk, MEXT_KEY_LEN);
    fix_identity(&id, FIX_STRANGER);
    memcpy(m.u.trust.keys[1], id.pk, MEXT_KEY_LEN);
    ck_assert_msg(!gate_send(door.gate, &m, &why), "%s", why.text);
}

void send_verdict(unsigned code, const char *text)
{
    struct gate_msg m = { .type = GATE_VERDICT, .fd = -1 };

    m.u.verdict.code = (uint16_t)code;
    strcpy(m.u.verdict.why.text, text);
    ck_assert_msg(!gate_send(door.gate, &m, &why), "%s", why.text);
}

void take_message(void)
{
    ck_assert_msg(!gate_recv(door.gate, &got, &why), "%s", why.text);
    if (got.type == GATE_REFUSED)
        for (unsigned i = 0; i < GATE_REASONS; i++)
            counted[i] += got.u.refused.n[i];
    if (got.type == GATE_HELLO) {
        hellos++;
        send_trust();
    }
}

void await_token(void)
{
    do
        take_message();
    while (got.type != GATE_TOKEN);
}

static uint64_t all_counted(void)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < GATE_REASONS; i++)
        n += counted[i];
    return n;
}

void await_counted(uint64_t n)
{
    while (all_counted() < n)
        take_message();
    ck_assert_uint_eq(all_counted(), n);
}

void open_door_as(const char *program, const char *address, int log)
{
    memset(counted, 0, sizeof(counted));
    hellos = rate = stranger_trusted = 0;
    ck_assert_msg(!part_door_start(&door, program, address, log, NULL, &why),
                  "%s", why.text);
}

void open_door(void)
{
    open_door_as(PART_PROGRAM, NULL, -1);
    take_message();
    ck_assert_uint_eq(got.type, GATE_HELLO);
}

void close_door(void)
{
    int status;

    close(door.gate);
    status = part_wait(door.pid);
    ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "status %x",
                  (unsigned)status);
}

/* ---- callers ---- */

void fresh_token(uint8_t out[MEXT_TOKEN_LEN], enum fix_who who, uint8_t i)
{
    struct mext_identity id;
    struct mext_token t;

    fix_token(&t);
    fix_identity(&id, who);
    memset(t.id, i, sizeof(t.id));
    memcpy(t.source, id.pk, sizeof(t.source));
    t.issued = (uint64_t)time(NULL);
    t.expiry = t.issued + 300;
    ck_assert_int_eq(mext_token_sign(&t, &id, out), 0);
}

static struct sockaddr_in ip4(const char *address, uint16_t port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };

    ck_assert_int_eq(inet_pton(AF_INET, address, &sa.sin_addr), 1);
    return sa;
}

static int socket_from(const char *from, int type)
{
    struct sockaddr_in a = ip4(from, 0), to = ip4("127.0.0.1", door.port);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

int call(const char *from)
{
    return socket_from(from, SOCK_STREAM);
}

int udp_from(const char *from)
{
    return socket_from(from, SOCK_DGRAM);
}

void send_frame(int fd, const void *p, size_t n)
{
    ck_assert_msg(!mext_net_send_plain(fd, p, n, WAIT_MS, &why), "%s",
                  why.text);
}

/* Until the caller has something to read; a closed end is something. */
static void await_caller(int fd)
{
    int fds[2] = { door.gate, fd }, ready;

    while ((ready = mext_net_wait(fds, 2, WAIT_MS, &why)) == 0)
        take_message();
    ck_assert_int_eq(ready, 1);
}

void expect_end(int fd)
{
    char c;

    await_caller(fd);
    ck_assert_int_le(recv(fd, &c, 1, 0), 0);
    close(fd);
}

void expect_refuse(int fd, unsigned code, const char *text)
{
    uint8_t in[MEXT_TOKEN_LEN];
    struct mext_ctl m;
    int n;

    await_caller(fd);
    n = mext_net_recv_plain(fd, in, sizeof(in), WAIT_MS, &why);
    ck_assert_msg(n > 0, "%s", why.text);
    ck_assert_int_eq(mext_ctl_decode(in, (size_t)n, &m), 0);
    ck_assert_uint_eq(m.type, MEXT_CTL_ABORT);
    ck_assert_uint_eq(m.u.abort.code, code);
    if (text)
        ck_assert(strlen(text) == m.u.abort.len &&
                  !memcmp(m.u.abort.text, text, m.u.abort.len));
    expect_end(fd);
}
