/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail.h"
#include "mext_net.h"

int jail_user_find(const char *name, struct jail_user *u_r,
                   struct mext_why *why)
{
    const struct passwd *pw = getpwnam(name);

    if (!pw)
        return mext_fail(why,
                         "there is no user \"%.64s\" for the part that reads "
                         "from the network: adduser --system --group "
                         "--no-create-home %.64s, or give --user",
                         name, name);
    if (!pw->pw_uid || !pw->pw_gid)
        return mext_fail(why,
                         "user \"%.64s\" is root or in its group: give "
                         "--user another one",
                         name);
    *u_r = (struct jail_user){ pw->pw_uid, pw->pw_gid };
    return 0;
}

/* A folder that nobody can reach: it is deleted before it becomes the root. */
static int no_files(struct mext_why *why)
{
    char dir[] = "/tmp/packetd-XXXXXX";

    if (!mkdtemp(dir) || chdir(dir) || rmdir(dir) || chroot("."))
        return mext_fail(why, "no empty folder: %s", strerror(errno));
    return 0;
}

/* Neither a process more nor a core that tells keys. */
static int no_processes(struct mext_why *why)
{
    const struct rlimit none = { 0, 0 };

    if (setrlimit(RLIMIT_NPROC, &none) || setrlimit(RLIMIT_CORE, &none) ||
        prctl(PR_SET_DUMPABLE, 0))
        return mext_fail(why, "limits: %s", strerror(errno));
    return 0;
}

static int no_root(const struct jail_user *u, struct mext_why *why)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap))
            return mext_fail(why, "cannot drop capability %d: %s", cap,
                             strerror(errno));
    if (setgroups(0, NULL) || setresgid(u->gid, u->gid, u->gid) ||
        setresuid(u->uid, u->uid, u->uid) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return mext_fail(why, "cannot become user %u: %s", (unsigned)u->uid,
                         strerror(errno));
    return 0;
}

/* What libc, libsodium and our own loops need; nothing opens anything. */
static const int calls[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(close),
    SCMP_SYS(shutdown),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
#ifdef __SANITIZE_ADDRESS__
    SCMP_SYS(sigaltstack), /* its runtime looks at it before an exit */
#endif
};

static int allow(scmp_filter_ctx f, bool accepts)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
    /* Memory, but none that holds code. */
    rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (accepts)
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(accept4), 0);
    return rc;
}

static int no_calls(bool accepts, struct mext_why *why)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc = f ? allow(f, accepts) : -1;

    if (!rc)
        rc = seccomp_load(f);
    seccomp_release(f);
    return rc ? mext_fail(why, "this kernel takes no seccomp filter") : 0;
}

/* ---- libxc's save helper ---- */

/*
 * What it and its loader need: it opens Xen's devices itself.  No socket, no
 * process more.
 */
static const int helper_calls[] = {
    SCMP_SYS(execve),     SCMP_SYS(ioctl),           SCMP_SYS(fcntl),
    SCMP_SYS(lseek),      SCMP_SYS(pread64),         SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(access),          SCMP_SYS(mmap),
    SCMP_SYS(mprotect),   SCMP_SYS(mlock),           SCMP_SYS(munlock),
    SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),       SCMP_SYS(prlimit64),       SCMP_SYS(rt_sigaction),
    SCMP_SYS(uname),      SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
};

static int helper_filter(struct mext_why *why)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = f ? 0 : -1;

    for (size_t i = 0; !rc && i < sizeof(calls) / sizeof(calls[0]); i++)
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
    for (size_t i = 0; !rc && i < sizeof(helper_calls) / sizeof(int); i++)
        rc |= seccomp_rule_add(f, SCMP_ACT_ALLOW, helper_calls[i], 0);
    /* What is there: no new file, none emptied. */
    if (!rc)
        rc |=
            seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT | O_TRUNC, 0));
    if (!rc)
        rc = seccomp_load(f);
    seccomp_release(f);
    return rc ? mext_fail(why, "this kernel takes no seccomp filter") : 0;
}

/*
 * Root's files are its own still.  None is made, emptied or written to with write(2);
 * a mapping of one is not stopped, nor is what /dev/xen, which it needs, allows.
 */
int jail_helper(struct mext_why *why)
{
    const struct rlimit none = { 0, 0 };

    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap))
            return mext_fail(why, "cannot drop capability %d: %s", cap,
                             strerror(errno));
    if (setrlimit(RLIMIT_FSIZE, &none) || setrlimit(RLIMIT_CORE, &none) ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return mext_fail(why, "limits: %s", strerror(errno));
    return helper_filter(why);
}

int jail_enter(const struct jail_user *u, bool accepts, struct mext_why *why)
{
    close(STDIN_FILENO); /* whoever started this has closed all others */
    if (no_files(why) || no_processes(why) || no_root(u, why) ||
        no_calls(accepts, why))
        return -1;
#ifdef PACKETD_TEST_HOOK
    jail_test_hook();
#endif
    return 0;
}
