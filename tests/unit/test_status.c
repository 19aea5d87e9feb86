/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xl migrate-status, migrate-cancel and migrate-set: over a list of migrations
 * that stands here in place of the journal, at a time that stands still.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mext_monitor.h"
#include "mext_net.h"
#include "unit.h"
#include "xl_status.h"

#define NOW 1800000000u /* 2027-01-15 08:00:00 UTC */

static char dir[64], out[16384], err[16384];
static struct mext_why why;

/* ---- in place of mext_journal_list.c ---- */

static struct mext_entry entries[8];
static bool alive[8];
static size_t n_entries;

int mext_journal_each(const char *d, mext_entry_fn *fn, void *arg,
                      struct mext_why *w)
{
    if (strcmp(d, "journal"))
        return mext_fail(w, "cannot read %s", d);
    for (size_t i = 0; i < n_entries; i++)
        if (fn(arg, &entries[i], alive[i]))
            break;
    return 0;
}

/* ---- somebody who migrates, in a process of its own ---- */

enum role {
    HOLD,      /* until it is let go or cancelled */
    COMMITTED, /* cannot be cancelled any more */
};

static pid_t server;
static int hold = -1, told = -1; /* pipes to it and from it */
/* It is let go as soon as this stands in out; NULL: by stop(). */
static const char *until;

static void let_go(void)
{
    if (hold >= 0)
        close(hold);
    hold = -1;
}

static void migrate(enum role role, const char *state, int held, int tell)
{
    struct mext_standing st = {
        "copying", "copies memory", 3, 45, 100, 7 << 20, 1234,
    };
    struct mext_wishes w = { 0 };
    struct mext_steer *s;

    if (mext_steer_open(dir, &entries[4], &s, &why))
        _exit(1);
    mext_steer_tell(s, &st);
    if (role == COMMITTED && mext_steer_commit(s, &why))
        _exit(1);
    if (write(tell, "", 1) != 1)
        _exit(1);
    mext_net_wait(&held, 1, 100000, &why);
    mext_steer_wishes(s, &w);
    mext_steer_close(s, state, "by the operator");
    _exit(write(tell, &w, sizeof(w)) != sizeof(w));
}

/* Returns when it can be looked at. */
static void serve(enum role role, const char *state)
{
    int to[2], from[2];
    char ready;

    ck_assert_int_eq(pipe(to) | pipe(from), 0);
    server = fork();
    if (!server) {
        close(to[1]);
        migrate(role, state, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    hold = to[1];
    told = from[0];
    ck_assert_int_eq(read(told, &ready, 1), 1);
}

/* Waits for its end; what was wished meanwhile. */
static struct mext_wishes stop(void)
{
    struct mext_wishes w;
    int status;

    let_go();
    ck_assert_int_eq(read(told, &w, sizeof(w)), sizeof(w));
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(status, 0);
    close(told);
    server = 0;
    until = NULL;
    return w;
}

/* ---- running words ---- */

static struct mext_entry *add(unsigned id, enum mext_noted n, unsigned age,
                              const char *name, bool lives)
{
    struct mext_entry *e = &entries[n_entries];

    memset(e, 0, sizeof(*e));
    e->id[0] = (uint8_t)(id >> 8);
    e->id[1] = (uint8_t)id;
    e->id[2] = 0x11;
    e->side = n < MEXT_NOTED_INCOMING ? MEXT_SIDE_SOURCE : MEXT_SIDE_DEST;
    e->noted = n;
    e->begun = NOW - age;
    e->changed = NOW - age + 10;
    strcpy(e->host, "b.example:7010");
    strcpy(e->name, name);
    alive[n_entries++] = lives;
    return e;
}

static void setup(void)
{
    strcpy(dir, "/tmp/test_status.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    n_entries = 0;
    add(0x0a00, MEXT_NOTED_DONE, 40 * 86400, "old", false);
    add(0x1a2b, MEXT_NOTED_KEPT, 7200, "web", false);
    strcpy(entries[1].text, "cancelled \x1b[1m\"here\"");
    add(0x1a2c, MEXT_NOTED_COMMITTING, 3 * 86400, "mail", false);
    add(0x2000, MEXT_NOTED_COMMITTED, 600, "beef", false);
    add(0xbeef, MEXT_NOTED_BEGUN, 30, "web", true);
    entries[4].domid = 5;
    entries[4].uuid[0] = 0xab;
}

static void teardown(void)
{
    if (server)
        stop();
    rmdir(dir);
}

/* Appends to out or err. */
static ssize_t on_write(void *to, const char *p, size_t n)
{
    size_t at = strlen(to);

    ck_assert_uint_lt(at + n, sizeof(out));
    memcpy((char *)to + at, p, n);
    ((char *)to)[at + n] = 0;
    if (to == out && until && strstr(out, until))
        let_go();
    return (ssize_t)n;
}

static FILE *stream(char *to)
{
    to[0] = 0;
    return fopencookie(to, "w", (cookie_io_functions_t){ .write = on_write });
}

/* Runs the words of `line`, the folder being d; the exit status. */
static int run_in(const char *d, const char *line)
{
    struct xl_places p = { d, dir, NOW, stream(out), stream(err) };
    char copy[256], *argv[16], *save = NULL;
    int argc = 0, rc;

    strcpy(copy, line);
    for (char *w = strtok_r(copy, " ", &save); w;
         w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    ck_assert(xl_status_word(argv[0]));
    rc = xl_status_run(&p, argc, argv);
    fclose(p.out);
    fclose(p.err);
    return rc;
}

static int run(const char *line)
{
    return run_in("journal", line);
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in: %s", part, text);
}

static void lacks(const char *text, const char *part)
{
    ck_assert_msg(!strstr(text, part), "\"%s\" in: %s", part, text);
}

/* ---- migrate-status ---- */

START_TEST(table)
{
    ck_assert_int_eq(run("migrate-status"), 0);
    ck_assert_str_eq(
        out,
        "ID        SIDE  GUEST                 OTHER HOST                STATE "
        "      WHEN\n"
        "beef1100  out   web                   b.example:7010            begun "
        "      30 s ago\n"
        "20001100  in    beef                  b.example:7010            "
        "committed   9 min ago  start packetd: it goes on with it\n"
        "1a2c1100  out   mail                  b.example:7010            "
        "committing  2 d ago  xl migrate-resolve 1a2c1100\n"
        "1a2b1100  out   web                   b.example:7010            kept  "
        "      1 h ago\n");
    ck_assert_str_eq(err, "");
    ck_assert_int_eq(run("migrate-status --all"), 0);
    has(out, "old ");
    has(out, "39 d ago\n");
    ck_assert_int_eq(run("migrate-status --all web"), 0);
    has(out, "1a2b1100");
    has(out, "beef1100");
    lacks(out, "mail");
}
END_TEST

START_TEST(table_live)
{
    serve(HOLD, "kept");
    ck_assert_int_eq(run("migrate-status"), 0);
    has(out, "copying     30 s ago  iteration 3, 45 %, 1234 pages/s\n");
}
END_TEST

START_TEST(nothing)
{
    n_entries = 0;
    ck_assert_int_eq(run("migrate-status"), 0);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(run("migrate-status --json"), 0);
    ck_assert_str_eq(out, "[\n\n]\n");
    ck_assert_int_eq(run("migrate-status web"), 1);
    ck_assert_str_eq(err, "xl: there is no migration web on this host\n");
}
END_TEST

START_TEST(one)
{
    ck_assert_int_eq(run("migrate-status 1a2b"), 0);
    ck_assert_str_eq(out,
                     "migration  1a2b1100000000000000000000000000\n"
                     "guest      web\n"
                     "to         b.example:7010\n"
                     "state      kept\n"
                     "reason     cancelled ?[1m\"here\"\n"
                     "begun      2027-01-15 06:00:00 UTC (2 h ago)\n"
                     "changed    2027-01-15 06:00:10 UTC (1 h ago)\n"
                     "own key    89eb-0d6a-8a69-1dae-2cd1-5ed0-3699-31ce\n"
                     "its key    89eb-0d6a-8a69-1dae-2cd1-5ed0-3699-31ce\n");
    ck_assert_int_eq(run("migrate-status mail"), 0);
    has(out, "to do      xl migrate-resolve 1a2c1100\n");
    /* what is under way goes before what is newer or older */
    ck_assert_int_eq(run("migrate-status web"), 0);
    has(out, "migration  beef");
    has(out, "domain     5\n");
    ck_assert_int_eq(run("migrate-status 5"), 0);
    has(out, "migration  beef");
    /* a guest's name goes before an ID */
    ck_assert_int_eq(run("migrate-status beef"), 0);
    has(out, "migration  2000");
    ck_assert_int_eq(run("migrate-status BEEF1100"), 0);
    has(out, "migration  beef");
}
END_TEST

START_TEST(named_badly)
{
    ck_assert_int_eq(run("migrate-status 1a2"), 1);
    ck_assert_int_eq(run("migrate-status 1a2d"), 1);
    ck_assert_int_eq(run("migrate-status 7"), 1);
    ck_assert_int_eq(run("migrate-status 1a2b11000000000000000000000000000"),
                     1);
    entries[2].id[1] = 0x2b;
    entries[2].id[2] = 0x12;
    ck_assert_int_eq(run("migrate-status 1a2b"), 1);
    ck_assert_str_eq(err, "xl: several migrations begin with 1a2b\n");
    ck_assert_int_eq(run("migrate-status 1a2b12"), 0);
}
END_TEST

START_TEST(json)
{
    serve(HOLD, "kept");
    ck_assert_int_eq(run("migrate-status --json web"), 0);
    has(out, "\"live\": {\n"
             "            \"step\": \"copies memory\",\n"
             "            \"iteration\": 3,\n"
             "            \"sent\": 45,\n"
             "            \"of\": 100,\n"
             "            \"wire_bytes\": 7340032,\n"
             "            \"pages_per_s\": 1234,\n"
             "            \"seconds\": ");
    has(out, "\"state\": \"copying\"");
    ck_assert_int_eq(run("migrate-status --json 1a2b"), 0);
    ck_assert_str_eq(
        out,
        "[\n"
        "    {\n"
        "        \"id\": \"1a2b1100000000000000000000000000\",\n"
        "        \"side\": \"out\",\n"
        "        \"guest\": \"web\",\n"
        "        \"peer\": \"b.example:7010\",\n"
        "        \"state\": \"kept\",\n"
        "        \"final\": true,\n"
        "        \"alive\": false,\n"
        "        \"text\": \"cancelled ?[1m\\\"here\\\"\",\n"
        "        \"begun\": 1799992800,\n"
        "        \"changed\": 1799992810,\n"
        "        \"domid\": 0,\n"
        "        \"uuid\": \"00000000000000000000000000000000\",\n"
        "        \"boot\": \"00000000000000000000000000000000\",\n"
        "        \"own_key\": \"89eb-0d6a-8a69-1dae-2cd1-5ed0-3699-31ce\",\n"
        "        \"peer_key\": \"89eb-0d6a-8a69-1dae-2cd1-5ed0-3699-31ce\",\n"
        "        \"to_do\": \"\"\n"
        "    }\n"
        "]\n");
}
END_TEST

/* ---- with somebody who migrates ---- */

START_TEST(watch)
{
    serve(HOLD, "done");
    until = "\ncopying: copies memory, iteration 3, 45 %, 1234 pages/s\n";
    ck_assert_int_eq(run("migrate-status --watch web"), 0);
    has(out, "migration  beef");
    has(out, "\ndone: by the operator\n");
    stop();
    /* of one that nobody minds there is nothing to watch */
    ck_assert_int_eq(run("migrate-status --watch mail"), 0);
    has(out, "state      committing\n");
}
END_TEST

START_TEST(watch_json)
{
    serve(HOLD, "done");
    until = "\"state\":\"copying\"";
    ck_assert_int_eq(run("migrate-status --watch --json web"), 0);
    ck_assert_int_eq(strncmp(out, "{\"id\":\"beef", 11), 0);
    has(out, "\"text\":\"by the operator\"}\n");
    stop();
    /* of one that nobody minds: its last line */
    ck_assert_int_eq(run("migrate-status --watch --json mail"), 0);
    has(out, "\"guest\":\"mail\"");
    has(out, "\"state\":\"committing\"");
    has(out, "\"text\":\"");
    ck_assert_ptr_eq(strchr(out, '\n'), out + strlen(out) - 1);
}
END_TEST

/* Cancels, with the given last state; the exit status. */
static int cancel_to(const char *line, const char *state)
{
    int rc;

    serve(HOLD, state);
    rc = run(line);
    stop();
    return rc;
}

START_TEST(cancel)
{
    ck_assert_int_eq(cancel_to("migrate-cancel web", "kept"), 0);
    ck_assert_str_eq(out, "cancelled, the guest stays where it was: kept: by "
                          "the operator\n");
    ck_assert_int_eq(cancel_to("migrate-cancel beef11", "done"), 1);
    ck_assert_str_eq(err, "xl: not cancelled: done: by the operator\n");
    ck_assert_int_eq(cancel_to("migrate-cancel --json 5", "kept"), 0);
    ck_assert_str_eq(out, "{\n"
                          "    \"id\": \"beef1100000000000000000000000000\",\n"
                          "    \"cancelled\": true,\n"
                          "    \"state\": \"kept\",\n"
                          "    \"text\": \"by the operator\"\n"
                          "}\n");
}
END_TEST

START_TEST(cancel_refused)
{
    serve(COMMITTED, "done");
    ck_assert_int_eq(run("migrate-cancel web"), 1);
    has(err, "xl: not cancelled: too late");
    ck_assert_int_eq(run("migrate-cancel --json web"), 1);
    has(out, "\"cancelled\": false");
    ck_assert_int_eq(run("migrate-cancel mail"), 1);
    has(err, "xl migrate-resolve 1a2c1100");
    ck_assert_int_eq(run("migrate-cancel 1a2b"), 1);
    ck_assert_str_eq(err, "xl: this migration has ended: kept\n");
    ck_assert_int_eq(run("migrate-cancel nobody"), 1);
}
END_TEST

START_TEST(no_socket)
{
    ck_assert_int_eq(run("migrate-cancel web"), 1);
    has(err, "cannot connect");
    ck_assert_int_eq(run("migrate-status web"), 0);
    has(out, "state      begun\n");
}
END_TEST

START_TEST(set)
{
    struct mext_wishes w;

    serve(HOLD, "kept");
    ck_assert_int_eq(run("migrate-set web --downtime 100 --bandwidth 50"), 0);
    w = stop();
    ck_assert_uint_eq(w.downtime_ms, 100);
    ck_assert_uint_eq(w.bytes_per_s, 50000000);
    ck_assert(!w.switch_over);
    serve(HOLD, "kept");
    ck_assert_int_eq(
        run("migrate-set --iterations 7 --switch-over --bandwidth 0 5"), 0);
    ck_assert_int_eq(run("migrate-set web --timeout 3600"), 0);
    w = stop();
    ck_assert_uint_eq(w.iterations, 7);
    ck_assert_uint_eq(w.bytes_per_s, UINT64_MAX);
    ck_assert(w.switch_over);
    serve(COMMITTED, "done");
    ck_assert_int_eq(run("migrate-set web --switch-over"), 1);
    has(err, "xl: not set: too late");
    ck_assert_int_eq(run("migrate-set mail --switch-over"), 1);
}
END_TEST

/* ---- arguments ---- */

START_TEST(usage)
{
    static const char *const bad[] = {
        "migrate-status a b",
        "migrate-status --watch",
        "migrate-status --watch --all web",
        "migrate-status --nothing",
        "migrate-status --switch-over web",
        "migrate-cancel",
        "migrate-cancel a b",
        "migrate-cancel --watch a",
        "migrate-set",
        "migrate-set web",
        "migrate-set --switch-over",
        "migrate-set web --downtime",
        "migrate-set web --downtime 0",
        "migrate-set web --downtime 3600001",
        "migrate-set web --downtime 1s",
        "migrate-set web --downtime -1",
        "migrate-set web --iterations 1001",
        "migrate-set web --bandwidth 1000000001",
        "migrate-set web --bandwidth +1",
        "migrate-set web --timeout 604801",
        "migrate-set web other --switch-over",
        "migrate-set --json web --switch-over",
    };
    static const char *const helps[] = {
        "migrate-status --help",
        "migrate-cancel -h",
        "migrate-set --help",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(run(bad[i]) == 2, "%s", bad[i]);
        ck_assert_str_eq(out, "");
        ck_assert_str_ne(err, "");
    }
    for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
        ck_assert_msg(run(helps[i]) == 0, "%s", helps[i]);
        has(out, "Usage: xl migrate-");
        ck_assert_str_eq(err, "");
    }
    ck_assert(!xl_status_word("migrate"));
    ck_assert(!xl_status_word("migrate-receive"));
    ck_assert(!xl_status_word(""));
}
END_TEST

START_TEST(no_journal)
{
    ck_assert_int_eq(run_in("elsewhere", "migrate-status"), 1);
    ck_assert_str_eq(err, "xl: cannot read elsewhere\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        table,     table_live, nothing,    one,        named_badly,
        json,      watch,      watch_json, cancel,     cancel_refused,
        no_socket, set,        usage,      no_journal, NULL,
    };

    return unit_main(unit_suite_in("status", tests, setup, teardown));
}
