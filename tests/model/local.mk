# SPDX-License-Identifier: GPL-2.0-only
# Who runs the guest: every order of events, and that tables and text agree.
check_PROGRAMS += tests/model/model tests/model/test_spec
TESTS += tests/model/model tests/model/test_spec

tests_model_model_SOURCES = \
	tests/model/broken.c \
	tests/model/broken.h \
	tests/model/effects.c \
	tests/model/explore.c \
	tests/model/explore.h \
	tests/model/model.c \
	tests/model/programs.c \
	tests/model/programs.h \
	tests/model/world.c \
	tests/model/world.h
tests_model_model_LDADD = tools/libxl/migrate_ext/libmext.a

tests_model_test_spec_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/unit
tests_model_test_spec_CFLAGS = $(UNIT_CFLAGS)
tests_model_test_spec_LDADD = $(UNIT_LDADD)
tests_model_test_spec_SOURCES = tests/model/test_spec.c
