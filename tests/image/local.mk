# SPDX-License-Identifier: GPL-2.0-only
# The programs of a migration over domains that are files: README.md.
IMAGE_CPPFLAGS = $(AM_CPPFLAGS) -DMEXT_FAULT_INJECTION \
	-DMEXT_XL_WRITE='"/run/world/xl-write"' -DASK_PAGES=1 \
	-I$(srcdir)/tests/image -I$(srcdir)/tools/mstrap \
	-I$(srcdir)/stubdom/mstrap
IMAGE_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(LZ4_CFLAGS) $(YAJL_CFLAGS) \
	$(CRYPTO_CFLAGS) $(TSS2_CFLAGS) $(TSS2_MU_CFLAGS) $(SECCOMP_CFLAGS) \
	$(SYSTEMD_CFLAGS)
IMAGE_LDADD = tests/image/libmext_image.a $(YAJL_LIBS) $(SODIUM_LIBS) \
	$(LZ4_LIBS) $(ZSTD_LIBS) $(CRYPTO_LIBS) $(TSS2_MU_LIBS)

TESTS += tests/image/dump tests/image/joins tests/image/target
EXTRA_DIST += tests/image/dump tests/image/joins tests/image/target

# The product's library, but for what knows Xen.
check_LIBRARIES += tests/image/libmext_image.a
tests_image_libmext_image_a_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_libmext_image_a_CFLAGS = $(IMAGE_CFLAGS)
tests_image_libmext_image_a_SOURCES = $(MEXT_SOURCES) \
	tests/image/image.c \
	tests/image/image.h \
	tests/image/image_agent.c \
	tests/image/image_config.c \
	tests/image/image_config.h \
	tests/image/image_libxl.c \
	tests/image/image_map.c \
	tests/image/image_stream.c \
	tests/image/image_xs.c \
	tests/image/image_xen.c

check_PROGRAMS += tests/image/xl-image tests/image/packetd-image \
	tests/image/xl-write-image \
	tests/image/image-xen tests/image/image-guest \
	tests/image/image-mstrap tests/image/image-ctl

tests_image_xl_image_CPPFLAGS = $(IMAGE_CPPFLAGS) -I$(srcdir)/tools/stream
tests_image_xl_image_CFLAGS = $(IMAGE_CFLAGS)
tests_image_xl_image_LDADD = tools/stream/libstream.a $(IMAGE_LDADD) \
	-lpthread
tests_image_xl_image_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=mext_channel_open \
	-Wl,--wrap=mext_channel_close -Wl,--wrap=mext_frame_seal \
	-Wl,--wrap=mext_page_seal
tests_image_xl_image_SOURCES = $(XL_SOURCES) tests/image/image_dump.c

tests_image_xl_write_image_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_xl_write_image_CFLAGS = $(IMAGE_CFLAGS)
tests_image_xl_write_image_LDADD = $(IMAGE_LDADD) -lpthread
tests_image_xl_write_image_SOURCES = tools/xl/xl_write.c

tests_image_packetd_image_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_packetd_image_CFLAGS = $(IMAGE_CFLAGS)
tests_image_packetd_image_LDADD = $(IMAGE_LDADD) $(SECCOMP_LIBS) \
	$(SYSTEMD_LIBS) $(TSS2_LIBS) -lpthread
tests_image_packetd_image_SOURCES = $(PACKETD_SOURCES)

tests_image_image_xen_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_image_xen_CFLAGS = $(IMAGE_CFLAGS)
tests_image_image_xen_LDADD = $(IMAGE_LDADD)
tests_image_image_xen_SOURCES = \
	tests/image/xen.c \
	tests/image/xen.h \
	tests/image/xen_domains.c \
	tests/image/xen_store.c

tests_image_image_guest_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_image_guest_CFLAGS = $(IMAGE_CFLAGS)
tests_image_image_guest_LDADD = $(IMAGE_LDADD)
tests_image_image_guest_SOURCES = tests/image/guest.c

tests_image_image_mstrap_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_image_mstrap_CFLAGS = $(IMAGE_CFLAGS)
tests_image_image_mstrap_LDADD = $(IMAGE_LDADD)
tests_image_image_mstrap_SOURCES = \
	tests/image/mstrap.c \
	stubdom/mstrap/channel.c \
	stubdom/mstrap/channel.h \
	stubdom/mstrap/cmdline.c \
	stubdom/mstrap/cmdline.h \
	stubdom/mstrap/session.c \
	stubdom/mstrap/session.h \
	stubdom/mstrap/text.c \
	stubdom/mstrap/text.h

tests_image_image_ctl_CPPFLAGS = $(IMAGE_CPPFLAGS)
tests_image_image_ctl_CFLAGS = $(IMAGE_CFLAGS)
tests_image_image_ctl_LDADD = $(IMAGE_LDADD)
tests_image_image_ctl_SOURCES = tests/image/ctl.c
