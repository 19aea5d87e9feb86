# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For scenarios with a migration of the guest $name from host1 to host2 that goes
# on in the background, so that something can happen to it.  Source it after
# product.sh.

# begin [REGEX [OPTION]...]: until it says so; its pid is in host1's /root/pid,
# what it says in /root/log.
begin() {
    local until=${1-mstrap answers}
    bed exec host1 sh -c 'rm -f /root/status; : >/root/log
        (setsid sh -c "xl migrate --cooperative '"${*:2} $name"' 192.0.2.2 \
            >>/root/log 2>&1 &
            echo \$! >/root/pid; wait \$!; echo \$? >/root/status" \
            </dev/null >/dev/null 2>&1 &)' </dev/null
    wait_for_line host1 /root/log "$until" 120 >/dev/null ||
        fail "it does not come to \"$until\""
}

# ended STATUS REGEX: it ends so, and says so.
ended() {
    local status
    status=$(wait_for_line host1 /root/status '.' 120) ||
        fail "the migration does not end"
    bed exec host1 cat /root/log </dev/null
    [ "$status" = "$1" ] || fail "exit status $status instead of $1"
    bed exec host1 grep -qE "$2" /root/log </dev/null ||
        fail "the message is not /$2/"
}

# eventually HOST COMMAND: it succeeds within 30 s.
eventually() {
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" timeout 30 sh -c 'until eval "$1" >/dev/null 2>&1; do
            usleep 200000
        done' eventually "$2" </dev/null
}

# nothing_left HOST: no domain of the guest, no vif, no socket.
nothing_left() {
    eventually "$1" '[ -z "$(ls /run/xen-migrate)" ]' ||
        fail "a socket is left on $1"
    absent_from "$1" $name || fail "a domain of $name is left on $1"
    [ -z "$(bed exec "$1" xenstore-list /local/domain/0/backend/vif \
        </dev/null 2>/dev/null)" ] || fail "a vif is left on $1"
}

# noted HOST STATE: the newest migration there comes to this state.
noted() {
    eventually "$1" 'xl migrate-status --all --json | tr , "\n" |
        grep -m1 "\"state\"" | grep -q "\"'"$2"'\""' || {
        bed exec "$1" xl migrate-status --all </dev/null
        fail "$1 has not noted that it is $2"
    }
}

kept() {
    wait_for_line host2 "$packetd_log" "$name: (given up|.* is aborted)" 60 \
        >/dev/null || fail "host2 does not give up"
    runs_on host1 $name || fail "$name does not run on host1"
    noted host1 kept
    noted host2 aborted
    nothing_left host2
}

# A clean log for each case.
next() {
    packetd_stop host1
    packetd_stop host2
    packetd_start host1
    packetd_start host2
    bed link rate 3000000
}
