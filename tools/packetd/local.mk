# SPDX-License-Identifier: GPL-2.0-only
PACKETD_SOURCES = \
	tools/packetd/admit.c \
	tools/packetd/admit.h \
	tools/packetd/admit_fields.c \
	tools/packetd/admit_fields.h \
	tools/packetd/akcmd.c \
	tools/packetd/akcmd.h \
	tools/packetd/allow.c \
	tools/packetd/attest.c \
	tools/packetd/attest.h \
	tools/packetd/attest_tpm.c \
	tools/packetd/checkconf.c \
	tools/packetd/cpu.c \
	tools/packetd/cpu.h \
	tools/packetd/datagram.c \
	tools/packetd/door.c \
	tools/packetd/door.h \
	tools/packetd/commit.c \
	tools/packetd/commit.h \
	tools/packetd/devices.c \
	tools/packetd/devices.h \
	tools/packetd/fate.c \
	tools/packetd/fetch.c \
	tools/packetd/fetch.h \
	tools/packetd/gate.c \
	tools/packetd/gate.h \
	tools/packetd/guests.c \
	tools/packetd/guests.h \
	tools/packetd/keycmd.c \
	tools/packetd/jail.c \
	tools/packetd/jail.h \
	tools/packetd/keycmd.h \
	tools/packetd/line.c \
	tools/packetd/line_conns.c \
	tools/packetd/line_conns.h \
	tools/packetd/main.c \
	tools/packetd/metrics.c \
	tools/packetd/metrics.h \
	tools/packetd/mind.c \
	tools/packetd/mind.h \
	tools/packetd/monitor.c \
	tools/packetd/move.c \
	tools/packetd/packetd.h \
	tools/packetd/policy.c \
	tools/packetd/policy.h \
	tools/packetd/address.c \
	tools/packetd/address.h \
	tools/packetd/receipt.c \
	tools/packetd/receipt.h \
	tools/packetd/received.c \
	tools/packetd/received.h \
	tools/packetd/replay.c \
	tools/packetd/recover.c \
	tools/packetd/request.c \
	tools/packetd/service.c \
	tools/packetd/service.h \
	tools/packetd/restore.c \
	tools/packetd/restore.h \
	tools/packetd/session.c \
	tools/packetd/incoming.h \
	tools/packetd/session_dom0.c \
	tools/packetd/session_look.c \
	tools/packetd/session_mstrap.c \
	tools/packetd/tpm.c \
	tools/packetd/tpm.h \
	tools/mstrap/ms_host.c \
	tools/mstrap/ms_host.h

sbin_PROGRAMS += tools/packetd/packetd
tools_packetd_packetd_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tools/mstrap
tools_packetd_packetd_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(SECCOMP_CFLAGS) \
	$(SYSTEMD_CFLAGS) $(YAJL_CFLAGS) $(TSS2_CFLAGS)
tools_packetd_packetd_SOURCES = $(PACKETD_SOURCES)
# Without libxenforeignmemory: this program cannot map a guest's memory.
tools_packetd_packetd_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(XENLIGHT_LIBS) $(XENCONTROL_LIBS) $(XENGUEST_LIBS) \
	$(XENSTORE_LIBS) $(XENTOOLLOG_LIBS) $(SODIUM_LIBS) $(LZ4_LIBS) \
	$(SECCOMP_LIBS) \
	$(SYSTEMD_LIBS) $(YAJL_LIBS) $(TSS2_LIBS) $(TSS2_MU_LIBS) $(CRYPTO_LIBS)

# Around libxl-save-helper, for guests that come as a stock stream.
pkglibexec_PROGRAMS += tools/packetd/restore-helper
tools_packetd_restore_helper_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) \
	$(SECCOMP_CFLAGS)
tools_packetd_restore_helper_SOURCES = tools/packetd/restore_helper.c \
	tools/packetd/jail.c tools/packetd/jail.h
tools_packetd_restore_helper_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(SODIUM_LIBS) $(SECCOMP_LIBS)

# Where systemd looks, also below /usr/local.
systemunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
dist_systemunit_DATA = tools/packetd/packetd.service \
	tools/packetd/packetd.socket
EXTRA_DIST += tools/packetd/packetd.sysusers
install-data-hook:
	sed -i 's,/usr/local/sbin,$(sbindir),' \
		'$(DESTDIR)$(systemunitdir)/packetd.service'
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)'
	$(INSTALL_DATA) $(srcdir)/tools/packetd/packetd.sysusers \
		'$(DESTDIR)$(sysusersdir)/packetd.conf'
uninstall-hook:
	rm -f '$(DESTDIR)$(sysusersdir)/packetd.conf'
