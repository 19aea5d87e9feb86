# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenario tests: source it, then use bed (the command) and these.

bed_src=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bed_dir=${BED_DIR:-$(cd "$bed_src/../.." && pwd)/build/testbed}
bed_run=${BED_RUN:-$bed_dir/run}

bed() {
    "$bed_src/bed" "$@"
}

# step TEXT: progress of the scenario.
step() {
    echo "== $*"
}

# fail TEXT: ends the test and says where to look.
fail() {
    echo "FAILED: $*" >&2
    echo "serial logs: $bed_run/host1.log $bed_run/host2.log" >&2
    echo "guests' consoles: /var/log/xen in each host, packetd's log: /var/log;" \
        "after \"bed down\" both: $bed_run/host?-xenlog" >&2
    exit 1
}

bed_up() {
    bed up "$@" || fail "the testbed does not come up"
}

# guest_start HOST NAME [OPTION]...: see bed guest --help.
guest_start() {
    local host
    # What an earlier guest of that name said is not this one's.
    for host in host1 host2; do
        # shellcheck disable=SC2016 # expanded in the host
        bed exec "$host" sh -c 'xl domid "$1" >/dev/null 2>&1 ||
            rm -f "/var/log/xen/guest-$1.log" \
                "/var/log/xen/guest-$1--incoming.log"' rm "$2" </dev/null
    done
    bed guest "$@" || fail "guest $2 does not start on $1"
}

# guest_log HOST NAME: its console's log there.  xenconsoled names it after
# what the domain was called when it came: NAME, or NAME--incoming.  Of a
# domain that is there it is the one xenconsoled has open (it opens it before
# it writes the terminal's name); of one that is gone, the one last written.
# With known_log set it is that: to find it takes an emulated host a second.
guest_log() {
    [ -z "${known_log-}" ] || { echo "$known_log"; return; }
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'ours() {
            case $1 in
                "/var/log/xen/guest-$name.log") ;;
                "/var/log/xen/guest-$name--"*.log) ;;
                *) return 1 ;;
            esac
        }
        name=$1 tries=500
        if domid=$(xl domid "$name" 2>/dev/null); then
            until xenstore-exists "/local/domain/$domid/console/tty"; do
                tries=$((tries - 1))
                [ $tries -gt 0 ] || break
                usleep 20000
            done
            for fd in /proc/"$(pidof xenconsoled)"/fd/*; do
                log=$(readlink "$fd")
                ! ours "$log" || { echo "$log"; exit; }
            done
        fi
        for log in $(ls -t /var/log/xen/guest-*.log); do
            ! ours "$log" || { echo "$log"; exit; }
        done' log "$2" </dev/null
}

# wait_for_line HOST FILE REGEX SECONDS [OFFSET]: waits for the line in a
# file of the host (from a byte on) and prints it.
wait_for_line() {
    bed exec "$1" wait-line "$2" "$3" "$4" "${5:-0}" </dev/null
}

# log_size HOST FILE: an offset for wait_for_line.
log_size() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'cat "$1" 2>/dev/null | wc -c' size "$2" </dev/null
}

# witness_command HOST NAME COMMAND: see witness --help.  Typed on the guest's
# console by its terminal: "xl console" does not end when its input does.
witness_command() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'domid=$(xl domid "$1") || exit
        echo "$2" >"$(xenstore-read "/local/domain/$domid/console/tty")"' \
        command "$2" "$3" </dev/null
}

# value KEY LINE: of a line of KEY=VALUE words.
value() {
    [[ " $2 " =~ \ $1=([^ ]*)\  ]] && echo "${BASH_REMATCH[1]}"
}

# guest_shell HOST ADDRESS COMMAND: typed in a shell of a test guest's.
guest_shell() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'echo "$2; exit" | socat -t10 - "TCP:$1:7777"' \
        ask "$2" "$3" </dev/null
}

last_beat() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'grep -a "^hb n=" "$1" | tail -n 1 | tr -d "\r"' beat \
        "$(guest_log "$1" "$2")" </dev/null
}

# witness_beats HOST NAME COUNT: waits for so many more heartbeats; prints the
# last one.
witness_beats() {
    local log first n
    log=$(guest_log "$1" "$2")
    wait_for_line "$1" "$log" '^hb n=' 30 >/dev/null ||
        fail "$2 on $1 has no heartbeat"
    first=$(last_beat "$1" "$2")
    n=$(($(value n "$first") + $3))
    wait_for_line "$1" "$log" "^hb n=$n " $((30 + 3 * $3)) | tr -d '\r' ||
        fail "the heartbeat of $2 on $1 has stopped"
}

# witness_verdict HOST NAME: every page and block verified now; prints the
# CHECKED line.
witness_verdict() {
    local log from
    log=$(guest_log "$1" "$2")
    from=$(log_size "$1" "$log")
    witness_command "$1" "$2" check
    wait_for_line "$1" "$log" '^CHECKED ' 120 "$from" | tr -d '\r' ||
        fail "the witness in $2 on $1 does not answer"
}

# connection_moves BEFORE AFTER: between two heartbeats, if it has one.
connection_moves() {
    [ "$(value tcp_sent "$2")" = 0 ] ||
        [ "$(value tcp_echo "$2")" -gt "$(value tcp_echo "$1")" ]
}

# witness_check HOST NAME: it lives, and nothing was lost or damaged: three
# more heartbeats, the connection moves, all memory and blocks are right.
witness_check() {
    local before after verdict left known_log=
    known_log=$(guest_log "$1" "$2") || exit 1
    before=$(witness_beats "$1" "$2" 1) || exit 1
    verdict=$(witness_verdict "$1" "$2") || exit 1
    after=$(witness_beats "$1" "$2" 3) || exit 1
    [[ $verdict = 'CHECKED mem_bad=0 blk_bad=0 tcp_bad=0' ]] ||
        fail "$2 on $1: $verdict"
    # After a long silence TCP tries again only after another as long.
    for ((left = 20; left; left--)); do
        ! connection_moves "$before" "$after" || break
        after=$(witness_beats "$1" "$2" 5) || exit 1
    done
    [ $left != 0 ] ||
        fail "$2 on $1: its connection does not move: $after"
    ! bed exec "$1" grep -a 'WITNESS BAD' "$(guest_log "$1" "$2")" </dev/null ||
        fail "$2 on $1: the witness saw errors"
    echo "witness in $2 on $1: $verdict"
}

# witness_largest_gap HOST NAME [OFFSET]: of the GAP lines, in ms of real time
# (the monotonic clock stands still while the guest is suspended).
witness_largest_gap() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'tail -c "+$(($2 + 1))" "$1" |
        sed -n "s/^GAP .*real_ms=\([0-9]*\).*/\1/p" | sort -n | tail -n 1' gap \
        "$(guest_log "$1" "$2")" "${3:-0}" </dev/null
}

# peer_gap HOST: the longest time between two messages at the witness-peer of
# the host since this was last asked, in ms.
peer_gap() {
    bed exec "$1" witness-peer --ask </dev/null |
        sed -n 's/.* alive=1 .*maxgap_ms=\([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

# link_bytes: from host1 to host2 since the testbed is up.
link_bytes() {
    bed link stats | sed -n 's/^host1_to_host2 .*bytes=\([0-9]*\).*/\1/p'
}

# announced HOST: gratuitous ARP requests and unsolicited neighbour
# advertisements that came over the cable from the host so far.
announced() {
    bed link stats | sed -n "s/^${1}_to_.* arp=\([0-9]*\) na=\([0-9]*\).*/\1 \2/p"
}

# wait_announced HOST "ARP NA": until there are more of both than these; prints
# how many more.
wait_announced() {
    local arp na arp_now na_now end=$((SECONDS + 20))
    read -r arp na <<<"$2"
    while read -r arp_now na_now < <(announced "$1"); do
        [ "$arp_now" -le "$arp" ] || [ "$na_now" -le "$na" ] || break
        [ $SECONDS -lt $end ] || fail "$1 does not tell the neighbours"
        sleep 0.1
    done
    echo "$((arp_now - arp)) $((na_now - na))"
}

# stock_migrate SOURCE DESTINATION NAME [WORD...]: the system's own xl, or the
# words instead of "/usr/sbin/xl migrate", over a plain TCP connection.
stock_migrate() {
    local from=$1 to=$2 name=$3 receiver result=0 port=9999
    shift 3
    [ $# -gt 0 ] || set -- /usr/sbin/xl migrate
    bed exec "$to" socat "TCP-LISTEN:$port,reuseaddr" \
        EXEC:"/usr/sbin/xl migrate-receive" </dev/null >&2 &
    receiver=$!
    # 270F: port 9999 in the host's table of listening sockets.
    bed exec "$to" sh -c \
        'until grep -q ":270F 00000000:0000 0A" /proc/net/tcp; do
            usleep 20000; done' </dev/null
    # Called as ssh is: with the host, and a command, which waits there already.
    bed exec "$from" "$@" -s "sh -c 'exec socat - TCP:\$0:$port'" "$name" \
        "192.0.2.${to#host}" </dev/null >&2 || result=$?
    wait "$receiver" || true
    return $result
}
