# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016
#
# "bed guest": starts a test guest.  Sourced by bed.

guest_timeout=300       # seconds from xl create to GUEST READY

guest_usage() {
    cat <<'EOF'
Usage: bed guest HOST NAME [OPTION]...

  --type T          pvh, hvm or pv
  --memory MB       256
  --vcpus N         1
  --ip ADDRESS      192.0.2.11; "none": no network
  --disk D          a shared disk, d1 to d4, as xvda
  --workload W      idle (default), cached, halfused, writer or witness;
                    "none": not the tests' guest, only what --extra says
  --peer ADDRESS    whose witness-peer witness talks to; for the workload
                    witness 192.0.2.2, otherwise none; "none": none
  --mem PERCENT     of the guest's free memory witness fills
  --rate N          pages a second witness rewrites
  --calm N          witness wakes up N times less often: several guests on a host
                    leave each other little of its CPU
  --ramdisk FILE    in the host; /boot/guest/guest-ramdisk.cpio.gz
  --extra WORDS     more for the kernel's command line
  --config LINE     one more line of the configuration
  --no-start        only write the configuration

Writes /root/NAME.cfg in the host, creates the domain and returns when its
console says GUEST READY.
EOF
}

# Sets the g_ variables from the options.
guest_options() {
    g_type=pvh g_memory=256 g_vcpus=1 g_ip=192.0.2.11 g_disk='' g_workload=idle
    g_peer='' g_mem='' g_rate='' g_calm='' g_extra='' g_config='' g_start=yes
    g_ramdisk=/boot/guest/guest-ramdisk.cpio.gz
    while [ $# -gt 0 ]; do
        case $1 in
            --no-start) g_start=; shift; continue ;;
            --type | --memory | --vcpus | --ip | --disk | --workload | --peer | \
                --mem | --rate | --calm | --ramdisk | --extra | --config) ;;
            *) guest_usage >&2; exit 2 ;;
        esac
        [ $# -ge 2 ] || die "guest: $1 needs a value"
        printf -v "g_${1#--}" '%s' "$2"
        shift 2
    done
    if [ -z "$g_peer" ] && [ "$g_workload" = witness ] && [ "$g_ip" != none ]
    then
        g_peer=192.0.2.2
    fi
}

guest_command_line() {
    local line="console=hvc0 quiet panic=1"
    [ "$g_ip" = none ] || line+=" gip=$g_ip"
    [ "$g_workload" = none ] || line+=$(guest_witness_words)
    echo "$line $g_extra"
}

guest_witness_words() {
    local line=" witness.workload=$g_workload"
    [ -z "$g_disk" ] || line+=" witness.disk=/dev/xvda"
    [ -z "$g_peer" ] || [ "$g_peer" = none ] || line+=" witness.peer=$g_peer"
    [ -z "$g_mem" ] || line+=" witness.mem=$g_mem"
    [ -z "$g_rate" ] || line+=" witness.rate=$g_rate"
    [ -z "$g_calm" ] || line+=" witness.calm=$g_calm"
    echo "$line"
}

guest_config() {
    local kind=
    cat <<EOF
name = "$1"
type = "$g_type"
memory = $g_memory
vcpus = $g_vcpus
kernel = "/boot/guest/vmlinuz"
ramdisk = "$g_ramdisk"
extra = "$(guest_command_line)"
on_crash = "preserve"
EOF
    # No emulated card beside the paravirtual one.
    [ "$g_type" != hvm ] || {
        echo 'vga = "none"'
        kind=type=vif,
    }
    # The address' last byte also tells the network cards apart.
    [ "$g_ip" = none ] ||
        printf 'vif = ["%sbridge=xenbr0,mac=00:16:3e:00:00:%02x"]\n' \
            "$kind" "${g_ip##*.}"
    [ -z "$g_disk" ] || echo "disk = [\"phy:/dev/san/$g_disk,xvda,w\"]"
    [ -z "$g_config" ] || echo "$g_config"
}

guest_failed() {
    say "$2 on $1: $3; the end of its console:"
    client "$1" 10 tail -n 20 "/var/log/xen/guest-$2.log" >&2 </dev/null || true
    say "in $1: /var/log/xen; here: $run/$1.log"
    exit 1
}

cmd_guest() {
    local host=${1-} name=${2-} offset line
    local g_type g_memory g_vcpus g_ip g_disk g_workload g_peer g_mem g_rate g_calm
    local g_ramdisk g_extra g_config g_start
    case $host in
        --help | -h) guest_usage; return ;;
    esac
    check_host "$host"
    [ -n "$name" ] || die "guest: which name?"
    shift 2
    guest_options "$@"
    guest_config "$name" |
        client "$host" 10 sh -c 'cat >"$1"' cfg "/root/$name.cfg"
    [ -n "$g_start" ] || return 0
    # An earlier guest of this name has left its lines in the log.
    offset=$(client "$host" 10 sh -c 'cat "$1" 2>/dev/null | wc -c' size \
        "/var/log/xen/guest-$name.log" </dev/null)
    client "$host" 10 xl create "/root/$name.cfg" </dev/null >/dev/null ||
        guest_failed "$host" "$name" "xl create failed"
    line=$(client "$host" 10 wait-line "/var/log/xen/guest-$name.log" \
        'GUEST READY|WITNESS BAD|Kernel panic' $guest_timeout "$offset" \
        </dev/null) ||
        guest_failed "$host" "$name" "not ready after $guest_timeout s"
    [[ $line = *'GUEST READY'* ]] ||
        guest_failed "$host" "$name" "not ready"
    say "guest $name runs on $host"
}
