# SPDX-License-Identifier: GPL-2.0-only
# The unikernel: freestanding, so with rules of its own.
MS = stubdom/mstrap
MS_IMAGE_MAX = 393216
# 956 KiB, which libxl gives a PVH domain above its RAM.
MS_PAGES_MAX = 239

MS_CPPFLAGS = -I$(srcdir)/$(MS)/port \
	-I$(srcdir)/tools/libxl/migrate_ext -I$(LWIP_DIR)/src/include \
	-I$(ZSTD_DIR)/lib -D__XEN_INTERFACE_VERSION__=0x00040e00
# No interrupts, so the red zone would do no harm; a fault must not use it.
MS_CFLAGS = -std=gnu11 -Os -g -ffreestanding -fno-pic -mcmodel=kernel \
	-mno-red-zone -mgeneral-regs-only -fcf-protection=none \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections \
	-fno-strict-aliasing -fno-common -fno-tree-loop-distribute-patterns \
	-fstack-protector-strong -mstack-protector-guard=tls \
	-mstack-protector-guard-reg=fs -U_FORTIFY_SOURCE
MS_WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wno-unused-parameter

MS_FILES = \
	boot/head.S \
	main.c home.c paging.c ram.c fault.c state.c tidy.c \
	text.c cmdline.c entropy.c channel.c session.c receiver.c \
	xen/hypercall.c xen/console.c xen/memory.c xen/evtchn.c xen/gnttab.c \
	xen/xenstore.c xen/clock.c \
	net/vif.c net/netfront.c net/stack.c net/connection.c \
	port/libc.c port/sodium.c
MS_INCLUDES = \
	boot/layout.h mstrap.h \
	home.h paging.h ram.h fault.h state.h tidy.h \
	text.h cmdline.h entropy.h channel.h session.h receiver.h \
	xen/hypercall.h xen/console.h xen/memory.h xen/evtchn.h xen/gnttab.h \
	xen/xenstore.h xen/clock.h \
	net/vif.h net/netfront.h net/stack.h net/connection.h \
	port/libc.h port/sodium.h port/lwipopts.h port/arch/cc.h
MS_FROM_MEXT = mext_codec.c mext_codec_data.c mext_receiver.c \
	mext_seal.c mext_text.c mext_unpack.c
MS_FROM_LWIP = \
	core/init.c core/def.c core/inet_chksum.c core/ip.c core/mem.c \
	core/memp.c core/netif.c core/pbuf.c core/tcp.c core/tcp_in.c \
	core/tcp_out.c core/timeouts.c core/ipv4/etharp.c \
	core/ipv4/ip4.c core/ipv4/ip4_addr.c netif/ethernet.c
# Debian's archive has decoders of old formats and variants for many CPUs, 180
# KiB more.
MS_FROM_ZSTD = \
	common/entropy_common.c common/error_private.c \
	common/fse_decompress.c common/xxhash.c common/zstd_common.c \
	decompress/huf_decompress.c decompress/zstd_ddict.c \
	decompress/zstd_decompress.c decompress/zstd_decompress_block.c
MS_ZSTD_CFLAGS = -O2 -DZSTD_LEGACY_SUPPORT=0 -DZSTD_DISABLE_ASM=1 \
	-DDYNAMIC_BMI2=0 -DZSTD_TRACE=0 -DXXH_NAMESPACE=ZSTD_ \
	-DZSTD_STRIP_ERROR_STRINGS -DHUF_FORCE_DECOMPRESS_X1 \
	-DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT

MS_OBJECTS = \
	$(addprefix $(MS)/obj/,$(addsuffix .o,$(basename $(MS_FILES)))) \
	$(addprefix $(MS)/obj/mext/,$(MS_FROM_MEXT:.c=.o)) \
	$(addprefix $(MS)/obj/lwip/,$(MS_FROM_LWIP:.c=.o)) \
	$(addprefix $(MS)/obj/zstd/,$(MS_FROM_ZSTD:.c=.o))

EXTRA_DIST += $(addprefix $(MS)/,$(MS_FILES) $(MS_INCLUDES) boot/mstrap.lds.S)

MS_COMPILE = $(MKDIR_P) $(@D) && \
	$(CC) $(MS_CPPFLAGS) $(MS_CFLAGS) -MMD -MP -c -o $@

$(MS)/obj/lwip/%.o: $(LWIP_DIR)/src/%.c
	$(AM_V_CC)$(MS_COMPILE) $<
$(MS)/obj/zstd/%.o: $(ZSTD_DIR)/lib/%.c
	$(AM_V_CC)$(MS_COMPILE) $(MS_ZSTD_CFLAGS) $<
$(MS)/obj/mext/%.o: $(srcdir)/tools/libxl/migrate_ext/%.c
	$(AM_V_CC)$(MS_COMPILE) $(MS_WARNINGS) $<
$(MS)/obj/%.o: $(srcdir)/$(MS)/%.c
	$(AM_V_CC)$(MS_COMPILE) $(MS_WARNINGS) $<
$(MS)/obj/%.o: $(srcdir)/$(MS)/%.S
	$(AM_V_CC)$(MS_COMPILE) $<
$(MS)/obj/mstrap.lds: $(srcdir)/$(MS)/boot/mstrap.lds.S \
		$(srcdir)/$(MS)/boot/layout.h
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) -E -P -x assembler-with-cpp -o $@ $<

# Undefined symbols are errors (no -r, no --unresolved-symbols).
$(MS)/mstrap.elf: $(MS_OBJECTS) $(MS)/obj/mstrap.lds $(SODIUM_A) $(LZ4_A) \
		$(srcdir)/$(MS)/check-image
	$(AM_V_CCLD)$(LD) -static -no-pie --gc-sections -z noexecstack \
	  -z max-page-size=4096 --build-id=none --fatal-warnings \
	  -Map $(MS)/obj/mstrap.map -T $(MS)/obj/mstrap.lds \
	  -o $@.unstripped $(MS_OBJECTS) $(SODIUM_A) $(LZ4_A)
	@strip -s -o $@.tmp $@.unstripped
	@sh $(srcdir)/$(MS)/check-image $@.tmp $(MS_IMAGE_MAX) \
	  $(MS_PAGES_MAX)
	@mv -f $@.tmp $@

-include $(MS_OBJECTS:.o=.d)

EXTRA_DIST += stubdom/mstrap/check-image stubdom/mstrap/README.md
all_local += stubdom/mstrap/mstrap.elf
mstrapdir = $(pkglibexecdir)
mstrap_DATA = stubdom/mstrap/mstrap.elf
CLEANFILES += $(MS)/mstrap.elf $(MS)/mstrap.elf.unstripped
clean-local:
	rm -rf $(MS)/obj

# The pure parts, on the host.
ms_tests = stubdom/mstrap/test_pure stubdom/mstrap/test_pages \
	stubdom/mstrap/test_session stubdom/mstrap/test_tidy
TESTS += $(ms_tests)
check_PROGRAMS += $(ms_tests) stubdom/mstrap/test_sender
stubdom_mstrap_test_pure_SOURCES = \
	stubdom/mstrap/test_pure.c \
	stubdom/mstrap/cmdline.c \
	stubdom/mstrap/paging.c \
	stubdom/mstrap/ram.c \
	stubdom/mstrap/text.c
stubdom_mstrap_test_pure_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
stubdom_mstrap_test_pure_LDADD = $(CHECK_LIBS)
# Both over a session with a fake guest.
MS_SESSION_CASE = \
	stubdom/mstrap/session_case.c \
	stubdom/mstrap/session_case.h \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/session.c
MS_SESSION_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(CHECK_LIBS) $(SODIUM_LIBS) $(LZ4_LIBS) $(ZSTD_LIBS)
stubdom_mstrap_test_pages_SOURCES = \
	stubdom/mstrap/test_pages.c $(MS_SESSION_CASE)
stubdom_mstrap_test_pages_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) \
	$(SODIUM_CFLAGS)
stubdom_mstrap_test_pages_LDADD = $(MS_SESSION_LDADD)
stubdom_mstrap_test_session_SOURCES = \
	stubdom/mstrap/test_session.c $(MS_SESSION_CASE)
stubdom_mstrap_test_session_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) \
	$(SODIUM_CFLAGS)
stubdom_mstrap_test_session_LDADD = $(MS_SESSION_LDADD)
stubdom_mstrap_test_tidy_SOURCES = \
	stubdom/mstrap/test_tidy.c \
	stubdom/mstrap/state.c \
	stubdom/mstrap/text.c \
	stubdom/mstrap/tidy.c
stubdom_mstrap_test_tidy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) \
	$(SODIUM_CFLAGS) -I$(LWIP_DIR)/src/include -I$(srcdir)/stubdom/mstrap/port
stubdom_mstrap_test_tidy_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(CHECK_LIBS) $(SODIUM_LIBS)
# Run in dom0 against an mstrap that waits.
stubdom_mstrap_test_sender_SOURCES = stubdom/mstrap/test_sender.c
stubdom_mstrap_test_sender_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) \
	$(XENSTORE_CFLAGS) $(XENFOREIGNMEMORY_CFLAGS)
stubdom_mstrap_test_sender_LDADD = tools/libxl/migrate_ext/libmext.a \
	$(SODIUM_LIBS) $(CRYPTO_LIBS) $(XENSTORE_LIBS) \
	$(XENFOREIGNMEMORY_LIBS) -lpthread
