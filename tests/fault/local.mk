# SPDX-License-Identifier: GPL-2.0-only
# All that can go wrong, by name.
check_PROGRAMS += tests/fault/points
tests_fault_points_SOURCES = tests/fault/points.c
tests_fault_points_LDADD = $(IMAGE_LDADD)

# What make check runs of it takes about a minute, of all CPUs: after all others.
TESTS += tests/fault/native
native_log = tests/fault/native.log
$(native_log): $(filter-out $(native_log),$(TEST_LOGS))
EXTRA_DIST += tests/fault/all tests/fault/native tests/fault/native-run \
	tests/image/README.md tests/image/host-do tests/image/host-init \
	tests/image/world.sh
