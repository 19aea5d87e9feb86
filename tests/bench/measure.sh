# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# One migration, measured.  Sourced by bench after lib.sh and product.sh; bench
# sets samples (a file), bench_log, limit (seconds), compress and trim, the case's name,
# and rows, what the report calls it.

probe=/usr/local/libexec/xen-cooperative-migration/agent-probe
stock_port=9999         # 270F in the host's table of listening sockets
after_beats=3           # seconds the guest runs before the gaps are read

# sample TOOL FIGURE VALUE: a line of the samples for each of $rows; nothing for no
# value.
sample() {
    local row
    [ -n "$3" ] || return 0
    for row in $rows; do
        printf '%s\t%s\t%s\t%s\t%s\n' "$row" "$1" "$2" "$3" \
            "$(cut -d' ' -f1 /proc/loadavg)" >>"$samples"
    done
}

# --- clocks -----------------------------------------------------------------

# clock_offset HOST [step]: how far its clock is ahead of this machine's, us;
# half of the shortest of many round trips is taken for the way.  With "step"
# it is set right afterwards.
clock_offset() {
    local sent answer got best=1000000 offset=0 n in
    coproc host_clock { bed exec "$1" bench-host clock; }
    in=${host_clock[1]}
    for ((n = 0; n < 40; n++)); do
        sent=${EPOCHREALTIME/[.,]/}
        echo >&"$in"
        read -r answer <&"${host_clock[0]}"
        got=${EPOCHREALTIME/[.,]/}
        [ $((got - sent)) -lt $best ] || continue
        best=$((got - sent))
        offset=$((answer - (sent + got) / 2))
    done
    if [ "${2-}" = step ]; then
        echo "step $((-offset))" >&"$in"
        read -r answer <&"${host_clock[0]}"
    fi
    exec {in}>&-
    wait
    echo "$offset"
}

# Before guests are created: they take Xen's wall clock, which follows dom0's.
clocks_set() {
    local host n
    for n in 1 2 3; do
        for host in host1 host2; do
            clock_offset $host step >/dev/null
        done
    done
}

# host2's clock less host1's, us.
clocks_differ() {
    echo $(($(clock_offset host2) - $(clock_offset host1)))
}

# --- watching ---------------------------------------------------------------

watch_start() {
    local host
    for host in host1 host2; do
        bed exec "$host" sh -c 'bench-host watch >/run/bench.watch 2>&1 &
            echo $! >/run/bench.pid; sleep 0.2' </dev/null
    done
}

# Fetches what was seen: $work/host1.watch, $work/host2.watch.
watch_stop() {
    local host
    for host in host1 host2; do
        # shellcheck disable=SC2016 # expanded in the host
        bed exec "$host" sh -c 'kill "$(cat /run/bench.pid)"
            cat /run/bench.watch' </dev/null >"$work/$host.watch"
    done
}

# between FILE1 WHAT1 FILE2 WHAT2 AHEAD: ms from the first such event in the one
# to the last in the other, whose clock is AHEAD us ahead.
between() {
    awk -v a="$2" -v b="$4" -v ahead="$5" '
        FNR == 1 { file++ }
        file == 1 && $3 " " $4 ~ "^" a && !from { from = $1 }
        file == 2 && $3 " " $4 ~ "^" b { to = $1 }
        END { if (from && to >= from) printf "%.1f\n", (to - from - ahead) / 1000 }
    ' "$1" "$3"
}

# --- the two tools ----------------------------------------------------------

# migrate_stock FROM TO NAME: /usr/sbin/xl over a plain TCP connection;
# $work/bytes: what the source's xl wrote, and read.
migrate_stock() {
    local receiver result=0
    timeout "$limit" "$bed_src/bed" exec "$2" \
        socat "TCP-LISTEN:$stock_port,reuseaddr" \
        EXEC:"/usr/sbin/xl migrate-receive" </dev/null &
    receiver=$!
    bed exec "$2" sh -c \
        'until grep -q ":270F 00000000:0000 0A" /proc/net/tcp; do
            usleep 20000; done' </dev/null
    timeout "$limit" "$bed_src/bed" exec "$1" \
        bench-host timed /run/bench.time /usr/sbin/xl migrate -s '' "$3" \
        "bench-host connect /run/bench.bytes 192.0.2.${2#host} $stock_port" \
        </dev/null || result=$?
    wait "$receiver" || true
    bed exec "$1" cat /run/bench.bytes </dev/null >"$work/bytes"
    return $result
}

# migrate_ours FROM TO NAME: $work/json gets the report.
migrate_ours() {
    timeout "$limit" "$bed_src/bed" exec "$1" \
        bench-host timed /run/bench.time \
        xl migrate --cooperative --json --compress "$compress" --trim "$trim" \
        "$3" "192.0.2.${2#host}" \
        </dev/null >"$work/json"
}

# --- figures ----------------------------------------------------------------

# Both directions, bytes.
cable_bytes() {
    bed link stats | sed -n 's/^host.*bytes=\([0-9]*\).*/\1/p' |
        awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# guest_gap FROM TO NAME MONO AHEAD: the guest's largest gap in real time since
# its monotonic clock showed MONO ms; the clock of TO is AHEAD us ahead.
guest_gap() {
    local host
    for host in "$1" "$2"; do
        # shellcheck disable=SC2046 # no name, no log
        bed exec "$host" grep -a '^GAP ' $(guest_log "$host" "$3") </dev/null
    done | awk -v from="$4" -v ahead="$5" '{
            sub(/.*real_ms=/, ""); gap = $1 + 0
            sub(/.*at=/, ""); at = $1 + 0
            if (at >= from - 1000 && gap > most) most = gap
        } END { if (most) printf "%.0f\n", most - ahead / 1000 }'
}

# census HOST NAME: bytes of the pages that are neither zero nor, as far as the
# guest says so, free; nothing for a PV guest, whose gfns are not Xen's.
census() {
    [ "$(type_of "$2")" != pv ] || return 0
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'id=$(xl domid "$1"); : >/run/free
        "$2" "$id" free 0 /run/free >&2
        bench-host census "$id" /run/free' census "$2" "$probe" \
        </dev/null 2>>"$bench_log" | sed -n 's/.* kept=\([0-9]*\)$/\1/p' |
        awk '{ printf "%.0f\n", $1 * 4096 }'
}

# floor_in_place HOST NAME: the gap of a guest that suspends and goes on where it is.
floor_in_place() {
    local mono
    step "$case_name: suspends in place (load $(cut -d' ' -f1 /proc/loadavg))"
    mono=$(value mono_ms "$(last_beat "$1" "$2")")
    # shellcheck disable=SC2016 # expanded in the host
    bed exec "$1" sh -c 'bench-host suspend "$(xl domid "$1")"' suspend "$2" \
        </dev/null >>"$bench_log" 2>&1 || return
    (witness_beats "$1" "$2" $after_beats >/dev/null) || return
    sample ours in_place "$(guest_gap "$1" "$1" "$2" "$mono" 0)"
}

# superpages TOOL HOST NAME: per cent of its memory in pages of 2 MiB or more.
superpages() {
    "$bed_src/superpages" "$2" "$3" | sed 's/.*; \([0-9.]*\) %.*/\1/' \
        >"$work/superpages"
    sample "$1" superpages "$(cat "$work/superpages")"
}

samples_stock() {
    sample stock wire_bytes "$(cut -d' ' -f1 "$work/bytes")"
}

# What the source's xl says about itself, us, becomes ms.
parts='setup precopy suspend foreseen last tidy tidy_own prepare commit handover'
samples_ours() {
    local to=$1 part own
    sample ours wire_bytes "$(json wire_bytes <"$work/json")"
    sample ours iterations "$(json iterations <"$work/json")"
    for part in $parts; do
        sample ours "part_$part" \
            "$(json "${part}_us" <"$work/json" | awk '{ print $1 / 1000 }')"
    done
    sample ours per_gib "$(awk -v us="$(json precopy_us <"$work/json")" \
        -v pages="$(json data_pages <"$work/json")" 'BEGIN {
            if (pages) printf "%.1f\n", us / 1000000 / (pages / 262144) }')"
    # In the order of time: first unpause, then the first "waiting".
    sample ours mstrap_ready "$(awk '$3 == "unpaused" && !from { from = $1 }
        $3 == "mstrap" && $4 == "waiting" && from {
            printf "%.1f\n", ($1 - from) / 1000; exit }' "$work/$to.watch")"
    own=$(awk '$3 == "mstrap" && $4 == "waiting" { print $7; exit }' \
        "$work/$to.watch")
    [ -z "$own" ] || sample ours mstrap_memory $((16#$own * 4))
}

# measure TOOL FROM TO NAME: migrates, then writes samples; 1 if the guest did
# not arrive.
measure() {
    local tool=$1 from=$2 to=$3 name=$4 mono cable result=0 floor ahead
    step "$case_name: $tool, $from to $to (load $(cut -d' ' -f1 /proc/loadavg))"
    floor=$(census "$from" "$name")
    ahead=$(clocks_differ)
    [ "$to" = host2 ] || ahead=$((-ahead))
    echo "$to's clock is $ahead us ahead" >>"$bench_log"
    mono=$(value mono_ms "$(last_beat "$from" "$name")")
    watch_start
    peer_gap host2 >/dev/null
    cable=$(cable_bytes)
    "migrate_$tool" "$from" "$to" "$name" >>"$bench_log" 2>&1 || result=$?
    cable=$(($(cable_bytes) - cable))
    watch_stop
    if [ $result != 0 ] || ! runs_on "$to" "$name"; then
        echo "FAILED: $case_name, $tool from $from to $to (status $result)"
        return 1
    fi
    (witness_beats "$to" "$name" $after_beats >/dev/null) || return 1
    sample "$tool" floor "$floor"
    sample "$tool" link_bytes "$cable"
    sample "$tool" total_time "$(bed exec "$from" cat /run/bench.time \
        </dev/null | awk '{ printf "%.2f\n", ($2 - $1) / 1000000 }')"
    sample "$tool" downtime_guest "$(guest_gap "$from" "$to" "$name" "$mono" \
        "$ahead")"
    sample "$tool" downtime_peer "$(peer_gap host2)"
    sample "$tool" downtime_host "$(between "$work/$from.watch" shutdown \
        "$work/$to.watch" unpaused "$ahead")"
    [[ $figures != *superpages* ]] || superpages "$tool" "$to" "$name"
    "samples_$tool" "$to"
}
