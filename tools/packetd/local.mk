# SPDX-License-Identifier: GPL-2.0-only
sbin_PROGRAMS += tools/packetd/packetd
tools_packetd_packetd_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tools/mstrap
tools_packetd_packetd_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tools_packetd_packetd_SOURCES = \
	tools/packetd/checkconf.c \
	tools/packetd/datagram.c \
	tools/packetd/fetch.c \
	tools/packetd/fetch.h \
	tools/packetd/guests.c \
	tools/packetd/guests.h \
	tools/packetd/keycmd.c \
	tools/packetd/keycmd.h \
	tools/packetd/main.c \
	tools/packetd/move.c \
	tools/packetd/packetd.h \
	tools/packetd/policy.c \
	tools/packetd/policy.h \
	tools/packetd/replay.c \
	tools/packetd/request.c \
	tools/packetd/session.c \
	tools/mstrap/ms_host.c \
	tools/mstrap/ms_host.h
# Without libxenforeignmemory: this program cannot map a guest's memory.
tools_packetd_packetd_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) \
	$(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) $(SODIUM_LIBS)
