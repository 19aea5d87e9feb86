# SPDX-License-Identifier: GPL-2.0-only
# These go into guests: they need neither libxl nor libxc, and are static
# programs unless configured otherwise, so that a file is all to be copied.
sbin_PROGRAMS += tools/agent/mext-agent
tools_agent_mext_agent_CFLAGS = $(AM_CFLAGS) $(XENVCHAN_CFLAGS)
tools_agent_mext_agent_LDFLAGS = $(AM_LDFLAGS) $(AGENT_LDFLAGS)
tools_agent_mext_agent_SOURCES = \
	tools/agent/agent.h \
	tools/agent/announce.c \
	tools/agent/cgroup.c \
	tools/agent/config.c \
	tools/agent/hooks.c \
	tools/agent/main.c \
	tools/agent/pages.c \
	tools/agent/quiesce.c \
	tools/agent/request.c \
	tools/agent/serve.c \
	tools/agent/trim.c \
	tools/agent/util.c \
	tools/agent/watch.c \
	tools/agent/watch.h
tools_agent_mext_agent_LDADD = tools/libxl/migrate_ext/libmext.a $(AGENT_LIBS)

sbin_PROGRAMS += tools/agent/migrate
tools_agent_migrate_LDFLAGS = $(AM_LDFLAGS) $(AGENT_LDFLAGS)
tools_agent_migrate_SOURCES = \
	tools/agent/migrate.c \
	tools/agent/watch.c \
	tools/agent/watch.h
tools_agent_migrate_LDADD = tools/libxl/migrate_ext/libmext.a $(AGENT_LIBS)

# For dom0: asks an agent, without a migration.
pkglibexec_PROGRAMS += tools/agent/agent-probe
tools_agent_agent_probe_CFLAGS = $(AM_CFLAGS) $(XENVCHAN_CFLAGS)
tools_agent_agent_probe_SOURCES = tools/agent/agent_probe.c
tools_agent_agent_probe_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(XENVCHAN_LIBS) $(XENSTORE_LIBS) $(SODIUM_LIBS)

EXTRA_DIST += tools/agent/README.md tools/agent/mext-agent.conf \
	tools/agent/mext-agent.service
