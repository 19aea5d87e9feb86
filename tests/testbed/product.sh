# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios about the product itself: keys, packetd and migrations on the
# testbed. Source it after lib.sh.

# shellcheck disable=SC2034 # for scenarios
packetd_log=/var/log/packetd.log

# packetd_start HOST [OPTION]...: waits until it listens.
packetd_start() {
    local host=$1
    shift
    packetd_stop "$host"
    bed exec "$host" start-packetd "$@" </dev/null >/dev/null ||
        fail "packetd on $host does not listen"
}

# Without harm if it does not run.
packetd_stop() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'pid=$(cat /run/packetd.pid 2>/dev/null) &&
        kill "$pid" 2>/dev/null || exit 0
        while kill -0 "$pid" 2>/dev/null; do usleep 20000; done' </dev/null
}

# Each host gets a key and trusts the other's, under its address.
keys_exchange() {
    local host key
    for host in host1 host2; do
        bed exec "$host" sh -c \
            'packetd pubkey 2>/dev/null || packetd genkey' </dev/null \
            >"$bed_run/$host.pub" || fail "no key on $host"
    done
    for host in host1 host2; do
        key=$(cat "$bed_run/$([ $host = host1 ] && echo host2 ||
            echo host1).pub")
        bed exec "$host" packetd trust add \
            "192.0.2.$([ $host = host1 ] && echo 2 || echo 1)" "$key" \
            </dev/null || fail "$host does not take the other's key"
    done
}

# No domain of an earlier scenario is left on a host.
clear_hosts() {
    local host
    for host in host1 host2; do
        # One may go by itself just now.
        # shellcheck disable=SC2016 # expanded in the host
        bed exec "$host" timeout 60 sh -c '
            while all=$(xl list | awk "NR > 2 { print \$2 }") && [ -n "$all" ]
            do
                for d in $all; do xl destroy "$d" 2>/dev/null; done
            done' </dev/null || fail "a domain stays on $host"
    done
}

# policy HOST LINE...: these are its packetd.conf.
policy() {
    local host=$1
    shift
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$host" sh -c 'printf "%s\n" "$@" >/etc/xen/packetd.conf' \
        policy "$@" </dev/null
}

# What all guests of the scenarios keep within.
accept_all='accept * * disk=/dev/san file=/boot/guest bridge=xenbr0'

# What hosts with Xen 4.20 take: the product, built in a Debian 13.
build_for_4.20() {
    "$src/../debian13" build >"$bed_dir/build-4.20.log" 2>&1 || {
        tail -n 20 "$bed_dir/build-4.20.log"
        fail 'the build in Debian 13 failed'
    }
}

# product_up [OPTION]...: empty hosts, keys exchanged, packetd on both.
product_up() {
    clear_hosts
    keys_exchange
    policy host1 "$accept_all"
    policy host2 "$accept_all"
    packetd_start host1 "$@"
    packetd_start host2 "$@"
}

# cooperative SOURCE DESTINATION NAME [OPTION]...: the JSON result on standard
# output, exit status of xl.
cooperative() {
    local from=$1 to=$2 name=$3
    shift 3
    bed exec "$from" xl migrate --cooperative --json "$@" "$name" \
        "192.0.2.${to#host}" </dev/null
}

# json KEY <TEXT: one value of a flat JSON object.
json() {
    sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"
}

# help_of <JSON: what the guest's agent did for it, in order.
help_of() {
    tr -d ' "\n' | sed 's/.*help:\[\([^]]*\)\].*/\1/' | tr , ' '
}

# agent_probe HOST NAME ARG...: of agent-probe, for the guest.
agent_probe() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'name=$1 && shift && options= &&
        case $1 in --timeout) options="$1 $2"; shift 2 ;; esac &&
        /usr/local/libexec/xen-cooperative-migration/agent-probe $options \
            "$(xl domid "$name")" "$@" 2>&1' probe "${@:2}" </dev/null
}

# runs_on HOST NAME: exactly one domain of that name, and not paused.
runs_on() {
    bed exec "$1" xl list "$2" </dev/null 2>/dev/null |
        awk 'NR > 1 && $5 !~ /p/ { n++ } END { exit n != 1 }'
}

# absent_from HOST NAME: no domain whose name begins so, no vif of one gone.
absent_from() {
    ! bed exec "$1" xl list </dev/null |
        awk -v name="$2" 'index($1, name) == 1 { n++ } END { exit !n }'
}

# things HOST [BEFORE]: domains and network cards; with BEFORE: once they are
# those again, since what was begun is taken back after the source has left.
things() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" timeout 20 sh -c 'things() {
            xl list | cut -d " " -f 1
            ls /sys/class/net
        }
        [ -z "$1" ] || until [ "$(things)" = "$1" ]; do usleep 50000; done
        things' things "${2-}" </dev/null
}

# refused WHAT REGEX ARGUMENT...: xl migrate --cooperative ARGUMENT... fails
# with 1 and says so; the guest $name lives, host2 has nothing new.
refused() {
    local what=$1 regex=$2 out status=0 before
    shift 2
    step "$what"
    before=$(things host2)
    out=$(bed exec host1 xl migrate --cooperative "$@" </dev/null 2>&1) ||
        status=$?
    echo "$out"
    [ $status = 1 ] || fail "$what: exit status $status"
    grep -qE "$regex" <<<"$out" || fail "$what: the message is not /$regex/"
    [ "$(things host2 "$before")" = "$before" ] ||
        fail "$what: host2 has other domains or network cards"
    runs_on host1 "$name" || fail "$what: the guest does not run any more"
    witness_beats host1 "$name" 2 >/dev/null
}

# kill_migrating HOST: whoever has a migration's journal open there; not packetd itself,
# which looks into the journals for a moment.
kill_migrating() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'for p in /proc/[0-9]*; do
            [ "${p#/proc/}" != "$(cat /run/packetd.pid)" ] &&
                ls -l $p/fd 2>/dev/null | grep -q /migrations/ &&
                kill -9 ${p#/proc/}
        done; true' </dev/null
}
