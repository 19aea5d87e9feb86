# SPDX-License-Identifier: LGPL-2.1-only
# The pure part is compiled into mstrap too (stubdom/mstrap/local.mk).
MEXT = tools/libxl/migrate_ext
