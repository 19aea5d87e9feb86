# SPDX-License-Identifier: GPL-2.0-only
# Streams of other formats (tools/stream, xl migrate-stream).
STREAM_TEST_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/unit \
	-I$(srcdir)/tests/stream -I$(srcdir)/tools/stream
STREAM_TEST_LDADD = tools/stream/libstream.a $(UNIT_LDADD) $(YAJL_LIBS)
STREAM_TEST_SOURCES = \
	tests/stream/broken.c \
	tests/stream/broken.h \
	tests/stream/build_stream.c \
	tests/stream/build_stream.h \
	tests/stream/walk_bytes.c \
	tests/stream/walk_bytes.h

# A guest that xl migrate-stream convert can carry.
GUEST_SOURCES = tests/stream/build_guest.c tests/stream/build_guest.h

stream_tests = tests/stream/test_convert tests/stream/test_stream \
	tests/stream/test_wire tests/stream/test_xl_stream
EXTRA_DIST += tests/stream/README.md tests/stream/fixtures \
	tests/stream/beat.S tests/stream/beat.sh tests/stream/convert_qemu \
	tests/stream/get_qemu10 tests/stream/names_check \
	tests/stream/make_fixtures tests/stream/measure
check_PROGRAMS += $(stream_tests) tests/stream/make_streams \
	tests/stream/blank_pages tests/stream/make_guest
TESTS += $(stream_tests) tests/stream/convert_qemu tests/stream/names_check

tests_stream_test_stream_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_stream_test_stream_CFLAGS = $(UNIT_CFLAGS)
tests_stream_test_stream_LDADD = $(STREAM_TEST_LDADD)
tests_stream_test_stream_SOURCES = tests/stream/test_stream.c \
	$(STREAM_TEST_SOURCES)

tests_stream_make_streams_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_stream_make_streams_CFLAGS = $(UNIT_CFLAGS)
tests_stream_make_streams_LDADD = $(STREAM_TEST_LDADD)
tests_stream_make_streams_SOURCES = tests/stream/make_streams.c \
	$(GUEST_SOURCES) \
	$(STREAM_TEST_SOURCES)

tests_stream_test_xl_stream_CPPFLAGS = $(STREAM_TEST_CPPFLAGS) \
	-I$(srcdir)/tools/xl
tests_stream_test_xl_stream_CFLAGS = $(UNIT_CFLAGS) $(YAJL_CFLAGS)
tests_stream_test_xl_stream_LDADD = $(STREAM_TEST_LDADD)
tests_stream_test_xl_stream_SOURCES = tests/stream/test_xl_stream.c \
	tests/stream/xl_case.c \
	tests/stream/xl_case.h \
	tools/xl/xl_restore.c \
	$(STREAM_TEST_SOURCES) \
	$(XL_STREAM_SOURCES)

tests_stream_blank_pages_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_stream_blank_pages_CFLAGS = $(UNIT_CFLAGS)
tests_stream_blank_pages_LDADD = $(STREAM_TEST_LDADD)
tests_stream_blank_pages_SOURCES = tests/stream/blank_pages.c
tests_stream_test_convert_CPPFLAGS = $(STREAM_TEST_CPPFLAGS) \
	-I$(srcdir)/tools/xl
tests_stream_test_convert_CFLAGS = $(UNIT_CFLAGS) $(YAJL_CFLAGS)
tests_stream_test_convert_LDADD = $(STREAM_TEST_LDADD)
tests_stream_test_convert_SOURCES = tests/stream/test_convert.c \
	tests/stream/xl_case.c \
	tests/stream/xl_case.h \
	$(GUEST_SOURCES) \
	$(STREAM_TEST_SOURCES) \
	$(XL_STREAM_SOURCES)

tests_stream_test_wire_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_stream_test_wire_CFLAGS = $(UNIT_CFLAGS)
tests_stream_test_wire_LDADD = $(STREAM_TEST_LDADD)
tests_stream_test_wire_SOURCES = tests/stream/test_wire.c

tests_stream_make_guest_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_stream_make_guest_CFLAGS = $(UNIT_CFLAGS)
tests_stream_make_guest_SOURCES = tests/stream/make_guest.c $(GUEST_SOURCES)
