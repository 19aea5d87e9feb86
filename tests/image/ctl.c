/* SPDX-License-Identifier: GPL-2.0-only */
/* image-ctl: what a test does with a host of images. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "image_config.h"
#include "mext_journal.h"
#include "mext_libxl.h"
#include "mext_xen.h"

#define PATIENCE_MS 20000

static const char usage[] =
    "Usage: image-ctl [-s SOCKET] WORD [ARGUMENT]...\n"
    "\n"
    "  create NAME MIB     a guest, minded until it ends; prints its number\n"
    "  list                number, name, state and log-dirty of all domains\n"
    "  check NAME          exit status 0: its memory is right\n"
    "  resumed NAME        exit status 0: it suspended and was let run again\n"
    "  shutdown NAME       asks it to power off\n"
    "  target NAME KIB     what its memory target is said to be\n"
    "  destroy NAME\n"
    "  nodes               all of xenstore\n"
    "  power-cut           all that runs on the host ends at once\n"
    "  noted FOLDER...     what each journal says of its migrations\n"
    "\n"
    "list's states: running, paused, suspended, stopped.\n";

static struct image_conn *conn;

static bool by_name(const char *name, struct image_domain *d_r)
{
    d_r->domid = 0;
    while (image_next(conn, d_r->domid, d_r))
        if (!strcmp(d_r->name, name))
            return true;
    fprintf(stderr, "image-ctl: there is no domain %s\n", name);
    return false;
}

/* Waits until a node of the domain's begins so; -1 if it does not in time. */
static int wait_for(uint32_t domid, const char *path, const char *prefix,
                    char out[256])
{
    char full[IMAGE_PATH_MAX], token[16];
    struct pollfd p = { .fd = image_fd(conn), .events = POLLIN };

    snprintf(full, sizeof(full), "/local/domain/%u/%s", domid, path);
    image_watch(conn, full, "it");
    for (;;) {
        if (image_read(conn, domid, path, out, 256) >= 0 &&
            !strncmp(out, prefix, strlen(prefix)))
            return 0;
        if (!image_event(conn, token, sizeof(token)) &&
            poll(&p, 1, PATIENCE_MS) <= 0)
            return -1;
    }
}

static void note(void *arg, const char *text)
{
}

/* As the daemon of `xl create`. */
static void mind(uint32_t domid)
{
    struct mext_lxl *l;
    struct mext_why why;

    if (fork())
        return;
    setsid();
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    if (!mext_lxl_open(0, &l, &why))
        mext_lxl_mind(l, domid, 0, &(struct mext_minding){ .note = note });
    _exit(0);
}

static int create(const char *name, const char *mib)
{
    struct image_config g = { .kib = strtoull(mib, NULL, 10) * 1024,
                              .vcpus = 1 };
    char state[256];
    uint32_t domid;

    randombytes_buf(g.uuid, sizeof(g.uuid));
    snprintf(g.name, sizeof(g.name), "%s", name);
    domid = image_create(conn, &g, name, IMAGE_ENTRY_GUEST, NULL, "");
    if (!domid || image_do(conn, IMAGE_UNPAUSE, domid) ||
        wait_for(domid, "data/guest", "running", state)) {
        fprintf(stderr, "image-ctl: %s does not start\n", name);
        return 1;
    }
    mind(domid);
    printf("%u\n", domid);
    return 0;
}

static const char *state_of(const struct image_domain *d)
{
    if (d->shutdown)
        return d->reason == MEXT_SHUTDOWN_SUSPEND ? "suspended" : "stopped";
    return d->paused ? "paused" : "running";
}

static int list(void)
{
    struct image_domain d = { 0 };

    while (image_next(conn, d.domid, &d))
        printf("%u %s %s%s\n", d.domid, d.name, state_of(&d),
               d.logging ? " log-dirty" : "");
    return 0;
}

static int check(const char *name)
{
    struct image_domain d;
    char word[17], answer[256], expected[32];
    uint8_t random[8];

    if (!by_name(name, &d))
        return 1;
    randombytes_buf(random, sizeof(random));
    sodium_bin2hex(word, sizeof(word), random, sizeof(random));
    if (image_write(conn, d.domid, "data/check", word) ||
        wait_for(d.domid, "data/checked", word, answer)) {
        fprintf(stderr, "image-ctl: %s does not answer\n", name);
        return 1;
    }
    snprintf(expected, sizeof(expected), "%s right", word);
    printf("%s\n", answer + strlen(word) + 1);
    return strncmp(answer, expected, strlen(expected)) ? 1 : 0;
}

static int nodes(void)
{
    struct image_msg m = { .op = IMAGE_LIST };

    for (uint64_t i = 0; m.a = i, !image_call(conn, &m); i++) {
        printf("%s = %.*s\n", m.path, (int)m.len, m.data);
        m.op = IMAGE_LIST;
        m.len = 0;
    }
    return 0;
}

static bool print_entry(void *arg, const struct mext_entry *e, bool alive)
{
    printf("%s %s %s\n", (const char *)arg, mext_noted_name(e->noted),
           alive ? "alive" : "left");
    return false;
}

/* Looks at files only, from outside of the hosts. */
static int noted(int argc, char **argv)
{
    struct mext_why why;

    for (int i = 0; i < argc; i++)
        if (mext_journal_each(argv[i], print_entry, argv[i], &why)) {
            fprintf(stderr, "image-ctl: %s\n", why.text);
            return 1;
        }
    return 0;
}

static int run(int argc, char **argv)
{
    struct image_domain d;

    if (argc == 3 && !strcmp(argv[0], "create"))
        return create(argv[1], argv[2]);
    if (argc == 1 && !strcmp(argv[0], "list"))
        return list();
    if (argc == 1 && !strcmp(argv[0], "nodes"))
        return nodes();
    if (argc == 1 && !strcmp(argv[0], "power-cut"))
        return image_do(conn, IMAGE_POWER_CUT, 0), 0;
    if (argc == 2 && !strcmp(argv[0], "resumed"))
        return !by_name(argv[1], &d) || !d.resumed;
    if (argc == 2 && !strcmp(argv[0], "check"))
        return check(argv[1]);
    if (argc == 2 && !strcmp(argv[0], "shutdown"))
        return !by_name(argv[1], &d) ||
               image_write(conn, d.domid, "control/shutdown", "poweroff");
    if (argc == 3 && !strcmp(argv[0], "target"))
        return !by_name(argv[1], &d) ||
               image_write(conn, d.domid, "memory/target", argv[2]);
    if (argc == 2 && !strcmp(argv[0], "destroy"))
        return !by_name(argv[1], &d) || image_do(conn, IMAGE_DESTROY, d.domid);
    fputs(usage, stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *socket = NULL;
    int rc;

    if (argc > 2 && !strcmp(argv[1], "-s")) {
        socket = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc > 2 && !strcmp(argv[1], "noted"))
        return noted(argc - 2, argv + 2);
    conn = image_open(socket);
    if (!conn) {
        perror("image-ctl: no hypervisor");
        return 1;
    }
    rc = run(argc - 1, argv + 1);
    image_close(conn);
    return rc;
}
