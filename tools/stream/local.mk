# SPDX-License-Identifier: GPL-2.0-only
# Reads saved guests and migration streams; knows neither Xen nor QEMU.
noinst_LIBRARIES += tools/stream/libstream.a
tools_stream_libstream_a_CFLAGS = $(AM_CFLAGS) $(YAJL_CFLAGS)
tools_stream_libstream_a_SOURCES = \
	tools/stream/stream.c \
	tools/stream/stream.h \
	tools/stream/stream_hvm.c \
	tools/stream/stream_in.c \
	tools/stream/stream_json.c \
	tools/stream/stream_libxc.c \
	tools/stream/stream_libxc.h \
	tools/stream/stream_libxl.c \
	tools/stream/stream_pages.c \
	tools/stream/stream_priv.h \
	tools/stream/stream_pv.c \
	tools/stream/stream_qemu.c \
	tools/stream/stream_qemu.h \
	tools/stream/stream_ram.c \
	tools/stream/stream_rules.c \
	tools/stream/stream_rules.h \
	tools/stream/stream_vmdesc.c \
	tools/stream/stream_xl.c
