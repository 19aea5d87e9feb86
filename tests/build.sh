# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For check, demo and bench: source it, then use build_product.

build_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Builds in build/check/product, and installs where "bed up" takes the product
# from.  tests/setup must have run.
build_product() (
    stage=${BED_DIR:-$build_top/build/testbed}/stage
    cd "$build_top" && autoreconf -fi && mkdir -p build/check/product &&
        cd build/check/product &&
        { [ -f Makefile ] || "$build_top/configure" -q; } && make -s -j2 &&
        rm -rf "$stage" && make -s install DESTDIR="$stage"
)
