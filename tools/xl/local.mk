# SPDX-License-Identifier: GPL-2.0-only
# The words for migrations that are under way or were.
XL_STATUS_SOURCES = \
	tools/xl/xl_args.c \
	tools/xl/xl_args.h \
	tools/xl/xl_status.c \
	tools/xl/xl_status.h \
	tools/xl/xl_status_run.h \
	tools/xl/xl_status_view.c \
	tools/xl/xl_status_view.h \
	tools/xl/xl_steer.c

# The word for saved guests and other streams.
XL_STREAM_SOURCES = \
	tools/xl/xl_json.c \
	tools/xl/xl_json.h \
	tools/xl/xl_stream.c \
	tools/xl/xl_stream.h \
	tools/xl/xl_stream_convert.c \
	tools/xl/xl_stream_convert.h \
	tools/xl/xl_stream_diff.c \
	tools/xl/xl_stream_index.c \
	tools/xl/xl_stream_index.h \
	tools/xl/xl_stream_inspect.c \
	tools/xl/xl_stream_new.c \
	tools/xl/xl_stream_run.h \
	tools/xl/xl_stream_strip.c \
	tools/xl/xl_stream_things.c \
	tools/xl/xl_stream_things.h \
	tools/xl/xl_stream_to_qemu.c \
	tools/xl/xl_stream_to_xen.c

XL_SOURCES = \
	tools/xl/xl_detach.c \
	tools/xl/xl_detach.h \
	tools/xl/xl_look.c \
	tools/xl/xl_look.h \
	tools/xl/xl_migrate2.c \
	tools/xl/xl_report.c \
	tools/xl/xl_report.h \
	tools/xl/xl_resolve.c \
	tools/xl/xl_resolve.h \
	tools/xl/xl_restore.c \
	tools/xl/xl_save.c \
	tools/xl/xl_save.h \
	$(XL_STATUS_SOURCES) \
	$(XL_STREAM_SOURCES)

sbin_PROGRAMS += tools/xl/xl
tools_xl_xl_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tools/stream
tools_xl_xl_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(YAJL_CFLAGS)
tools_xl_xl_SOURCES = $(XL_SOURCES)
tools_xl_xl_LDADD = tools/stream/libstream.a \
	tools/libxl/migrate_ext/libmext.a \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) \
	$(XENFOREIGNMEMORY_LIBS) $(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) \
	$(XENVCHAN_LIBS) $(YAJL_LIBS) $(SODIUM_LIBS) $(LZ4_LIBS) $(ZSTD_LIBS) \
	$(CRYPTO_LIBS) $(TSS2_MU_LIBS) -lpthread

# Between the stock xl and its receiver (xl migrate --cooperative --receiver xl).
pkglibexec_PROGRAMS += tools/xl/xl-thin
tools_xl_xl_thin_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tools_xl_xl_thin_SOURCES = tools/xl/xl_thin.c
tools_xl_xl_thin_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(XENCONTROL_LIBS) $(XENGUEST_LIBS) $(XENFOREIGNMEMORY_LIBS) \
	$(XENSTORE_LIBS) $(XENVCHAN_LIBS) $(SODIUM_LIBS) $(LZ4_LIBS) $(ZSTD_LIBS)

# libxl's part of a migration to receiver dom0, a process of its own.
pkglibexec_PROGRAMS += tools/xl/xl-write
tools_xl_xl_write_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tools_xl_xl_write_SOURCES = tools/xl/xl_write.c
tools_xl_xl_write_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) $(XENSTORE_LIBS) \
	$(XENTOOLLOG_LIBS) $(SODIUM_LIBS)
