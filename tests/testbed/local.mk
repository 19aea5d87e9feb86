# SPDX-License-Identifier: GPL-2.0-only
# The testbed's programs are compiled by "bed fetch", the benchmark's by bench,
# not by make: they go into the emulated hosts.
EXTRA_DIST += \
	tests/bench/bench-host.c \
	tests/bench/measure.sh \
	tests/bench/report \
	tests/build.sh \
	tests/ramdisks \
	tests/setup \
	tests/style \
	.clang-format \
	tests/testbed/README.md \
	tests/testbed/bed \
	tests/testbed/dom0-init \
	tests/testbed/dom0-start-packetd \
	tests/testbed/dom0-wait-line \
	tests/testbed/guest-init \
	tests/testbed/guest-inittab \
	tests/testbed/guest-profile \
	tests/testbed/guest-witness \
	tests/testbed/guest.cfg \
	tests/testbed/guest.sh \
	tests/testbed/image.sh \
	tests/testbed/lib.sh \
	tests/testbed/packages.build \
	tests/testbed/packages.hosts \
	tests/testbed/product.sh \
	tests/testbed/scenario-agent \
	tests/testbed/scenario-ballooned \
	tests/testbed/scenario-failures \
	tests/testbed/scenario-guest-migrate \
	tests/testbed/scenario-help \
	tests/testbed/scenario-manual \
	tests/testbed/scenario-migrate \
	tests/testbed/scenario-no-mapping \
	tests/testbed/scenario-ramdisks \
	tests/testbed/scenario-refusals \
	tests/testbed/scenario-stock \
	tests/testbed/scenario-terminal \
	tests/testbed/src/bed-agent.c \
	tests/testbed/src/bed-client.c \
	tests/testbed/src/bed-frame.h \
	tests/testbed/src/bed-relay.c \
	tests/testbed/src/lying-agent.c \
	tests/testbed/witness/commands.c \
	tests/testbed/witness/disk.c \
	tests/testbed/witness/message.h \
	tests/testbed/witness/pages.c \
	tests/testbed/witness/stamp.h \
	tests/testbed/witness/tcp.c \
	tests/testbed/witness/ticks.c \
	tests/testbed/witness/witness-peer.c \
	tests/testbed/witness/witness.c \
	tests/testbed/witness/witness.h
