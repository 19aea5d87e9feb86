/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's door and line in their jail: code that runs there can open
 * nothing, start nothing and become nobody; from outside they look as
 * docs/specs/privsep.md says.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail_deeds.h"
#include "part.h"
#include "unit.h"

static struct mext_why why;

/* ---- the two parts, up to where they would begin to work ---- */

struct held {
    pid_t pid;
    int ours;   /* gate, or line */
    int source; /* the line's connection, the other end */
};

static void start_door(struct held *h, const char *program, const char *deed)
{
    struct part_door d;

    ck_assert_msg(!part_door_start(&d, program, NULL, -1, deed, &why), "%s",
                  why.text);
    *h = (struct held){ d.pid, d.gate, -1 };
}

static void start_line(struct held *h, const char *program, const char *deed)
{
    struct line_setup setup;
    int line[2], conn[2], joins[2];

    memset(&setup, 7, sizeof(setup));
    setup.channels = 2;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line),
                     0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, conn),
                     0);
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, joins), 0);
    ck_assert_int_eq(write(line[0], &setup, sizeof(setup)), sizeof(setup));
    *h = (struct held){ part_start(program, LINE_WORD,
                                   (int[]){ line[1], conn[1], joins[1] }, 3, -1,
                                   deed),
                        line[0], conn[0] };
    ck_assert_int_gt(h->pid, 0);
    close(joins[0]);
    close(joins[1]);
    close(line[1]);
    close(conn[1]);
}

/* Waits until it is in its jail, which its first word tells. */
static void await_word(const struct held *h)
{
    uint8_t hello[MEXT_HELLO_LEN];
    struct gate_msg m;

    if (h->source < 0) {
        ck_assert_msg(!gate_recv(h->ours, &m, &why), "%s", why.text);
        ck_assert_uint_eq(m.type, GATE_HELLO);
        return;
    }
    ck_assert_int_eq(
        mext_net_recv_plain(h->source, hello, sizeof(hello), 60000, &why),
        sizeof(hello));
    ck_assert_uint_eq(hello[0], 7);
}

/* The part ends when nobody is left on the other side. */
static void end(const struct held *h)
{
    int status;

    close(h->ours);
    status = part_wait(h->pid);
    if (h->source >= 0)
        close(h->source);
    ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status), "status %x",
                  (unsigned)status);
}

/* ---- from within ---- */

static bool died_of(int status, int sig)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static void try_deed(const struct jail_deed *d, unsigned part)
{
    struct held h;
    int status;

    if (part == DEED_DOOR)
        start_door(&h, PART_HOOKED, d->name);
    else
        start_line(&h, PART_HOOKED, d->name);
    status = part_wait(h.pid);
    close(h.ours);
    if (h.source >= 0)
        close(h.source);
    if (d->may & part)
        ck_assert_msg(WIFEXITED(status) && !WEXITSTATUS(status),
                      "%s is not let through: %x", d->name, (unsigned)status);
    else
        ck_assert_msg(died_of(status, SIGSYS) ||
                          (d->old && died_of(status, SIGSEGV)),
                      "%s is let through: %x", d->name, (unsigned)status);
}

START_TEST(door_can_do_nothing)
{
    for (size_t i = 0; i < jail_ndeeds; i++)
        try_deed(&jail_deeds[i], DEED_DOOR);
}
END_TEST

START_TEST(line_can_do_nothing)
{
    for (size_t i = 0; i < jail_ndeeds; i++)
        try_deed(&jail_deeds[i], DEED_LINE);
}
END_TEST

/* The program that is told to do them works, as long as it is told nothing. */
START_TEST(hooked_works)
{
    struct held h;

    start_door(&h, PART_HOOKED, NULL);
    await_word(&h);
    end(&h);
    start_line(&h, PART_HOOKED, NULL);
    await_word(&h);
    end(&h);
}
END_TEST

/* ---- from outside ---- */

/* A file of /proc/PID. */
static const char *proc(pid_t pid, const char *name)
{
    static char text[8192];
    char path[64];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void check_status(pid_t pid)
{
    static const char *const lines[] = {
        "\nUid:\t54321\t54321\t54321\t54321\n",
        "\nGid:\t54322\t54322\t54322\t54322\n",
        "\nGroups:\t \n",
        "\nThreads:\t1\n",
        "\nCapInh:\t0000000000000000\n",
        "\nCapPrm:\t0000000000000000\n",
        "\nCapEff:\t0000000000000000\n",
        "\nCapBnd:\t0000000000000000\n",
        "\nCapAmb:\t0000000000000000\n",
        "\nNoNewPrivs:\t1\n",
        "\nSeccomp:\t2\n",
    };
    const char *status = proc(pid, "status");

    for (size_t i = 0; i < COUNT(lines); i++)
        ck_assert_msg(strstr(status, lines[i]) != NULL, "%s is not in%s",
                      lines[i], status);
}

static void check_limit(pid_t pid, const char *name)
{
    const char *line = strstr(proc(pid, "limits"), name);
    char soft[32], hard[32];

    ck_assert_ptr_nonnull(line);
    ck_assert_int_eq(sscanf(line + strlen(name), "%31s %31s", soft, hard), 2);
    ck_assert_str_eq(soft, "0");
    ck_assert_str_eq(hard, "0");
}

/* A folder that was deleted; mkdtemp's letters are in its name. */
static void check_folder(pid_t pid, const char *name)
{
    static const char gone[] = " (deleted)";
    char path[64], to[4096];
    struct stat st;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    n = readlink(path, to, sizeof(to) - 1);
    ck_assert_int_gt(n, (ssize_t)sizeof(gone));
    to[n] = 0;
    ck_assert_str_eq(to + n - strlen(gone), gone);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
}

static void check_descriptors(pid_t pid, int last)
{
    bool open[8] = { false };
    struct dirent *e;
    char path[64];
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    d = opendir(path);
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        ck_assert_int_le(atoi(e->d_name), last);
        open[atoi(e->d_name)] = true;
    }
    closedir(d);
    ck_assert(!open[STDIN_FILENO]);
    for (int i = STDOUT_FILENO; i <= last; i++)
        ck_assert_msg(open[i], "%d", i);
}

static void check_from_outside(const struct held *h, int last)
{
    char path[64];
    struct stat st;

    check_status(h->pid);
    check_limit(h->pid, "Max processes");
    check_limit(h->pid, "Max core file size");
    check_folder(h->pid, "root");
    check_folder(h->pid, "cwd");
    check_descriptors(h->pid, last);
    /* not dumpable: its memory is not even its own user's to see */
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)h->pid);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
}

START_TEST(door_from_outside)
{
    struct held h;

    start_door(&h, PART_PROGRAM, NULL);
    await_word(&h);
    check_from_outside(&h, GATE_UDP_FD);
    end(&h);
}
END_TEST

START_TEST(line_from_outside)
{
    struct held h;

    start_line(&h, PART_PROGRAM, NULL);
    await_word(&h);
    check_from_outside(&h, GATE_JOINS_FD);
    end(&h);
}
END_TEST

/* ---- whose jail ---- */

START_TEST(user)
{
    struct jail_user u;

    ck_assert_int_eq(jail_user_find("root", &u, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "--user"));
    ck_assert_int_eq(jail_user_find("no-such-user", &u, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "adduser"));
    ck_assert_int_eq(jail_user_find("nobody", &u, &why), 0);
    ck_assert_uint_ne(u.uid, 0);
    ck_assert_uint_ne(u.gid, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        door_can_do_nothing,
        line_can_do_nothing,
        hooked_works,
        door_from_outside,
        line_from_outside,
        user,
        NULL,
    };

    unit_need_root();
    return unit_main(unit_suite("jail", tests));
}
