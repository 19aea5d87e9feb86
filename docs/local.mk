# SPDX-License-Identifier: GPL-2.0-only
dist_man_MANS += \
	docs/man/mext-agent.8 \
	docs/man/migrate.8 \
	docs/man/mstrap.7 \
	docs/man/packetd.8 \
	docs/man/packetd.conf.5 \
	docs/man/xl-migrate-cooperative.1 \
	docs/man/xl-migrate-status.1 \
	docs/man/xl-migrate-stream.1 \
	docs/man/xl-save-cooperative.1
dist_doc_DATA = docs/packetd.conf.example
EXTRA_DIST += docs/performance.md docs/performance.svg README.md \
	CHANGELOG.md COPYING LICENSES \
	bench check demo tests/bare tests/bench tests/build.sh tests/debian13 \
	tests/debootstrap.sh docs/architecture.md docs/testing.md \
	docs/specs/agent.md docs/specs/attestation.md docs/specs/commit.md \
	docs/specs/dom0-stream.md \
	docs/specs/guest-migrate.md docs/specs/journal.md docs/specs/monitor.md \
	docs/specs/policy.md docs/specs/portability.md docs/specs/saved.md \
	docs/specs/privsep.md docs/specs/streams.md docs/specs/thin-stream.md \
	docs/specs/token.md \
	docs/specs/transport.md docs/specs/xenstore.md docs/threat-model.md
