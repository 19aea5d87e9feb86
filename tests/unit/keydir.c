/* SPDX-License-Identifier: GPL-2.0-only */
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keycmd.h"
#include "keydir.h"
#include "mext_text.h"

char dir[64], out[4096], err[4096];
struct mext_why why;

void keydir_setup(void)
{
    strcpy(dir, "/tmp/test_keys.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int remove_one(const char *p, const struct stat *st, int type,
                      struct FTW *ftw)
{
    return remove(p);
}

void keydir_teardown(void)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *path(const char *name)
{
    static char buf[2][512];
    static unsigned i;

    i ^= 1;
    snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
    return buf[i];
}

void put_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(path(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    ck_assert_int_eq(chmod(path(name), mode), 0);
}

void slurp(const char *name, char buf[4096])
{
    FILE *f = fopen(path(name), "r");
    size_t n;

    ck_assert_ptr_nonnull(f);
    n = fread(buf, 1, 4095, f);
    buf[n] = 0;
    fclose(f);
}

void public_of(enum fix_who who, uint8_t pk[MEXT_KEY_LEN],
               char text[MEXT_KEY_TEXT_LEN])
{
    struct mext_identity id;

    fix_identity(&id, who);
    memcpy(pk, id.pk, MEXT_KEY_LEN);
    if (text)
        mext_key_text(pk, text);
}

void says(const char *word)
{
    ck_assert_msg(strstr(why.text, word) != NULL, "\"%s\" without \"%s\"",
                  why.text, word);
    ck_assert_msg(mext_printable(why.text, strlen(why.text)), "%s", why.text);
}

int run_words(const char *line, const char *input)
{
    char buf[512], *argv[16] = { NULL };
    int argc = 0, status;
    pid_t pid;

    snprintf(buf, sizeof(buf), "%s", line);
    for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    if (input)
        put_file("stdin", input, 0600);
    pid = fork();
    if (!pid) {
        if ((input && !freopen(path("stdin"), "r", stdin)) ||
            !freopen(path("stdout"), "w", stdout) ||
            !freopen(path("stderr"), "w", stderr))
            _exit(99);
        setenv("MEXT_KEYS_DIR", path("k"), 1);
        status = packetd_keycmd(argc, argv);
        fflush(NULL);
        _exit(status < 0 ? 77 : status);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    slurp("stdout", out);
    slurp("stderr", err);
    return WEXITSTATUS(status);
}

bool cut_off(int (*step)(void), unsigned n)
{
    pid_t pid = fork();
    int status = 0;

    if (!pid) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(step() ? 1 : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    while (WIFSTOPPED(status) && n--) {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    }
    if (!WIFSTOPPED(status)) {
        ck_assert_int_eq(status, 0);
        return false;
    }
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return true;
}
