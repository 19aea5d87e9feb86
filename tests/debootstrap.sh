# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Roots of a stock Debian, from the mirror this machine uses.

debian_mirror() {
    sed -n -e 's/^URIs: *\([^ ]*debian\)\/* *$/\1/p' \
        -e 's/^deb \(\[.*\] \)\{0,1\}\([^ ]*debian\)\/* .*main.*/\2/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
        2>/dev/null | head -n 1
}

# debian_root SUITE ROOT LOG [OPTION]...: the options are debootstrap's.
debian_root() {
    local suite=$1 root=$2 log=$3
    shift 3
    [ "$(id -u)" = 0 ] || {
        echo "needs root (debootstrap)" >&2
        return 1
    }
    command -v debootstrap >/dev/null ||
        apt-get install -y -qq --no-install-recommends debootstrap || {
        echo "debootstrap cannot be installed" >&2
        return 1
    }
    debootstrap --variant=minbase --force-check-gpg "$@" "$suite" "$root" \
        "$(debian_mirror)" >"$log" || {
        tail -n 5 "$log" >&2
        echo "debootstrap failed: $log" >&2
        return 1
    }
}
