# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tests of xl migrate-stream convert share: a guest that prints lines
# (beat.S), QEMUs that run it.  Sourced, in a folder of its own; $build is where
# make was run, $beat_src this folder, $beat_machine QEMU's machine if it is not the
# one below.  An emulator that still runs is $qemu_pid.
beat_machine=${beat_machine:-pc-i440fx-7.2}
qemu_pid=

# convert TO FILE NEW [OPTION]...: what it says is in NEW.how.
convert() {
    "$build/tools/xl/xl" migrate-stream convert --accel tcg --to "$@" >"$3.how"
}

# run COMMAND...: a machine whose serial port is in the file serial, and its
# monitor at $in.
run() {
    rm -f serial
    coproc qemu { exec nice "$@" -serial file:serial -monitor stdio 2>&1; }
    qemu_pid=$qemu_PID
    in=${qemu[1]}
    exec {out}<&"${qemu[0]}"
}

# born N: another guest, whose first line is N.
born() {
    first=$1 last=$(($1 - 1))
    : >so_far
}

# A machine that goes on with a stream, as it was said.
load() {
    local command
    command=$(sed -n '/{ head/p' "$1.how")
    eval "$command"
    command=$(sed '1,/^Loads with:/d;s/\\$//;s/-serial stdio//' "$1.how")
    eval "run ${command//$'\n'/ }"
}

# start OPTION...: one that boots the guest.
start() {
    run qemu-system-x86_64 -machine "$beat_machine,vmport=off" -accel tcg \
        -cpu max -m 4 -nodefaults -no-user-config -display none -kernel beat \
        "$@"
}

# lines N: waits until the serial port has so many.
lines() {
    until [ -e serial ] && [ "$(wc -l <serial)" -ge "$1" ]; do
        kill -0 "$qemu_pid" || { cat <&"$out" && exit 1; }
        sleep 0.05
    done
}

quit() {
    echo quit >&"$in"
    wait "$qemu_pid"
    qemu_pid=
    exec {out}<&-
    cat serial >>so_far
}

# Its stream, of a machine that is stopped.
save() {
    printf 'stop\nmigrate "exec:cat >%s.part && mv %s.part %s"\n' \
        "$1" "$1" "$1" >&"$in"
    until [ -e "$1" ]; do
        kill -0 "$qemu_pid"
        sleep 0.05
    done
    quit
}

# Of all that the guest has printed so far, wherever it was, each line is the
# next, and all is well in it; there are some that were not there before.  The
# last may not be whole yet.
goes_on() {
    local n=$first line
    while read -r line; do
        [[ $line = "beat $(printf %08x "$n") "*" good"* ]] || {
            echo "not line $n: $line" >&2
            exit 1
        }
        n=$((n + 1))
    done < <(tr -d '\r' <so_far | grep -aE '^beat .* (good|bad( .)?) *$')
    [ $((n - 1)) -ge $((last + 3)) ] || {
        echo "line $last was the last" >&2
        exit 1
    }
    last=$((n - 1))
}

# The guest, as QEMU's -kernel takes it and as it lies in memory.
make_beat() {
    as --64 -o beat.o "$beat_src/beat.S"
    ld -m elf_x86_64 -N --no-warn-rwx-segments --build-id=none -Ttext 0x100000 \
        -o beat64 beat.o
    objcopy -O elf32-i386 beat64 beat
    objcopy -O binary beat64 beat.flat
}
