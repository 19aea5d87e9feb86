# SPDX-License-Identifier: GPL-2.0-only
# All that can go wrong, by name.
check_PROGRAMS += tests/fault/points
tests_fault_points_SOURCES = tests/fault/points.c
tests_fault_points_LDADD = $(IMAGE_LDADD)
