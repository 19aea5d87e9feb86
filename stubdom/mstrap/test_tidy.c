/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mstrap leaves behind: the order in which it tidies up, seen through
 * stand-ins for all that touches Xen, and what its random bytes give away.
 */
#include <check.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entropy.c"
#include "home.h"
#include "mext_unpack.h"
#include "net/connection.h"
#include "net/netfront.h"
#include "net/stack.h"
#include "receiver.h"
#include "tidy.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

static char happened[512];
static bool key_was_there; /* when dom0 was told */
static jmp_buf spinning;

static void note(const char *what)
{
    strcat(happened, what);
    strcat(happened, "; ");
}

struct ms_counts ms_session_counts(const struct ms_session *session)
{
    return (struct ms_counts){ 1, 2, 3 };
}

uint64_t ms_receiver_populated(void)
{
    return 4;
}

uint64_t ms_ns_at(uint64_t tsc)
{
    return 0;
}

void ms_print(const char *format, ...)
{
}

_Noreturn void ms_fail(const char *format, ...)
{
    longjmp(spinning, 2);
}

_Noreturn void ms_spin(void)
{
    longjmp(spinning, 1);
}

int ms_xs_read(const char *path, char *out, size_t size)
{
    if (strcmp(path, "mstrap/seed") || size < 65)
        return -1;
    memset(out, 'a', 64);
    out[64] = '\0';
    return 64;
}

bool ms_xs_write(const char *path, const char *value)
{
    note(value);
    key_was_there = !sodium_is_zero(key, sizeof(key));
    return true;
}

bool ms_xs_reset_watches(void)
{
    note("watches");
    return true;
}

void ms_connections_done(uint64_t populated)
{
    note("done");
}

void ms_stack_flush(unsigned timeout_ms)
{
    note("flush");
}

void ms_connections_abort(void)
{
    note("abort");
}

void ms_netfront_close_begin(void)
{
    note("close");
}

bool ms_netfront_close_end(unsigned timeout_ms)
{
    return true;
}

bool ms_gnttab_revoke(void)
{
    note("revoke");
    return true;
}

void ms_evtchn_reset(void)
{
    note("events");
}

void ms_home_unmap(void)
{
    note("unmap");
}

void ms_stack_wipe(void)
{
    note("stack");
}

void mext_unpack_forget(void)
{
    note("unpacked");
}

START_TEST(nothing_is_left_when_dom0_is_told)
{
    struct ms_session session = { .state = MEXT_RCV_COMPLETE };

    ck_assert(ms_entropy_init());
    if (!setjmp(spinning))
        ms_tidy(&session);
    ck_assert_str_eq(happened,
                     "done; complete; flush; abort; close; revoke; watches; "
                     "events; unmap; unpacked; stack; tidy data=1 zero=2 "
                     "absent=3 populated=4 ms=0; ");
    ck_assert(!key_was_there);
    ck_assert_int_eq(session.state, MEXT_RCV_TIDY);
}
END_TEST

START_TEST(random_bytes_cannot_be_made_again)
{
    uint8_t before[32], first[64], second[64], again[32];

    ck_assert(ms_entropy_init());
    memcpy(before, key, sizeof(key));
    ms_random(first, sizeof(first));
    ck_assert_mem_ne(before, key, sizeof(key));
    for (uint64_t n = 0; n <= counter; n++) {
        crypto_generichash_blake2b(again, sizeof(again), (uint8_t *)&n,
                                   sizeof(n), key, sizeof(key));
        ck_assert_mem_ne(again, first, sizeof(again));
        ck_assert_mem_ne(again, first + 32, sizeof(again));
    }
    ms_random(second, sizeof(second));
    ck_assert_mem_ne(first, second, sizeof(first));
    ck_assert_mem_ne(second, second + 32, 32);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mstrap tidy");
    TCase *tcase = tcase_create("forgets");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, nothing_is_left_when_dom0_is_told);
    tcase_add_test(tcase, random_bytes_cannot_be_made_again);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
