/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a migration with a man in the middle, who does everything to
 * each kind of object once.  Whatever he does, the receiver stops for a reason
 * and takes nothing that is wrong; tests/mitm/control.c and data.c list what he
 * can do without being noticed, and why it does not matter.
 */
#include <stdio.h>

#include "mitm.h"
#include "unit.h"

static void report(const char *what, const struct tally *t)
{
    printf("%s: %u cases refused, %u harmless, %u impossible\n", what,
           t->refused, t->harmless, t->impossible);
}

START_TEST(control_sees_every_case)
{
    control_self_test();
}
END_TEST

START_TEST(control)
{
    struct tally t = { 0 };

    control_cases(&t);
    report("control", &t);
    ck_assert_uint_gt(t.refused, 500);
}
END_TEST

START_TEST(join_sees_every_case)
{
    join_self_test();
}
END_TEST

START_TEST(joins)
{
    struct tally t = { 0 };

    join_cases(&t);
    report("join", &t);
    ck_assert_uint_gt(t.refused, 300);
}
END_TEST

START_TEST(data_sees_every_case)
{
    data_self_test();
}
END_TEST

START_TEST(data)
{
    struct tally t = { 0 };

    data_cases(&t);
    report("data", &t);
    ck_assert_uint_gt(t.refused, 500);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { control_sees_every_case,
                                   control,
                                   join_sees_every_case,
                                   joins,
                                   data_sees_every_case,
                                   data,
                                   NULL };

    setvbuf(stdout, NULL, _IOLBF, 0);
    return unit_main(unit_suite("mitm", tests));
}
