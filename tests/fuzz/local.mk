# SPDX-License-Identifier: GPL-2.0-only
# Fuzz targets over a fixed corpus and its mutations.  For a real fuzzer build
# a target without driver.c by clang -fsanitize=fuzzer,address,undefined.
fuzz_tests = \
	tests/fuzz/fuzz_agent \
	tests/fuzz/fuzz_ctl \
	tests/fuzz/fuzz_data \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_gate \
	tests/fuzz/fuzz_move \
	tests/fuzz/fuzz_thin \
	tests/fuzz/fuzz_token
check_PROGRAMS += $(fuzz_tests)
TESTS += $(fuzz_tests)
EXTRA_DIST += tests/fuzz/corpus
CLEANFILES += $(fuzz_tests:=.crash)

tests_fuzz_fuzz_agent_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_agent_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_agent_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_agent_SOURCES = tests/fuzz/fuzz_agent.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_ctl_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_ctl_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_ctl_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_ctl_SOURCES = tests/fuzz/fuzz_ctl.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_data_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_data_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_data_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_data_SOURCES = tests/fuzz/fuzz_data.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_frame_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_frame_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_frame_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_gate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_gate_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_gate_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz_gate.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tools/packetd/gate.c \
	tools/packetd/gate.h

tests_fuzz_fuzz_move_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_move_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_move_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_move_SOURCES = tests/fuzz/fuzz_move.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_thin_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_thin_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_thin_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_thin_SOURCES = tests/fuzz/fuzz_thin.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_token_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_token_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_token_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_token_SOURCES = tests/fuzz/fuzz_token.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h
