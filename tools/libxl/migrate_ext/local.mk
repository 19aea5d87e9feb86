# SPDX-License-Identifier: LGPL-2.1-only
# The pure part is compiled into mstrap too (stubdom/mstrap/local.mk).
MEXT = tools/libxl/migrate_ext

# What knows Xen; tests/image has others in its place.
MEXT_XEN_SOURCES = \
	tools/libxl/migrate_ext/mext_agent.c \
	tools/libxl/migrate_ext/mext_libxl.c \
	tools/libxl/migrate_ext/mext_libxl_look.c \
	tools/libxl/migrate_ext/mext_libxl_priv.h \
	tools/libxl/migrate_ext/mext_libxl_receive.c \
	tools/libxl/migrate_ext/mext_libxl_restore.c \
	tools/libxl/migrate_ext/mext_map.c \
	tools/libxl/migrate_ext/mext_vif.c \
	tools/libxl/migrate_ext/mext_vif.h \
	tools/libxl/migrate_ext/mext_xen.c

MEXT_SOURCES = \
	tools/libxl/migrate_ext/mext_absent.c \
	tools/libxl/migrate_ext/mext_absent.h \
	tools/libxl/migrate_ext/mext_aead.h \
	tools/libxl/migrate_ext/mext_aead_openssl.c \
	tools/libxl/migrate_ext/mext_agent.h \
	tools/libxl/migrate_ext/mext_agent_report.c \
	tools/libxl/migrate_ext/mext_agentmsg.c \
	tools/libxl/migrate_ext/mext_agentmsg.h \
	tools/libxl/migrate_ext/mext_ak.c \
	tools/libxl/migrate_ext/mext_ak.h \
	tools/libxl/migrate_ext/mext_attest.c \
	tools/libxl/migrate_ext/mext_attest.h \
	tools/libxl/migrate_ext/mext_choose.c \
	tools/libxl/migrate_ext/mext_choose.h \
	tools/libxl/migrate_ext/mext_chunk.c \
	tools/libxl/migrate_ext/mext_chunk.h \
	tools/libxl/migrate_ext/mext_codec.c \
	tools/libxl/migrate_ext/mext_codec.h \
	tools/libxl/migrate_ext/mext_codec_ctl.c \
	tools/libxl/migrate_ext/mext_codec_data.c \
	tools/libxl/migrate_ext/mext_cache.c \
	tools/libxl/migrate_ext/mext_cache.h \
	tools/libxl/migrate_ext/mext_coder.c \
	tools/libxl/migrate_ext/mext_coder.h \
	tools/libxl/migrate_ext/mext_commit.c \
	tools/libxl/migrate_ext/mext_commit.h \
	tools/libxl/migrate_ext/mext_conn.c \
	tools/libxl/migrate_ext/mext_conn.h \
	tools/libxl/migrate_ext/mext_copy.c \
	tools/libxl/migrate_ext/mext_copy.h \
	tools/libxl/migrate_ext/mext_cpu.c \
	tools/libxl/migrate_ext/mext_cpu.h \
	tools/libxl/migrate_ext/mext_crypto.c \
	tools/libxl/migrate_ext/mext_crypto.h \
	tools/libxl/migrate_ext/mext_data.c \
	tools/libxl/migrate_ext/mext_data.h \
	tools/libxl/migrate_ext/mext_dest.c \
	tools/libxl/migrate_ext/mext_dest.h \
	tools/libxl/migrate_ext/mext_fate.c \
	tools/libxl/migrate_ext/mext_fate.h \
	tools/libxl/migrate_ext/mext_fate_ask.c \
	tools/libxl/migrate_ext/mext_fate_ask.h \
	tools/libxl/migrate_ext/mext_fault.c \
	tools/libxl/migrate_ext/mext_fault.h \
	tools/libxl/migrate_ext/mext_gfns.h \
	tools/libxl/migrate_ext/mext_handshake.c \
	tools/libxl/migrate_ext/mext_handshake.h \
	tools/libxl/migrate_ext/mext_hear.c \
	tools/libxl/migrate_ext/mext_hear.h \
	tools/libxl/migrate_ext/mext_help.c \
	tools/libxl/migrate_ext/mext_help.h \
	tools/libxl/migrate_ext/mext_inspect.c \
	tools/libxl/migrate_ext/mext_inspect.h \
	tools/libxl/migrate_ext/mext_journal.c \
	tools/libxl/migrate_ext/mext_journal.h \
	tools/libxl/migrate_ext/mext_journal_file.c \
	tools/libxl/migrate_ext/mext_journal_file.h \
	tools/libxl/migrate_ext/mext_journal_list.c \
	tools/libxl/migrate_ext/mext_journal_record.c \
	tools/libxl/migrate_ext/mext_keyfile.c \
	tools/libxl/migrate_ext/mext_keyfile.h \
	tools/libxl/migrate_ext/mext_keys.c \
	tools/libxl/migrate_ext/mext_keys.h \
	tools/libxl/migrate_ext/mext_lane.c \
	tools/libxl/migrate_ext/mext_lane.h \
	tools/libxl/migrate_ext/mext_libxl.h \
	tools/libxl/migrate_ext/mext_look.c \
	tools/libxl/migrate_ext/mext_look.h \
	tools/libxl/migrate_ext/mext_map.h \
	tools/libxl/migrate_ext/mext_memory.c \
	tools/libxl/migrate_ext/mext_memory.h \
	tools/libxl/migrate_ext/mext_minds.c \
	tools/libxl/migrate_ext/mext_minds.h \
	tools/libxl/migrate_ext/mext_monitor.c \
	tools/libxl/migrate_ext/mext_monitor.h \
	tools/libxl/migrate_ext/mext_move.c \
	tools/libxl/migrate_ext/mext_move.h \
	tools/libxl/migrate_ext/mext_net.c \
	tools/libxl/migrate_ext/mext_net.h \
	tools/libxl/migrate_ext/mext_order.c \
	tools/libxl/migrate_ext/mext_order.h \
	tools/libxl/migrate_ext/mext_pack.c \
	tools/libxl/migrate_ext/mext_pack.h \
	tools/libxl/migrate_ext/mext_pace.c \
	tools/libxl/migrate_ext/mext_pace.h \
	tools/libxl/migrate_ext/mext_pieces.c \
	tools/libxl/migrate_ext/mext_pieces.h \
	tools/libxl/migrate_ext/mext_precopy.c \
	tools/libxl/migrate_ext/mext_precopy.h \
	tools/libxl/migrate_ext/mext_quote.c \
	tools/libxl/migrate_ext/mext_quote.h \
	tools/libxl/migrate_ext/mext_receiver.c \
	tools/libxl/migrate_ext/mext_receiver.h \
	tools/libxl/migrate_ext/mext_saved.h \
	tools/libxl/migrate_ext/mext_saved_in.c \
	tools/libxl/migrate_ext/mext_saved_out.c \
	tools/libxl/migrate_ext/mext_saved_priv.h \
	tools/libxl/migrate_ext/mext_seal.c \
	tools/libxl/migrate_ext/mext_seal.h \
	tools/libxl/migrate_ext/mext_sender.c \
	tools/libxl/migrate_ext/mext_sender.h \
	tools/libxl/migrate_ext/mext_resolve.c \
	tools/libxl/migrate_ext/mext_resolve.h \
	tools/libxl/migrate_ext/mext_source.c \
	tools/libxl/migrate_ext/mext_source.h \
	tools/libxl/migrate_ext/mext_steady.c \
	tools/libxl/migrate_ext/mext_steady.h \
	tools/libxl/migrate_ext/mext_steer.c \
	tools/libxl/migrate_ext/mext_steer.h \
	tools/libxl/migrate_ext/mext_steer_ask.c \
	tools/libxl/migrate_ext/mext_load.h \
	tools/libxl/migrate_ext/mext_stock.h \
	tools/libxl/migrate_ext/mext_store.c \
	tools/libxl/migrate_ext/mext_store.h \
	tools/libxl/migrate_ext/mext_stream.c \
	tools/libxl/migrate_ext/mext_stream.h \
	tools/libxl/migrate_ext/mext_suspend.c \
	tools/libxl/migrate_ext/mext_suspend.h \
	tools/libxl/migrate_ext/mext_text.c \
	tools/libxl/migrate_ext/mext_text.h \
	tools/libxl/migrate_ext/mext_thin.c \
	tools/libxl/migrate_ext/mext_thin.h \
	tools/libxl/migrate_ext/mext_throttle.c \
	tools/libxl/migrate_ext/mext_throttle.h \
	tools/libxl/migrate_ext/mext_token.c \
	tools/libxl/migrate_ext/mext_token.h \
	tools/libxl/migrate_ext/mext_trust.c \
	tools/libxl/migrate_ext/mext_unpack.c \
	tools/libxl/migrate_ext/mext_unpack.h \
	tools/libxl/migrate_ext/mext_whois.c \
	tools/libxl/migrate_ext/mext_whois.h \
	tools/libxl/migrate_ext/mext_wire.h \
	tools/libxl/migrate_ext/mext_workers.c \
	tools/libxl/migrate_ext/mext_workers.h \
	tools/libxl/migrate_ext/mext_xen.h

noinst_LIBRARIES += tools/libxl/migrate_ext/libmext.a
tools_libxl_migrate_ext_libmext_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) \
	$(LZ4_CFLAGS) $(ZSTD_CFLAGS) $(YAJL_CFLAGS) $(XENVCHAN_CFLAGS) $(CRYPTO_CFLAGS) $(TSS2_MU_CFLAGS)
tools_libxl_migrate_ext_libmext_a_SOURCES = $(MEXT_SOURCES) $(MEXT_XEN_SOURCES)
