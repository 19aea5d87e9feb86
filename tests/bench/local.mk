# SPDX-License-Identifier: GPL-2.0-only
# What ./bench measures without emulated hosts; those of the others it compiles
# itself (tests/testbed/local.mk).  packing is used by hand.
check_PROGRAMS += tests/bench/bench-tokens tests/bench/packing
tests_bench_bench_tokens_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/unit
tests_bench_bench_tokens_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tests_bench_bench_tokens_LDADD = $(UNIT_LDADD)
tests_bench_bench_tokens_SOURCES = tests/bench/bench-tokens.c $(PART_SOURCES)

# ./bench native
check_PROGRAMS += tests/bench/bench-native
tests_bench_bench_native_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/stubdom/mstrap
tests_bench_bench_native_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tests_bench_bench_native_LDADD = $(UNIT_LDADD) -lpthread
tests_bench_bench_native_SOURCES = tests/bench/bench-native.c \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/session.c
tests_bench_packing_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tests_bench_packing_LDADD = $(UNIT_LDADD) -lpthread
tests_bench_packing_SOURCES = tests/bench/packing.c
