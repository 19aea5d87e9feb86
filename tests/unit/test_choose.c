/* SPDX-License-Identifier: GPL-2.0-only */
/* Who receives: by the guest's type, or as asked; what is said about it. */
#include <check.h>
#include <string.h>

#include "mext_choose.h"
#include "unit.h"

static char said[1024];

static void say(void *arg, const char *text)
{
    ck_assert_ptr_eq(arg, said);
    strcat(said, text);
    strcat(said, "; ");
}

static const struct {
    const char *type;
    enum mext_receive asked;
    bool still, cancel;
    int receiver; /* -1: none */
    const char *words;
} cases[] = {
    { "pvh", MEXT_RECEIVE_AUTO, false, false, MEXT_RECEIVER_MSTRAP,
      "receiver mstrap: the guest is pvh; " },
    { "pvh", MEXT_RECEIVE_MSTRAP, false, false, MEXT_RECEIVER_MSTRAP,
      "receiver mstrap: as asked, the guest is pvh; " },
    { "pvh", MEXT_RECEIVE_DOM0, false, false, MEXT_RECEIVER_DOM0,
      "receiver dom0: as asked, the guest is pvh; " },
    { "hvm", MEXT_RECEIVE_AUTO, false, true, MEXT_RECEIVER_DOM0,
      "receiver dom0: the guest is hvm; " },
    { "hvm", MEXT_RECEIVE_MSTRAP, false, false, -1,
      "\"g\" is a hvm guest, and an mstrap becomes PVH guests only: --receiver "
      "dom0" },
    { "pv", MEXT_RECEIVE_AUTO, false, true, MEXT_RECEIVER_DOM0,
      "receiver dom0: the guest is pv; " },
    { "pv", MEXT_RECEIVE_AUTO, true, false, MEXT_RECEIVER_DOM0,
      "receiver dom0: the guest is pv; Xen here is built without shadow paging, "
      "so a PV guest cannot run while it moves: it stands still until all of it "
      "is there; " },
    { "pv", MEXT_RECEIVE_DOM0, true, true, -1,
      "Xen here is built without shadow paging, so a PV guest cannot run while "
      "it moves, and a long downtime was not wanted (--on-stall cancel)" },
    { "unknown", MEXT_RECEIVE_DOM0, false, false, -1,
      "the type of \"g\" is not known" },
};

START_TEST(choice)
{
    struct mext_guest g = { .name = "g",
                            .type = cases[_i].type,
                            .live = !cases[_i].still };
    struct mext_request rq = { .receiver = cases[_i].asked };
    struct mext_why why = { "" };
    uint32_t receiver = 99;
    int rc;

    said[0] = 0;
    if (cases[_i].cancel)
        rq.on_stall = MEXT_STALL_CANCEL;
    rc = mext_choose_receiver(&rq, &g, &receiver, say, said, &why);
    ck_assert_int_eq(rc, cases[_i].receiver < 0 ? -1 : 0);
    if (rc)
        ck_assert_str_eq(why.text, cases[_i].words);
    else
        ck_assert_str_eq(said, cases[_i].words);
    if (!rc)
        ck_assert_uint_eq(receiver, (unsigned)cases[_i].receiver);
}
END_TEST

/* No mstrap maps so much. */
START_TEST(large)
{
    struct mext_guest g = {
        .name = "g", .type = "pvh", .live = true, .max_kib = 511ULL << 20
    };
    struct mext_request rq = { .receiver = MEXT_RECEIVE_AUTO };
    struct mext_why why;
    uint32_t receiver;

    said[0] = 0;
    ck_assert(!mext_choose_receiver(&rq, &g, &receiver, say, said, &why));
    ck_assert_uint_eq(receiver, MEXT_RECEIVER_MSTRAP);
    g.max_kib++;
    said[0] = 0;
    ck_assert(!mext_choose_receiver(&rq, &g, &receiver, say, said, &why));
    ck_assert_uint_eq(receiver, MEXT_RECEIVER_DOM0);
    ck_assert_str_eq(said, "receiver dom0: the guest is pvh, too large for an "
                           "mstrap; ");
    rq.receiver = MEXT_RECEIVE_MSTRAP;
    ck_assert(mext_choose_receiver(&rq, &g, &receiver, say, said, &why));
}
END_TEST

START_TEST(option)
{
    struct mext_guest g = { .name = "g", .type = "hvm", .live = true };
    struct mext_request rq = { .mstrap_option = "channels" };
    struct mext_why why;
    uint32_t receiver;

    said[0] = 0;
    ck_assert(!mext_choose_receiver(&rq, &g, &receiver, say, said, &why));
    ck_assert_str_eq(said, "receiver dom0: the guest is hvm; --channels means "
                           "nothing there; ");
    ck_assert_str_eq(mext_receiver_word(receiver), "dom0");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("choose");
    TCase *t = tcase_create("choose");

    tcase_add_loop_test(t, choice, 0, COUNT(cases));
    tcase_add_test(t, option);
    tcase_add_test(t, large);
    suite_add_tcase(s, t);
    return unit_main(s);
}
