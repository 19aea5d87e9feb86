# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A world: two hosts of images, h1 and h2, on one cable.  A script that was
# started by world_enter sources this.  README.md says what is what.

# shellcheck disable=SC2034 # for scripts
world=/run/world
image_bin=${image_bin:?the folder of the programs of tests/image}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# world_possible: root, who may have namespaces, and ip(8).
world_possible() {
    [ "$(id -u)" = 0 ] && command -v ip >/dev/null &&
        command -v bridge >/dev/null &&
        unshare --mount --net --pid --fork --mount-proc sh -c \
            'mount -t tmpfs none /run && ip netns add x &&
                ip link add name b type bridge' 2>/dev/null
}

# world_enter COMMAND...: in namespaces of its own, all of which go with it.
world_enter() {
    unshare --mount --net --pid --uts --fork --kill-child --mount-proc "$@"
}

# The cable, and two hosts without power on it.
world_up() {
    local h
    mount -t tmpfs world /run && mkdir -p $world/guests && cd $world &&
        ln -s "$image_bin/xl-write-image" xl-write || return
    ip link add name br0 type bridge && ip link set br0 up || return
    for h in h1 h2; do
        mkdir -p $h/lib $h/etc/xen $h/log &&
            cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts \
                /etc/ld.so.cache $h/etc/ &&
            ip netns add $h &&
            ip link add "cable-$h" type veth peer name eth0 netns $h &&
            ip link set "cable-$h" master br0 up &&
            ip -n $h link set lo up &&
            ip -n $h addr add "192.0.2.${h#h}/24" dev eth0 || return
    done
    mkfifo ctl
    world_control &
}

# ---- power ----

declare -A host_unshare host_pid host_boots=([h1]=0 [h2]=0)

# host_on HOST: with what its disk had, and nothing else of before.
host_on() {
    local h=$1 run
    host_boots[$h]=$((host_boots[$h] + 1))
    run=$world/$h/run.${host_boots[$h]}
    mkdir -p "$run/world" && ln -sfn "$run" $world/$h/now &&
        cat /proc/sys/kernel/random/uuid >$world/$h/boot_id &&
        ip -n "$h" link set eth0 up || return
    nsenter --net=/run/netns/"$h" \
        unshare --mount --pid --uts --fork --kill-child --mount-proc \
        "$here/host-init" "$h" "$run" "$image_bin/image-xen" \
        >>$world/"$h"/log/xen 2>&1 &
    host_unshare[$h]=$!
    until [ -S "$run/image/xen.sock" ]; do
        kill -0 "${host_unshare[$h]}" || return
        sleep 0.01
    done
    host_pid[$h]=$(cat "/proc/${host_unshare[$h]}/task/${host_unshare[$h]}/children")
    host_pid[$h]=${host_pid[$h]// /}
    echo "${host_pid[$h]}" >$world/"$h"/pid
}

# The address of a host's hypervisor, from outside or from another host.
host_socket() {
    echo "$world/$1/now/image/xen.sock"
}

# host_cut HOST: it loses power.
host_cut() {
    local pid
    read -r pid <$world/"$1"/pid
    "$image_bin/image-ctl" -s "$(host_socket "$1")" power-cut || true
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.01
    done
}

host_has_power() {
    local pid
    read -r pid <$world/"$1"/pid && kill -0 "$pid" 2>/dev/null
}

# in_host HOST COMMAND...
in_host() {
    nsenter -t "$(cat $world/"$1"/pid)" --mount --net --pid --uts "${@:2}"
}

ctl() {
    "$image_bin/image-ctl" -s "$(host_socket "$1")" "${@:2}"
}

# ---- the cable ----

cable() {
    bridge link set dev cable-h1 state "$1"
}

link_cut() {
    cable 0
}

link_heal() {
    cable 3
}

# ---- the product ----

keys_exchange() {
    local h other
    for h in h1 h2; do
        in_host $h "$image_bin/packetd-image" genkey >$world/$h/pub || return
        echo 'accept * * disk=/ file=/boot/guest bridge=xenbr0 allow=dom0' \
            >$world/$h/etc/xen/packetd.conf
    done
    for h in h1 h2; do
        other=$([ $h = h1 ] && echo h2 || echo h1)
        in_host $h "$image_bin/packetd-image" trust add \
            "192.0.2.${other#h}" "$(cat "$world/$other/pub")" || return
    done
}

# packetd_on HOST [OPTION]...: waits until it listens.
packetd_on() {
    local log=$world/$1/log/packetd before
    touch "$log"
    before=$(grep -c 'listening on port' "$log")
    in_host "$1" "$image_bin/packetd-image" run --user nobody \
        --image "$image_bin/image-mstrap" \
        --pool "192.0.2.${1#h}1-192.0.2.${1#h}8/24" "${@:2}" >>"$log" 2>&1 &
    until [ "$(grep -c 'listening on port' "$log")" != "$before" ]; do
        kill -0 $! || return
        sleep 0.02
    done
}

# product_up: both hosts with power, keys and packetd.
product_up() {
    host_on h1 && host_on h2 && keys_exchange && packetd_on h1 && packetd_on h2
}

# ---- what is asked for from within a host, by `host-do` ----

# Each line: a file to make when it is done, and the words.
world_control() {
    local ack words fd
    # Held open: what comes while nobody has it open would be lost.
    exec {fd}<>$world/ctl
    while read -r ack words <&"$fd"; do
        # shellcheck disable=SC2086 # words
        world_do $words >>$world/control.log 2>&1
        touch "$world/$ack"
    done
}

world_do() {
    case $1 in
        cut) link_cut ;;
        heal) link_heal ;;
        blink) link_cut; (sleep "$2"; link_heal) & ;;
        power-cut) host_cut "$2" ;;
        shutdown) ctl h1 shutdown "$2" || ctl h2 shutdown "$2" ;;
        cancel) in_host "$2" "$image_bin/xl-image" migrate-cancel "$3" & ;;
        *) echo "unknown: $*" ;;
    esac
}
