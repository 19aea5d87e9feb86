# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Roots of a stock Debian, and packages of others than this machine's, from the
# mirror this machine uses.

debian_mirror() {
    sed -n -e 's/^URIs: *\([^ ]*debian\)\/* *$/\1/p' \
        -e 's/^deb \(\[.*\] \)\{0,1\}\([^ ]*debian\)\/* .*main.*/\2/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list \
        2>/dev/null | head -n 1
}

# apt_of_its_own DIR SUITE...: from now on apt knows these suites only, and has all
# that is its own in DIR: this machine's learns nothing of them.
apt_of_its_own() {
    local dir=$1 suite
    shift
    mkdir -p "$dir"/{lists,archives}/partial
    : >"$dir/status"
    for suite; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
            "$(debian_mirror) $suite main"
    done >"$dir/sources.list"
    cat >"$dir/apt.conf" <<END
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$dir";
Dir::State::status "$dir/status";
Dir::Cache "$dir";
END
    export APT_CONFIG=$dir/apt.conf
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
