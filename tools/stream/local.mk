# SPDX-License-Identifier: GPL-2.0-only
# Reads saved guests and migration streams; knows neither Xen nor QEMU.
noinst_LIBRARIES += tools/stream/libstream.a
tools_stream_libstream_a_CFLAGS = $(AM_CFLAGS) $(YAJL_CFLAGS) $(LZ4_CFLAGS) \
	$(ZSTD_CFLAGS)
tools_stream_libstream_a_SOURCES = \
	tools/stream/stream.c \
	tools/stream/stream.h \
	tools/stream/stream_dump.c \
	tools/stream/stream_dump.h \
	tools/stream/stream_guest.c \
	tools/stream/stream_guest.h \
	tools/stream/stream_guest_cpu.c \
	tools/stream/stream_guest_hw.c \
	tools/stream/stream_hvm.c \
	tools/stream/stream_in.c \
	tools/stream/stream_json.c \
	tools/stream/stream_libxc.c \
	tools/stream/stream_libxc.h \
	tools/stream/stream_libxl.c \
	tools/stream/stream_machine.c \
	tools/stream/stream_machine.h \
	tools/stream/stream_machine_cpu.c \
	tools/stream/stream_mapped.c \
	tools/stream/stream_pages.c \
	tools/stream/stream_priv.h \
	tools/stream/stream_pv.c \
	tools/stream/stream_put.c \
	tools/stream/stream_put.h \
	tools/stream/stream_qemu.c \
	tools/stream/stream_qemu.h \
	tools/stream/stream_qemu_hw.c \
	tools/stream/stream_qemu_hw.h \
	tools/stream/stream_ram.c \
	tools/stream/stream_rules.c \
	tools/stream/stream_rules.h \
	tools/stream/stream_to_qemu.c \
	tools/stream/stream_to_xen.c \
	tools/stream/stream_unpack.c \
	tools/stream/stream_vmdesc.c \
	tools/stream/stream_wire.c \
	tools/stream/stream_wire.h \
	tools/stream/stream_xen_hvm.c \
	tools/stream/stream_xen_hvm.h \
	tools/stream/stream_xl.c
