/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * If a call were let through it would fail for want of privilege or harm
 * nothing: what counts is that it does not return.
 */
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "door.h"
#include "jail_deeds.h"
#include "part.h"

#define P(x)       ((long)(x))
#define X32        0x40000000L /* the same calls of another ABI */
#define I386       5L          /* open, by int 0x80 */
#define CONN       GATE_TCP_FD /* the listener resp. the connection */
#define BOTH       (DEED_DOOR | DEED_LINE)
#define NO         DEED_NOBODY, false
#define CALL(call) #call, SYS_##call

static char path[] = "/";
static char name[] = "x";
static char hypervisor[] = "/dev/xen/privcmd";
static char shell[] = "/bin/sh";
static char page[8192] __attribute__((aligned(4096)));
static const char *const words[] = { shell, NULL };
static const long how[8] = { O_RDONLY };
static struct clone_args whole = { .exit_signal = SIGCHLD };

const struct jail_deed jail_deeds[] = {
    /* the part's own: that these return proves that the others could */
    { "getrandom", SYS_getrandom, { P(page), 16 }, BOTH, false },
    { "read", SYS_read, { -1 }, BOTH, false },
    { "mmap",
      SYS_mmap,
      { 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
      BOTH,
      false },
    { "accept4", SYS_accept4, { CONN, 0, 0, SOCK_NONBLOCK }, DEED_DOOR, false },

    /* files */
    { CALL(open), { P(path), O_RDONLY }, NO },
    { "open-hypervisor", SYS_open, { P(hypervisor), O_RDWR }, NO },
    { CALL(openat), { AT_FDCWD, P(path), O_RDONLY }, NO },
    { "openat-hypervisor",
      SYS_openat,
      { AT_FDCWD, P(hypervisor), O_RDWR },
      NO },
    { CALL(openat2), { AT_FDCWD, P(path), P(how), 24 }, NO },
    { CALL(creat), { P(name), 0600 }, NO },
    { "open-x32", X32 | SYS_open, { P(path), O_RDONLY }, NO },
    { "open-i386", I386, { 0 }, DEED_NOBODY, true },
    { CALL(name_to_handle_at),
      { AT_FDCWD, P(path), P(page), P(page + 4096), 0 },
      NO },
    { CALL(open_by_handle_at), { 1, P(page) }, NO },
    { CALL(stat), { P(path), P(page) }, NO },
    { CALL(fstat), { 1, P(page) }, NO },
    { CALL(readlink), { P(path), P(page), 4096 }, NO },
    { CALL(getdents64), { 1, P(page), 4096 }, NO },
    { CALL(unlink), { P(name) }, NO },
    { CALL(rename), { P(name), P(name) }, NO },
    { CALL(symlink), { P(name), P(name) }, NO },
    { CALL(mkdir), { P(name), 0700 }, NO },
    { CALL(mknod), { P(name), S_IFCHR | 0600, 0 }, NO },
    { CALL(chmod), { P(name), 0777 }, NO },
    { CALL(chown), { P(name), 0, 0 }, NO },
    { CALL(chdir), { P(path) }, NO },
    { CALL(chroot), { P(path) }, NO },
    { CALL(pivot_root), { P(path), P(path) }, NO },
    { CALL(mount), { P(name), P(path), P("proc"), MS_RDONLY, 0 }, NO },
    { CALL(umount2), { P(path), MNT_DETACH }, NO },

    /* descriptors, and what is done with those that are there */
    { CALL(socket), { AF_INET, SOCK_STREAM }, NO },
    { CALL(socketpair), { AF_UNIX, SOCK_STREAM, 0, P(page) }, NO },
    { CALL(connect), { CONN, P(page), 16 }, NO },
    { CALL(bind), { CONN, P(page), 16 }, NO },
    { CALL(listen), { CONN, 1 }, NO },
    { CALL(accept), { CONN }, NO },
    { CALL(setsockopt), { CONN, SOL_SOCKET, SO_REUSEADDR, P(page), 4 }, NO },
    { CALL(getsockname), { CONN, P(page), P(page) }, NO },
    { CALL(ioctl), { CONN, 0x305000 }, NO },
    { CALL(fcntl), { CONN, F_DUPFD, 0 }, NO },
    { "fcntl-owner", SYS_fcntl, { CONN, F_SETOWN, 1 }, NO },
    { CALL(dup), { CONN }, NO },
    { CALL(dup2), { CONN, 9 }, NO },
    { CALL(dup3), { CONN, 9, 0 }, NO },
    { CALL(pipe), { P(page) }, NO },
    { CALL(pipe2), { P(page), 0 }, NO },
    { CALL(sendfile), { CONN, CONN, 0, 1 }, NO },
    { CALL(splice), { CONN, 0, CONN, 0, 1, 0 }, NO },
    { CALL(memfd_create), { P(name), MFD_CLOEXEC }, NO },
    { CALL(eventfd2), { 0, 0 }, NO },
    { CALL(epoll_create1), { 0 }, NO },
    { CALL(signalfd4), { -1, P(page), 8, 0 }, NO },
    { CALL(timerfd_create), { 0, 0 }, NO },
    { CALL(inotify_init1), { 0 }, NO },
    { CALL(fanotify_init), { 0, 0 }, NO },
    { CALL(userfaultfd), { 0 }, NO },
    { CALL(perf_event_open), { P(page), 0, -1, -1, 0 }, NO },
    { CALL(bpf), { 0, P(page), 64 }, NO },
    { CALL(io_uring_setup), { 1, P(page) }, NO },
    { CALL(io_uring_enter), { CONN, 1, 0, 0 }, NO },

    /* processes */
    { CALL(fork), { 0 }, NO },
    { CALL(vfork), { 0 }, NO },
    { CALL(clone), { SIGCHLD }, NO },
    { "clone-thread",
      SYS_clone,
      { CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, P(page + 8192) },
      NO },
    { CALL(clone3), { P(&whole), sizeof(whole) }, NO },
    { CALL(execve), { P(shell), P(words), P(words + 1) }, NO },
    { CALL(execveat), { AT_FDCWD, P(shell), P(words), P(words + 1), 0 }, NO },
    { CALL(ptrace), { PTRACE_ATTACH, 1 }, NO },
    { "ptrace-me", SYS_ptrace, { PTRACE_TRACEME }, NO },
    { CALL(kill), { 1, 0 }, NO },
    { "kill-all", SYS_kill, { -1, 0 }, NO },
    { CALL(tgkill), { 1, 1, 0 }, NO },
    { CALL(rt_sigqueueinfo), { 1, 0, P(page) }, NO },
    { CALL(pidfd_open), { 1, 0 }, NO },
    { CALL(pidfd_getfd), { CONN, 0, 0 }, NO },
    { CALL(pidfd_send_signal), { CONN, 0, 0, 0 }, NO },
    { CALL(process_vm_readv), { 1 }, NO },
    { CALL(process_vm_writev), { 1 }, NO },
    { CALL(kcmp), { 1, 1, 0, 0, 0 }, NO },
    { CALL(sched_setaffinity), { 0, 8, P(page) }, NO },
    { CALL(setpriority), { 0, 0, 19 }, NO },
    { CALL(prlimit64), { 0, 0, 0, P(page) }, NO },
    { CALL(setpgid), { 0, 0 }, NO },
    { CALL(setsid), { 0 }, NO },

    /* memory that holds code */
    { "mmap-exec",
      SYS_mmap,
      { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
      NO },
    { "mmap-all",
      SYS_mmap,
      { 0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
      NO },
    { CALL(mprotect), { P(page), 4096, PROT_READ | PROT_EXEC }, NO },
    { CALL(pkey_mprotect), { P(page), 4096, PROT_READ | PROT_EXEC, -1 }, NO },
    { CALL(personality), { READ_IMPLIES_EXEC }, NO },
    { CALL(shmget), { 0, 4096, 0600 }, NO },
    { CALL(shmat), { 0, 0, 0 }, NO },
    { CALL(remap_file_pages), { P(page), 4096, 0, 0, 0 }, NO },
    { CALL(modify_ldt), { 0, P(page), 16 }, NO },
    { CALL(arch_prctl), { 0x1003, P(page) }, NO },

    /* privilege */
    { CALL(setuid), { 0 }, NO },
    { CALL(setgid), { 0 }, NO },
    { CALL(setresuid), { 0, 0, 0 }, NO },
    { CALL(setgroups), { 0, 0 }, NO },
    { CALL(capset), { P(page), P(page) }, NO },
    { CALL(prctl), { PR_SET_DUMPABLE, 1 }, NO },
    { CALL(seccomp), { 0, 0, 0 }, NO },
    { CALL(unshare), { CLONE_NEWUSER }, NO },
    { CALL(setns), { CONN, 0 }, NO },
    { CALL(keyctl), { 0, -3, 0 }, NO },
    { CALL(add_key), { P("user"), P(name), P(name), 1, -3 }, NO },
    { CALL(iopl), { 3 }, NO },
    { CALL(ioperm), { 0, 1, 1 }, NO },
    { CALL(init_module), { P(page), 1, P(name) }, NO },
    { CALL(finit_module), { CONN, P(name), 0 }, NO },
    { CALL(kexec_load), { 0, 0, 0, 0 }, NO },
    { CALL(reboot), { 0, 0, 0 }, NO },
    { CALL(sethostname), { P(name), 1 }, NO },
    { CALL(settimeofday), { P(page), 0 }, NO },
    { CALL(clock_settime), { 0, P(page) }, NO },
    { CALL(syslog), { 3, P(page), 4096 }, NO },
    { "no-such-call", 4095, { 0 }, NO },
};

const size_t jail_ndeeds = sizeof(jail_deeds) / sizeof(jail_deeds[0]);
