# SPDX-License-Identifier: GPL-2.0-only
# Fuzz targets over a fixed corpus and its mutations; tests/fuzz/run makes real
# fuzzers of them.
fuzz_tests = \
	tests/fuzz/fuzz_admit \
	tests/fuzz/fuzz_agent \
	tests/fuzz/fuzz_ctl \
	tests/fuzz/fuzz_data \
	tests/fuzz/fuzz_fate \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_gate \
	tests/fuzz/fuzz_hello \
	tests/fuzz/fuzz_inspect \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_move \
	tests/fuzz/fuzz_pieces \
	tests/fuzz/fuzz_policy \
	tests/fuzz/fuzz_quote \
	tests/fuzz/fuzz_receipt \
	tests/fuzz/fuzz_saved \
	tests/fuzz/fuzz_session \
	tests/fuzz/fuzz_steer \
	tests/fuzz/fuzz_stream_dump \
	tests/fuzz/fuzz_stream_guest \
	tests/fuzz/fuzz_stream_hvm \
	tests/fuzz/fuzz_stream_libxc \
	tests/fuzz/fuzz_stream_libxl \
	tests/fuzz/fuzz_stream_machine \
	tests/fuzz/fuzz_stream_qemu \
	tests/fuzz/fuzz_stream_xl \
	tests/fuzz/fuzz_thin \
	tests/fuzz/fuzz_token \
	tests/fuzz/fuzz_unpack \
	tests/fuzz/fuzz_whois
check_PROGRAMS += $(fuzz_tests)
TESTS += $(fuzz_tests)
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run
CLEANFILES += $(fuzz_tests:=.crash) $(fuzz_tests:=.libfuzzer)

# The same objects with libFuzzer's main in place of driver.c's.
fuzzers: $(fuzz_tests:=.libfuzzer)
.PHONY: fuzzers
tests/fuzz/%.libfuzzer: tests/fuzz/%
	$(AM_V_CCLD)$(CC) $(AM_CFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ \
	  $(filter-out %driver.$(OBJEXT),$(tests_fuzz_$*_OBJECTS)) \
	  $(tests_fuzz_$*_LDADD) $(LIBS)

# mstrap's decoder, with the flags of a host program.
FUZZ_ZSTD = $(addprefix tests/fuzz/zstd/,$(MS_FROM_ZSTD:.c=.o))
tests/fuzz/zstd/%.o: $(ZSTD_DIR)/lib/%.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(MS_ZSTD_CFLAGS) $(SAN_CFLAGS) \
	  $(CFLAGS) -c -o $@ $<
clean-local: clean-fuzz-zstd
clean-fuzz-zstd:
	rm -rf tests/fuzz/zstd
.PHONY: clean-fuzz-zstd

tests_fuzz_fuzz_admit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_admit_CFLAGS = $(UNIT_CFLAGS) $(YAJL_CFLAGS)
tests_fuzz_fuzz_admit_LDADD = $(UNIT_LDADD) $(YAJL_LIBS)
tests_fuzz_fuzz_admit_SOURCES = tests/fuzz/fuzz_admit.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tools/packetd/admit.c \
	tools/packetd/admit.h \
	tools/packetd/admit_fields.c \
	tools/packetd/admit_fields.h \
	tools/packetd/policy.c \
	tools/packetd/policy.h

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

tests_fuzz_fuzz_fate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_fate_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_fate_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_fate_SOURCES = tests/fuzz/fuzz_fate.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/sign.c

tests_fuzz_fuzz_frame_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_frame_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_frame_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_hello_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_hello_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_hello_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_hello_SOURCES = tests/fuzz/fuzz_hello.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/sign.c

tests_fuzz_fuzz_gate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_gate_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_gate_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz_gate.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tools/packetd/gate.c \
	tools/packetd/gate.h

tests_fuzz_fuzz_journal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_journal_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_journal_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_move_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_move_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_move_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_move_SOURCES = tests/fuzz/fuzz_move.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_pieces_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_pieces_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_pieces_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_pieces_SOURCES = tests/fuzz/fuzz_pieces.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_policy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_policy_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_policy_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tools/packetd/policy.c \
	tools/packetd/policy.h

tests_fuzz_fuzz_receipt_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_receipt_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_receipt_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_receipt_SOURCES = tests/fuzz/fuzz_receipt.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/sign.c

tests_fuzz_fuzz_session_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/stubdom/mstrap
tests_fuzz_fuzz_session_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_session_LDADD = $(FUZZ_ZSTD) $(UNIT_LDADD)
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/session.c

tests_fuzz_fuzz_steer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_steer_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_steer_LDADD = $(UNIT_LDADD) $(YAJL_LIBS)
tests_fuzz_fuzz_steer_SOURCES = tests/fuzz/fuzz_steer.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_inspect_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_inspect_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_inspect_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_inspect_SOURCES = tests/fuzz/fuzz_inspect.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

# Readers of other streams.
FUZZ_STREAM_SOURCES = \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/fuzz_stream.c \
	tests/fuzz/fuzz_stream.h \
	tests/stream/walk_bytes.c \
	tests/stream/walk_bytes.h

tests_fuzz_fuzz_stream_dump_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_dump_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_dump_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_dump_SOURCES = tests/fuzz/fuzz_stream_dump.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_guest_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_guest_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_guest_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_guest_SOURCES = tests/fuzz/fuzz_stream_guest.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_hvm_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_hvm_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_hvm_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_hvm_SOURCES = tests/fuzz/fuzz_stream_hvm.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_libxc_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_libxc_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_libxc_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_libxc_SOURCES = tests/fuzz/fuzz_stream_libxc.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_libxl_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_libxl_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_libxl_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_libxl_SOURCES = tests/fuzz/fuzz_stream_libxl.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_machine_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_machine_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_machine_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_machine_SOURCES = tests/fuzz/fuzz_stream_machine.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_qemu_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_qemu_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_qemu_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_qemu_SOURCES = tests/fuzz/fuzz_stream_qemu.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_stream_xl_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_fuzz_fuzz_stream_xl_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_stream_xl_LDADD = $(STREAM_TEST_LDADD)
tests_fuzz_fuzz_stream_xl_SOURCES = tests/fuzz/fuzz_stream_xl.c \
	$(FUZZ_STREAM_SOURCES)

tests_fuzz_fuzz_saved_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_saved_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_saved_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_saved_SOURCES = tests/fuzz/fuzz_saved.c \
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
	tests/fuzz/fuzz.h \
	tests/fuzz/sign.c

tests_fuzz_fuzz_quote_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_quote_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_quote_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_quote_SOURCES = tests/fuzz/fuzz_quote.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h

tests_fuzz_fuzz_whois_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_whois_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_whois_LDADD = $(UNIT_LDADD)
tests_fuzz_fuzz_whois_SOURCES = tests/fuzz/fuzz_whois.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/sign.c

tests_fuzz_fuzz_unpack_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_fuzz_fuzz_unpack_CFLAGS = $(UNIT_CFLAGS)
tests_fuzz_fuzz_unpack_LDADD = $(FUZZ_ZSTD) $(UNIT_LDADD)
tests_fuzz_fuzz_unpack_SOURCES = tests/fuzz/fuzz_unpack.c \
	tests/fuzz/driver.c \
	tests/fuzz/fuzz.h
