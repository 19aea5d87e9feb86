# SPDX-License-Identifier: GPL-2.0-only
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/vectors \
	-I$(srcdir)/tools/packetd
UNIT_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SODIUM_CFLAGS) \
	$(CRYPTO_CFLAGS) $(TSS2_MU_CFLAGS)
UNIT_LDADD = tests/unit/libunit.a \
	tools/libxl/migrate_ext/libmext.a \
	$(CHECK_LIBS) $(SODIUM_LIBS) $(LZ4_LIBS) $(ZSTD_LIBS) \
	$(CRYPTO_LIBS) $(TSS2_MU_LIBS)

# Fixed keys, objects and messages; the harness.
check_LIBRARIES = tests/unit/libunit.a
tests_unit_libunit_a_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_libunit_a_CFLAGS = $(UNIT_CFLAGS)
tests_unit_libunit_a_SOURCES = \
	tests/unit/unit.c \
	tests/unit/unit.h \
	tests/vectors/fix_agent.c \
	tests/vectors/fix_journal.c \
	tests/vectors/fix_journal.h \
	tests/vectors/fix_messages.c \
	tests/vectors/fix_quote.c \
	tests/vectors/fix_quote.h \
	tests/vectors/fix_tokens.c \
	tests/vectors/fixture.c \
	tests/vectors/fixture.h

# What packetd's door and monitor say to each other.
GATE_SOURCES = \
	tests/vectors/fix_gate.c \
	tests/vectors/fix_gate.h \
	tools/packetd/gate.c \
	tools/packetd/gate.h

unit_tests = \
	tests/unit/test_admit \
	tests/unit/test_agent \
	tests/unit/test_attest \
	tests/unit/test_attest_tpm \
	tests/unit/test_choose \
	tests/unit/test_chunk \
	tests/unit/test_codec \
	tests/unit/test_codec_data \
	tests/unit/test_coder \
	tests/unit/test_commit \
	tests/unit/test_connect \
	tests/unit/test_cpu \
	tests/unit/test_devices \
	tests/unit/test_door \
	tests/unit/test_fate \
	tests/unit/test_fetch \
	tests/unit/test_gate \
	tests/unit/test_guard \
	tests/unit/test_guest \
	tests/unit/test_hear \
	tests/unit/test_hooks \
	tests/unit/test_jail \
	tests/unit/test_join \
	tests/unit/test_joined \
	tests/unit/test_in_order \
	tests/unit/test_inspect \
	tests/unit/test_journal \
	tests/unit/test_journals \
	tests/unit/test_keycmd \
	tests/unit/test_keys \
	tests/unit/test_layout \
	tests/unit/test_line \
	tests/unit/test_memory \
	tests/unit/test_monitor \
	tests/unit/test_move \
	tests/unit/test_net \
	tests/unit/test_order \
	tests/unit/test_pack \
	tests/unit/test_pieces \
	tests/unit/test_policy \
	tests/unit/test_precopy \
	tests/unit/test_quote \
	tests/unit/test_receiver \
	tests/unit/test_received \
	tests/unit/test_replay \
	tests/unit/test_rotate \
	tests/unit/test_seal \
	tests/unit/test_service \
	tests/unit/test_status \
	tests/unit/test_resolve \
	tests/unit/test_steer \
	tests/unit/test_suspend \
	tests/unit/test_saved \
	tests/unit/test_thin \
	tests/unit/test_throttle \
	tests/unit/test_token \
	tests/unit/test_trust \
	tests/unit/test_whois \
	tests/unit/test_workers
check_PROGRAMS += $(unit_tests) tests/vectors/make_vectors \
	tests/unit/packetd_hooked
TESTS += $(unit_tests) tests/unit/spec_check tests/vectors/check_vectors
EXTRA_DIST += tests/unit/spec_check tests/vectors/check_vectors \
	tests/vectors/data

tests_unit_test_admit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_admit_CFLAGS = $(UNIT_CFLAGS) $(YAJL_CFLAGS)
tests_unit_test_admit_LDADD = $(UNIT_LDADD) $(YAJL_LIBS)
tests_unit_test_admit_SOURCES = tests/unit/test_admit.c \
	tests/unit/admit_cases.h \
	tools/packetd/admit.c \
	tools/packetd/admit.h \
	tools/packetd/admit_fields.c \
	tools/packetd/admit_fields.h \
	tools/packetd/policy.c \
	tools/packetd/policy.h

tests_unit_test_agent_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_agent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_agent_LDADD = $(UNIT_LDADD)
tests_unit_test_agent_SOURCES = tests/unit/test_agent.c

tests_unit_test_coder_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_coder_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_coder_LDADD = $(UNIT_LDADD)
tests_unit_test_coder_SOURCES = tests/unit/test_coder.c

tests_unit_test_codec_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_codec_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_codec_LDADD = $(UNIT_LDADD)
tests_unit_test_codec_SOURCES = tests/unit/test_codec.c \
	tests/unit/codec_case.c tests/unit/codec_case.h

tests_unit_test_codec_data_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_codec_data_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_codec_data_LDADD = $(UNIT_LDADD)
tests_unit_test_codec_data_SOURCES = tests/unit/test_codec_data.c \
	tests/unit/codec_case.c tests/unit/codec_case.h

tests_vectors_make_vectors_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_vectors_make_vectors_CFLAGS = $(UNIT_CFLAGS)
tests_vectors_make_vectors_LDADD = $(UNIT_LDADD)
tests_vectors_make_vectors_SOURCES = tests/vectors/make_vectors.c \
	$(GATE_SOURCES)

tests_unit_test_seal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_seal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_seal_LDADD = $(UNIT_LDADD)
tests_unit_test_seal_SOURCES = tests/unit/test_seal.c

tests_unit_test_inspect_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_inspect_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inspect_LDADD = $(UNIT_LDADD)
tests_unit_test_inspect_SOURCES = tests/unit/test_inspect.c

tests_unit_test_choose_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_choose_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_choose_LDADD = $(UNIT_LDADD)
tests_unit_test_choose_SOURCES = tests/unit/test_choose.c

tests_unit_test_chunk_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_chunk_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_chunk_LDADD = $(UNIT_LDADD)
tests_unit_test_chunk_SOURCES = tests/unit/test_chunk.c
tests_unit_test_cpu_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/packetd
tests_unit_test_cpu_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cpu_LDADD = $(UNIT_LDADD)
tests_unit_test_cpu_SOURCES = tests/unit/test_cpu.c \
	tools/packetd/cpu.c

tests_unit_test_saved_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_saved_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_saved_LDADD = $(UNIT_LDADD)
tests_unit_test_saved_SOURCES = tests/unit/test_saved.c

tests_unit_test_thin_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_thin_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_thin_LDADD = $(UNIT_LDADD)
tests_unit_test_thin_SOURCES = tests/unit/test_thin.c

# Over a xenstore of its own.
tests_unit_test_devices_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/packetd
tests_unit_test_devices_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_devices_LDADD = $(UNIT_LDADD)
tests_unit_test_devices_SOURCES = tests/unit/test_devices.c \
	tools/packetd/devices.c

# Over a domain, a xenstore and a journal of its own.
tests_unit_test_resolve_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_resolve_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_resolve_LDADD = $(UNIT_LDADD)
tests_unit_test_resolve_SOURCES = tests/unit/test_resolve.c

tests_unit_test_suspend_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_suspend_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_suspend_LDADD = $(UNIT_LDADD)
tests_unit_test_suspend_SOURCES = tests/unit/test_suspend.c

# Over a domain of its own.
tests_unit_test_throttle_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_throttle_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_throttle_LDADD = $(UNIT_LDADD)
tests_unit_test_throttle_SOURCES = tests/unit/test_throttle.c

tests_unit_test_token_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_token_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_token_LDADD = $(UNIT_LDADD)
tests_unit_test_token_SOURCES = tests/unit/test_token.c

tests_unit_test_hear_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_hear_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hear_LDADD = $(UNIT_LDADD) -lpthread
tests_unit_test_hear_SOURCES = tests/unit/test_hear.c

tests_unit_test_hooks_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/agent
tests_unit_test_hooks_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hooks_LDADD = $(UNIT_LDADD)
tests_unit_test_hooks_SOURCES = tests/unit/test_hooks.c \
	tools/agent/hooks.c \
	tools/agent/util.c

tests_unit_test_guest_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/agent
tests_unit_test_guest_CFLAGS = $(UNIT_CFLAGS) $(XENVCHAN_CFLAGS)
tests_unit_test_guest_LDADD = $(UNIT_LDADD)
tests_unit_test_guest_SOURCES = tests/unit/test_guest.c \
	tools/agent/config.c \
	tools/agent/pages.c \
	tools/agent/util.c

JOURNAL_SOURCES = \
	tests/unit/journal_case.c \
	tests/unit/journal_case.h

tests_unit_test_journal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_journal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_journal_LDADD = $(UNIT_LDADD)
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c $(JOURNAL_SOURCES)

tests_unit_test_journals_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_journals_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_journals_LDADD = $(UNIT_LDADD)
tests_unit_test_journals_SOURCES = tests/unit/test_journals.c $(JOURNAL_SOURCES)

# Folders of keys, and packetd's words for them.
KEYDIR = tests/unit/keydir.c \
	tests/unit/keydir.h \
	tools/packetd/fetch.c \
	tools/packetd/fetch.h \
	tools/packetd/keycmd.c \
	tools/packetd/keycmd.h

tests_unit_test_commit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_commit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_commit_LDADD = $(UNIT_LDADD)
tests_unit_test_commit_SOURCES = tests/unit/test_commit.c

tests_unit_test_connect_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_connect_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_connect_LDADD = $(UNIT_LDADD) \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) \
	$(XENFOREIGNMEMORY_LIBS) $(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) \
	$(XENVCHAN_LIBS)
tests_unit_test_connect_SOURCES = tests/unit/test_connect.c $(KEYDIR)

# With a journal of its own.
tests_unit_test_fate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_fate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fate_LDADD = $(UNIT_LDADD)
tests_unit_test_fate_SOURCES = tests/unit/test_fate.c \
	tools/packetd/fate.c

tests_unit_test_fetch_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_fetch_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fetch_LDADD = $(UNIT_LDADD)
tests_unit_test_fetch_SOURCES = tests/unit/test_fetch.c $(KEYDIR)

tests_unit_test_keycmd_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keycmd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keycmd_LDADD = $(UNIT_LDADD)
tests_unit_test_keycmd_SOURCES = tests/unit/test_keycmd.c $(KEYDIR)

tests_unit_test_keys_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keys_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_keys_LDADD = $(UNIT_LDADD)
tests_unit_test_keys_SOURCES = tests/unit/test_keys.c $(KEYDIR)

tests_unit_test_rotate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_rotate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rotate_LDADD = $(UNIT_LDADD)
tests_unit_test_rotate_SOURCES = tests/unit/test_rotate.c $(KEYDIR)

tests_unit_test_trust_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_trust_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_trust_LDADD = $(UNIT_LDADD)
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c $(KEYDIR)

tests_unit_test_whois_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_whois_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_whois_LDADD = $(UNIT_LDADD)
tests_unit_test_whois_SOURCES = tests/unit/test_whois.c

tests_unit_test_workers_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_workers_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_workers_LDADD = $(UNIT_LDADD) -lpthread
tests_unit_test_workers_SOURCES = tests/unit/test_workers.c

tests_unit_test_layout_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_layout_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_layout_LDADD = $(UNIT_LDADD)
tests_unit_test_layout_SOURCES = tests/unit/test_layout.c

tests_unit_test_move_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_move_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_move_LDADD = $(UNIT_LDADD)
tests_unit_test_move_SOURCES = tests/unit/test_move.c

tests_unit_test_net_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_net_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_net_LDADD = $(UNIT_LDADD)
tests_unit_test_net_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getaddrinfo
tests_unit_test_net_SOURCES = tests/unit/test_net.c

tests_unit_test_memory_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_memory_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_memory_LDADD = $(UNIT_LDADD) -lpthread
tests_unit_test_memory_SOURCES = tests/unit/test_memory.c

tests_unit_test_order_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_order_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_order_LDADD = $(UNIT_LDADD)
tests_unit_test_order_SOURCES = tests/unit/test_order.c

tests_unit_test_pack_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pack_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pack_LDADD = $(UNIT_LDADD)
tests_unit_test_pack_SOURCES = tests/unit/test_pack.c

tests_unit_test_policy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_policy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_LDADD = $(UNIT_LDADD)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c \
	tools/packetd/policy.c \
	tools/packetd/policy.h

tests_unit_test_precopy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_precopy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_precopy_LDADD = $(UNIT_LDADD)
tests_unit_test_precopy_SOURCES = tests/unit/test_precopy.c

tests_unit_test_status_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/xl
tests_unit_test_status_CFLAGS = $(UNIT_CFLAGS) $(YAJL_CFLAGS)
tests_unit_test_status_LDADD = $(UNIT_LDADD) $(YAJL_LIBS) -lpthread
tests_unit_test_status_SOURCES = tests/unit/test_status.c \
	$(XL_STATUS_SOURCES)

tests_unit_test_monitor_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_monitor_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_monitor_LDADD = $(UNIT_LDADD) $(YAJL_LIBS)
tests_unit_test_monitor_SOURCES = tests/unit/test_monitor.c

tests_unit_test_steer_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_steer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_steer_LDADD = $(UNIT_LDADD) $(YAJL_LIBS) -lpthread
tests_unit_test_steer_SOURCES = tests/unit/test_steer.c

tests_unit_test_received_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_received_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_received_LDADD = $(UNIT_LDADD)
tests_unit_test_received_SOURCES = tests/unit/test_received.c \
	tools/packetd/received.c

tests_unit_test_replay_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_replay_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_replay_LDADD = $(UNIT_LDADD)
tests_unit_test_replay_SOURCES = tests/unit/test_replay.c \
	tools/packetd/replay.c

# Starts tools/packetd/packetd.
tests_unit_test_service_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_service_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_service_LDADD = $(UNIT_LDADD)
tests_unit_test_service_SOURCES = tests/unit/test_service.c
# Both ends, and a man in the middle.
unit_mitm = tests/mitm/test_mitm
check_PROGRAMS += $(unit_mitm)
TESTS += $(unit_mitm)
tests_mitm_test_mitm_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/unit \
	-I$(srcdir)/stubdom/mstrap
tests_mitm_test_mitm_CFLAGS = $(UNIT_CFLAGS)
tests_mitm_test_mitm_LDADD = $(UNIT_LDADD) -lpthread
tests_mitm_test_mitm_SOURCES = \
	tests/mitm/control.c \
	tests/mitm/data.c \
	tests/mitm/guest.c \
	tests/mitm/guest.h \
	tests/mitm/join.c \
	tests/mitm/mitm.h \
	tests/mitm/tamper.c \
	tests/mitm/test_mitm.c \
	tools/packetd/line_conns.c \
	tools/packetd/line_conns.h \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/session.c

tests_unit_test_quote_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_quote_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_quote_LDADD = $(UNIT_LDADD)
tests_unit_test_quote_SOURCES = tests/unit/test_quote.c

# With a xenstore, libxl and hypercalls of its own.
tests_unit_test_receiver_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tools/mstrap
tests_unit_test_receiver_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_receiver_LDADD = $(UNIT_LDADD)
tests_unit_test_receiver_SOURCES = tests/unit/test_receiver.c \
	tools/mstrap/ms_host.c \
	tools/mstrap/ms_host.h

tests_unit_test_attest_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_attest_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_attest_LDADD = $(UNIT_LDADD)
tests_unit_test_attest_SOURCES = tests/unit/test_attest.c

tests_unit_test_attest_tpm_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_attest_tpm_CFLAGS = $(UNIT_CFLAGS) $(TSS2_CFLAGS)
tests_unit_test_attest_tpm_LDADD = $(UNIT_LDADD) $(TSS2_LIBS)
tests_unit_test_attest_tpm_SOURCES = tests/unit/test_attest_tpm.c \
	tools/packetd/akcmd.c \
	tools/packetd/akcmd.h \
	tools/packetd/attest.c \
	tools/packetd/attest.h \
	tools/packetd/attest_tpm.c \
	tools/packetd/tpm.c \
	tools/packetd/tpm.h

# packetd's door and line as processes of their own.
PART_SOURCES = \
	tests/unit/part.c \
	tests/unit/part.h \
	tools/packetd/gate.c \
	tools/packetd/gate.h

# packetd that does in its jail what a test asks for.
tests_unit_packetd_hooked_CPPFLAGS = $(tools_packetd_packetd_CPPFLAGS) \
	-I$(srcdir)/tools/packetd -DPACKETD_TEST_HOOK -DTOKEN_MS=100 -DHERE_MS=100
tests_unit_packetd_hooked_CFLAGS = $(tools_packetd_packetd_CFLAGS)
tests_unit_packetd_hooked_LDADD = $(tools_packetd_packetd_LDADD)
tests_unit_packetd_hooked_SOURCES = $(tools_packetd_packetd_SOURCES) \
	tests/unit/jail_deeds.c \
	tests/unit/jail_deeds.h \
	tests/unit/jail_hook.c \
	tests/unit/part.h

tests_unit_test_gate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_gate_LDADD = $(UNIT_LDADD)
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c $(GATE_SOURCES)

tests_unit_test_jail_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_jail_CFLAGS = $(UNIT_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_jail_LDADD = $(UNIT_LDADD) $(SECCOMP_LIBS)
tests_unit_test_jail_SOURCES = tests/unit/test_jail.c \
	tests/unit/jail_deeds.c \
	tests/unit/jail_deeds.h \
	tools/packetd/jail.c \
	tools/packetd/jail.h \
	$(PART_SOURCES)

DOOR_SOURCES = \
	tests/unit/door_case.c \
	tests/unit/door_case.h \
	$(PART_SOURCES)

tests_unit_test_door_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_door_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_LDADD = $(UNIT_LDADD)
tests_unit_test_door_SOURCES = tests/unit/test_door.c $(DOOR_SOURCES)

tests_unit_test_guard_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_guard_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_guard_LDADD = $(UNIT_LDADD)
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c $(DOOR_SOURCES)

LINE_SOURCES = \
	tests/unit/line_case.c \
	tests/unit/line_case.h \
	$(PART_SOURCES)

tests_unit_test_line_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_line_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_line_LDADD = $(UNIT_LDADD)
tests_unit_test_line_SOURCES = tests/unit/test_line.c $(LINE_SOURCES)

# A line that others join, and what comes over several connections.
JOINED_SOURCES = \
	tests/unit/joined_case.c \
	tests/unit/joined_case.h \
	$(LINE_SOURCES)

tests_unit_test_join_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_join_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_join_LDADD = $(tests_unit_test_in_order_LDADD)
tests_unit_test_join_SOURCES = tests/unit/test_join.c

tests_unit_test_joined_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_joined_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_joined_LDADD = $(UNIT_LDADD)
tests_unit_test_joined_SOURCES = tests/unit/test_joined.c $(JOINED_SOURCES)

tests_unit_test_in_order_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_in_order_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_in_order_LDADD = $(UNIT_LDADD) \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) \
	$(XENFOREIGNMEMORY_LIBS) $(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) \
	$(XENVCHAN_LIBS) $(YAJL_LIBS) -lpthread
tests_unit_test_in_order_SOURCES = tests/unit/test_in_order.c $(JOINED_SOURCES)

tests_unit_test_pieces_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pieces_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pieces_LDADD = $(UNIT_LDADD)
tests_unit_test_pieces_SOURCES = tests/unit/test_pieces.c
