# SPDX-License-Identifier: GPL-2.0-only
# Who runs the guest: every order of events, and that tables and text agree.
model_tests = tests/model/model tests/model/test_network tests/model/test_spec
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests)

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
tests_model_test_spec_SOURCES = \
	tests/model/spec.c \
	tests/model/spec.h \
	tests/model/test_spec.c

# What comes over the network to mstrap, in each of its states.
tests_model_test_network_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/unit \
	-I$(srcdir)/stubdom/mstrap -I$(LWIP_DIR)/src/include \
	-I$(srcdir)/stubdom/mstrap/port
tests_model_test_network_CFLAGS = $(UNIT_CFLAGS)
tests_model_test_network_LDADD = $(UNIT_LDADD)
tests_model_test_network_SOURCES = \
	tests/model/spec.c \
	tests/model/spec.h \
	tests/model/test_network.c \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/session.c \
	stubdom/mstrap/text.c \
	stubdom/mstrap/net/connection.c
