# SPDX-License-Identifier: LGPL-2.1-only
# The pure part is compiled into mstrap too (stubdom/mstrap/local.mk).
MEXT = tools/libxl/migrate_ext

noinst_LIBRARIES += tools/libxl/migrate_ext/libmext.a
tools_libxl_migrate_ext_libmext_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS)
tools_libxl_migrate_ext_libmext_a_SOURCES = \
	tools/libxl/migrate_ext/mext_codec.c \
	tools/libxl/migrate_ext/mext_codec.h \
	tools/libxl/migrate_ext/mext_keys.c \
	tools/libxl/migrate_ext/mext_keys.h \
	tools/libxl/migrate_ext/mext_seal.c \
	tools/libxl/migrate_ext/mext_seal.h \
	tools/libxl/migrate_ext/mext_token.c \
	tools/libxl/migrate_ext/mext_token.h \
	tools/libxl/migrate_ext/mext_wire.h
