# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For check, demo and bench: source it, then use build_product.

build_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# build_product [NAME [CONFIGURE-OPTION]...]: builds in build/check/NAME ("product"),
# and installs where "bed up" takes the product from, or for another NAME where
# it does with BED_STAGE. tests/setup must have run.
build_product() (
    name=${1-product}
    stage=${BED_DIR:-$build_top/build/testbed}/stage
    [ "$name" = product ] || stage=$stage-$name
    cd "$build_top" || exit
    { [ "$name" != product ] && [ -x configure ]; } || autoreconf -fi || exit
    mkdir -p "build/check/$name" && cd "build/check/$name" &&
        { [ -f Makefile ] || "$build_top/configure" -q "${@:2}"; } &&
        make -s -j2 && rm -rf "$stage" && make -s install DESTDIR="$stage"
)
