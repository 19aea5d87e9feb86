/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration that was broken off is brought to its end at the source: what the
 * destination says counts, then the operator's word, and of what Xen does not tell
 * nothing is concluded.  Over a journal, a Xen and a destination of this file.
 */
#include <stdio.h>
#include <string.h>

#include "mext_fate_ask.h"
#include "mext_minds.h"
#include "mext_resolve.h"
#include "mext_steer.h"
#include "mext_store.h"
#include "mext_suspend.h"
#include "mext_throttle.h"
#include "mext_xen.h"
#include "unit.h"

#define DOMID 7

static struct mext_entry entry; /* the one that there is */
static bool taken;              /* by another process */
static struct mext_why why;

/* ---- the journal ---- */

struct mext_journal {
    int none;
};

static struct mext_journal journal;
static bool full;               /* the disk */
static struct mext_journal new; /* of one that begins here */
static struct mext_entry new_entry;

int mext_boot_id(uint8_t boot_r[MEXT_BOOT_LEN], struct mext_why *w)
{
    memset(boot_r, 5, MEXT_BOOT_LEN);
    return 0;
}

bool mext_noted_final(enum mext_noted n)
{
    return n == MEXT_NOTED_DONE || n == MEXT_NOTED_KEPT;
}

int mext_journal_take(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_journal **j_r,
                      struct mext_why *w)
{
    if (!memcmp(id, new_entry.id, MEXT_ID_LEN)) {
        *j_r = &new;
        return 0;
    }
    ck_assert_mem_eq(id, entry.id, MEXT_ID_LEN);
    *j_r = &journal;
    return taken;
}

const struct mext_entry *mext_journal_entry(const struct mext_journal *j)
{
    return j == &new ? &new_entry : &entry;
}

int mext_journal_note(struct mext_journal *j, enum mext_noted n,
                      const char *text, struct mext_why *w)
{
    if (full)
        return mext_fail(w, "no room");
    (j == &new ? &new_entry : &entry)->noted = n;
    return 0;
}

void mext_journal_close(struct mext_journal *j)
{
}

int mext_journal_create(const char *dir, struct mext_entry *e,
                        struct mext_journal **j_r, struct mext_why *w)
{
    *j_r = &new;
    new_entry = *e;
    return 0;
}

void mext_journal_expire(const char *dir, uint64_t now)
{
}

int mext_journal_each(const char *dir, mext_entry_fn *fn, void *arg,
                      struct mext_why *w)
{
    fn(arg, &entry, taken);
    return 0;
}

void mext_steer_forget(const char *dir, const struct mext_entry *e)
{
}

/* ---- Xen ---- */

static int there; /* as mext_lxl_now says */
static bool suspended, resumed, destroyed;
static char name[64];

int mext_lxl_now(struct mext_lxl *l, uint32_t domid,
                 struct mext_domain_now *n_r)
{
    if (there)
        return there;
    *n_r = (struct mext_domain_now){ .suspended = suspended };
    memset(n_r->uuid, 9, sizeof(n_r->uuid));
    snprintf(n_r->name, sizeof(n_r->name), "%s", name);
    return 0;
}

int mext_lxl_find(struct mext_lxl *l, const char *domain, uint32_t *domid_r,
                  struct mext_why *w)
{
    *domid_r = DOMID;
    return !strcmp(domain, name) || !strcmp(domain, "7")
               ? 0
               : mext_fail(w, "there is no domain %s", domain);
}

int mext_lxl_resume(struct mext_lxl *l, uint32_t domid, struct mext_why *w)
{
    resumed = true;
    suspended = false;
    return 0;
}

int mext_lxl_rename(struct mext_lxl *l, uint32_t domid, const char *to,
                    struct mext_why *w)
{
    snprintf(name, sizeof(name), "%s", to);
    return 0;
}

int mext_lxl_destroy(struct mext_lxl *l, uint32_t domid, struct mext_why *w)
{
    destroyed = true;
    there = 1;
    return 0;
}

static bool minds; /* packetd is to mind it */

void mext_minds_ask(const uint8_t id[MEXT_ID_LEN])
{
    minds = true;
}

void mext_throttle_end(struct mext_lxl *l, struct mext_store *s, uint32_t domid)
{
}

static bool xenstore = true; /* it answers */
static bool marked;          /* the guest: by the migration that asked it */

int mext_dom_open(uint32_t domid, struct mext_dom **d_r, struct mext_why *w)
{
    *d_r = NULL;
    return 0;
}

void mext_dom_close(struct mext_dom *d)
{
}

void mext_dom_dirty_off(struct mext_dom *d)
{
}

int mext_suspend_withdraw(struct mext_dom *d, struct mext_store *s,
                          struct mext_why *w)
{
    return marked && suspended;
}

void mext_suspend_forget(struct mext_store *s, uint32_t domid)
{
    marked = false;
}

int mext_store_open(struct mext_store **s_r, struct mext_why *w)
{
    *s_r = NULL;
    return xenstore ? 0 : mext_fail(w, "no xenstore");
}

void mext_store_close(struct mext_store *s)
{
}

int mext_store_watch(struct mext_store *s, const char *path, struct mext_why *w)
{
    return 0;
}

/* ---- the destination ---- */

static uint8_t fates[4]; /* its answers, the last again and again; 0: none */
static unsigned asked;

int mext_identities_load(const char *dir, struct mext_identities *ids_r,
                         struct mext_why *w)
{
    memset(ids_r, 0, sizeof(*ids_r));
    return 0;
}

const struct mext_identity *mext_identities_find(
    const struct mext_identities *ids, const uint8_t key[MEXT_KEY_LEN])
{
    static const struct mext_identity self;

    return &self;
}

int mext_fate_ask(const char *host, const struct mext_query *q,
                  const struct mext_identity *self, unsigned timeout_ms,
                  struct mext_fate *f_r, struct mext_why *w)
{
    uint8_t fate = fates[asked < 3 ? asked : 3];

    asked++;
    *f_r = (struct mext_fate){ .fate = fate };
    return fate ? 0 : mext_fail(w, "no answer");
}

/* ---- tests ---- */

static void say(void *arg, const char *text)
{
}

static struct mext_resolver r = {
    .dir = "journal", .keys_dir = "keys", .patience_ms = 1, .say = say
};

static void setup(void)
{
    memset(&entry, 0, sizeof(entry));
    entry.side = MEXT_SIDE_SOURCE;
    entry.noted = MEXT_NOTED_COMMITTING;
    entry.domid = DOMID;
    memset(entry.id, 1, sizeof(entry.id));
    memset(entry.uuid, 9, sizeof(entry.uuid));
    memset(entry.boot, 5, sizeof(entry.boot));
    strcpy(entry.name, "web");
    strcpy(entry.host, "there");
    strcpy(name, "web" MEXT_AWAY_SUFFIX);
    there = 0;
    suspended = true;
    taken = resumed = destroyed = full = minds = marked = false;
    xenstore = true;
    asked = 0;
    memset(fates, 0, sizeof(fates));
    r.verdict = MEXT_VERDICT_NONE;
}

static int resolve(enum mext_verdict v)
{
    unsigned state;

    r.verdict = v;
    why.text[0] = 0;
    return mext_resolve(&r, entry.id, &state, &why);
}

static void answers(uint8_t fate)
{
    memset(fates, fate, sizeof(fates));
}

START_TEST(by_its_word)
{
    static const struct {
        uint8_t fate;
        enum mext_verdict verdict; /* which does not count */
        enum mext_noted noted;
    } rows[] = {
        { MEXT_FATE_RUNNING, MEXT_VERDICT_NONE, MEXT_NOTED_DONE },
        { MEXT_FATE_RUNNING, MEXT_VERDICT_HERE, MEXT_NOTED_DONE },
        { MEXT_FATE_ABORTED, MEXT_VERDICT_NONE, MEXT_NOTED_KEPT },
        { MEXT_FATE_ABORTED, MEXT_VERDICT_THERE, MEXT_NOTED_KEPT },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        setup();
        answers(rows[i].fate);
        ck_assert_int_eq(resolve(rows[i].verdict), 0);
        ck_assert_int_eq(entry.noted, rows[i].noted);
        ck_assert(resumed == (rows[i].noted == MEXT_NOTED_KEPT));
        ck_assert(minds == resumed);
        ck_assert(destroyed == (rows[i].noted == MEXT_NOTED_DONE));
    }
}
END_TEST

START_TEST(by_the_operators)
{
    ck_assert_int_eq(resolve(MEXT_VERDICT_HERE), 0);
    ck_assert(resumed && !destroyed);
    ck_assert_str_eq(name, "web");
    setup();
    answers(MEXT_FATE_UNKNOWN);
    ck_assert_int_eq(resolve(MEXT_VERDICT_THERE), 0);
    ck_assert(destroyed && !resumed);
}
END_TEST

/* It is about to decide: neither of the two, until it has. */
START_TEST(not_while_it_decides)
{
    fates[0] = fates[1] = MEXT_FATE_PENDING;
    fates[2] = fates[3] = MEXT_FATE_RUNNING;
    ck_assert_int_eq(resolve(MEXT_VERDICT_HERE), 0);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_DONE);
    ck_assert(destroyed && !resumed);
}
END_TEST

START_TEST(not_if_it_never_does)
{
    answers(MEXT_FATE_PENDING);
    ck_assert_int_eq(resolve(MEXT_VERDICT_HERE), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "still at it"));
    ck_assert(!resumed && !destroyed);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_COMMITTING);
}
END_TEST

/* Xen does not say whether the copy is there. */
START_TEST(not_told)
{
    there = -1;
    answers(MEXT_FATE_ABORTED);
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), -1);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_COMMITTING);
    answers(MEXT_FATE_RUNNING);
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), -1);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_COMMITTING);
    ck_assert(!resumed && !destroyed);
    there = 1;
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), 0);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_DONE);
}
END_TEST

/* It is the guest's again, but the journal does not say so: it is looked at again. */
START_TEST(not_noted)
{
    full = true;
    answers(MEXT_FATE_ABORTED);
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot be noted"));
    ck_assert(resumed);
    ck_assert_int_eq(mext_resolve_domain(&r, DOMID, &why), -1);
    full = false;
    ck_assert_int_eq(mext_resolve_domain(&r, DOMID, &why), 0);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_KEPT);
}
END_TEST

static int begin_another(void)
{
    struct mext_entry e = entry;
    struct mext_source s = { .say = say };

    memset(e.id, 2, sizeof(e.id));
    memset(e.uuid, 9, sizeof(e.uuid));
    e.domid = DOMID;
    e.noted = MEXT_NOTED_BEGUN;
    mext_source_init(&s);
    return mext_source_begin(&s, "journal", &e, &why);
}

/* That one has died. */
static int take_another(void)
{
    unsigned state;

    new_entry.noted = MEXT_NOTED_BEGUN;
    resumed = false;
    suspended = marked = true;
    return mext_resolve(&r, new_entry.id, &state, &why);
}

/* Of a guest that another process is about to move, or has left half-moved. */
START_TEST(not_beside_another)
{
    for (unsigned alive = 0; alive < 2; alive++) {
        taken = alive;
        entry.noted = MEXT_NOTED_BEGUN;
        ck_assert_int_eq(begin_another(), -1);
        ck_assert_ptr_nonnull(strstr(why.text, "migrated to there already"));
        ck_assert_int_eq(new_entry.noted, MEXT_NOTED_KEPT);
    }
    /* ... and has died before it could note that it was not alone */
    taken = true;
    ck_assert_msg(!take_another(), "%s", why.text);
    ck_assert(!resumed && suspended);
    ck_assert_int_eq(new_entry.noted, MEXT_NOTED_KEPT);
    taken = false;
    ck_assert_msg(!take_another(), "%s", why.text);
    ck_assert(resumed);
    entry.noted = MEXT_NOTED_KEPT;
    ck_assert_msg(!begin_another(), "%s", why.text);
    ck_assert_int_eq(new_entry.noted, MEXT_NOTED_BEGUN);
    entry.noted = MEXT_NOTED_BEGUN;
    memset(entry.uuid, 8, sizeof(entry.uuid)); /* another guest's */
    ck_assert_msg(!begin_another(), "%s", why.text);
}
END_TEST

/* Somebody who saves it suspended it, not the migration that died. */
START_TEST(not_what_others_suspended)
{
    entry.noted = MEXT_NOTED_BEGUN;
    xenstore = false;
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), -1);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_BEGUN);
    xenstore = true;
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), 0);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_KEPT);
    ck_assert(!resumed);
    setup();
    entry.noted = MEXT_NOTED_BEGUN;
    marked = true;
    ck_assert_int_eq(resolve(MEXT_VERDICT_NONE), 0);
    ck_assert_int_eq(entry.noted, MEXT_NOTED_KEPT);
    ck_assert(resumed && !marked);
}
END_TEST

/* By another name, or number, of a copy that the journal tells of. */
START_TEST(not_behind_its_back)
{
    static const char *const names[] = { "web", "web" MEXT_AWAY_SUFFIX, "7" };
    struct mext_entry e;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(&e, 0, sizeof(e));
        ck_assert_int_eq(mext_resume_here(&r, names[i], &e, &why), 1);
        ck_assert_mem_eq(&e, &entry, sizeof(e));
        ck_assert(!resumed);
    }
    entry.noted = MEXT_NOTED_DONE; /* of a former one */
    ck_assert_int_eq(mext_resume_here(&r, "7", &e, &why), 0);
    ck_assert(resumed);
    ck_assert_str_eq(name, "web");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { by_its_word,
                                   by_the_operators,
                                   not_while_it_decides,
                                   not_if_it_never_does,
                                   not_told,
                                   not_noted,
                                   not_beside_another,
                                   not_what_others_suspended,
                                   not_behind_its_back,
                                   NULL };

    Suite *s = unit_suite_in("resolve", tests, setup, NULL);

    return unit_main(s);
}
