# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154,SC2206
#
# What the emulated hosts are made of: downloads Debian packages and builds
# from them dom0's and the guest's initramfs.  Sourced by bed, which sets
# bed_src (this folder), bed_dir (where everything goes), product (the product),
# product_ramdisks (where those with it go), say and die.

# What a host can have: a Xen, of a Debian.  Of the first one, which is this
# machine's, are the kernel and the guests of all.
first_xen=4.17
declare -A debian_of=([4.17]=bookworm [4.20]=trixie)

image=$bed_dir/image           # what QEMU boots
guest_root=$bed_dir/guest
kernel_tree=$bed_dir/unpacked  # packages with the kernel

# use_xen VERSION: what follows is about hosts that have it.
use_xen() {
    xen_version=$1
    xen_suffix=-$1 xen_image=$image/xen-$1
    [ "$1" != $first_xen ] || { xen_suffix='' xen_image=$image; }
    pool=$bed_dir/debs$xen_suffix          # downloaded packages
    unpacked=$bed_dir/unpacked$xen_suffix  # all of them, over one another
    dom0_root=$bed_dir/dom0$xen_suffix
    stage=$product$xen_suffix
    dom0_product=$stage-dom0
    ramdisks=$product_ramdisks$xen_suffix
}
use_xen $first_xen

# Left out when unpacking: nothing at run time needs it.
unpack_excludes=(./usr/share/doc ./usr/share/man ./usr/share/locale
    ./usr/share/info ./usr/share/bash-completion ./usr/share/lintian
    ./usr/lib/debug ./usr/share/zsh ./usr/share/zoneinfo)

dom0_programs=(bin/bash bin/mount bin/umount bin/stat bin/tail bin/ip
    sbin/bridge sbin/losetup sbin/blockdev bin/flock bin/kmod bin/timeout
    bin/setpriv bin/socat bin/strace bin/dd bin/taskset bin/unshare
    bin/xenstore)
dom0_trees=(usr/lib/xen-common etc/xen)
# Not linked by the programs above: what our own programs are linked with,
# and libgcc_s, which pthread_cancel loads (xl aborts without it).
dom0_libraries=(libgcc_s.so.1 libsodium.so.23 liblz4.so.1 libzstd.so.1 libseccomp.so.2
    libsystemd.so.0 libcrypto.so.3 libtss2-mu.so.0 libtss2-esys.so.0
    libtss2-rc.so.0 libtss2-tctildr.so.0 libtss2-tcti-device.so.0
    libevent-2.1.so.7
    libevent_core-2.1.so.7 libyajl.so.2 libnss_files.so.2 libuuid.so.1
    libresolv.so.2 librt.so.1 libdl.so.2 libpthread.so.0 libm.so.6)
dom0_xen_libraries=(libxlutil libxenlight libxenvchan libxenstat)
dom0_modules=(virtio_pci virtio_console virtio_net virtio_blk e1000 xen-evtchn
    xen-gntdev xen-gntalloc xenfs xen-privcmd xen-netback xen-blkback bridge
    loop ext4 tun)
guest_programs=(bin/xenstore)
guest_modules=(xen-evtchn xen-gntdev xen-gntalloc xenfs xen-privcmd
    xen-netfront xen-blkfront crc32c_generic crc32c_intel ext4)
xenstore_names=(chmod exists list ls read rm watch write)

# --- packages -------------------------------------------------------------

# What the hosts consist of; "bed device-model" sets another list and folders.
package_list=$bed_src/packages.hosts

# What changes in it for this Xen's Debian, a sed script.
package_changes() {
    cat "$bed_src/packages.xen-$xen_version" 2>/dev/null || true
}

package_names() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$package_list" |
        sed -f <(package_changes) |
        sed "s/^linux-image@\$/$(kernel_package)/"
}

choose_apt() {
    unset APT_CONFIG
    [ "$xen_version" = $first_xen ] ||
        apt_of_its_own "$bed_dir/apt$xen_suffix" "${debian_of[$xen_version]}"
}

kernel_package() {
    local name
    name=$(apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    echo "${name:-linux-image-amd64}"
}

download_into() {
    # shellcheck disable=SC2046 # a list of words
    (cd "$1" && apt-get -qq -o APT::Sandbox::User=root download \
        $(package_names))
}

# The packages are fetched once for each version of the list; "bed fetch"
# after "rm -r debs" takes newer ones.
fetch_packages() {
    local want work
    want=$({ cat "$package_list"; package_changes; } | sha256sum)
    [ "$(cat "$pool/list.sha256" 2>/dev/null)" = "$want" ] && return
    say "downloading the packages of ${package_list##*/} for Xen $xen_version"
    choose_apt
    work=$pool.new
    rm -rf "$work"
    mkdir -p "$work"
    # A bare machine has no package lists yet, an old one stale lists.
    download_into "$work" 2>"$work/error" || {
        say "reading the package lists (apt-get update)"
        apt-get -qq -o APT::Sandbox::User=root update ||
            die "apt-get update failed"
        download_into "$work"
    } || die "could not download the hosts' packages: $(cat "$work/error")"
    echo "$want" >"$work/list.sha256"
    rm -rf "$pool"
    mv "$work" "$pool"
}

# Debian 12 is merged-/usr but its packages are not.
unpack_packages() {
    local deb dir excludes=()
    for dir in "${unpack_excludes[@]}"; do
        excludes+=("--exclude=$dir")
    done
    say "unpacking them"
    rm -rf "$unpacked"
    mkdir -p "$unpacked"
    for dir in bin sbin lib lib64; do
        mkdir -p "$unpacked/usr/$dir"
        ln -s "usr/$dir" "$unpacked/$dir"
    done
    for deb in "$pool"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" |
            tar -C "$unpacked" -x --keep-directory-symlink "${excludes[@]}" ||
            die "cannot unpack $deb"
    done
}

# unpack_once: those of the pool, unless they are.
unpack_once() {
    [ "$pool/list.sha256" -ot "$unpacked/.done" ] && return
    unpack_packages
    touch "$unpacked/.done"
}

# --- parts of an initramfs ------------------------------------------------

kernel_release() {
    basename "$kernel_tree"/lib/modules/*
}

# skeleton ROOT: the folders, and busybox under all its names.
skeleton() {
    local name
    rm -rf "$1"
    mkdir -p "$1"/{dev,etc,proc,sys,run,tmp,mnt,root,boot,var/log} \
        "$1"/usr/{bin,sbin,lib,lib64}
    for name in bin sbin lib lib64; do
        ln -s "usr/$name" "$1/$name"
    done
    ln -s ../run "$1/var/run"
    cp "$unpacked/bin/busybox" "$1/bin/"
    # Without an init of busybox's, a broken one of ours is a panic: seen.
    "$unpacked/bin/busybox" --list |
        grep -vxE 'busybox|init|linuxrc' | while read -r name; do
            ln -s busybox "$1/bin/$name"
        done
    printf '%s\n' root:x:0:0:root:/root:/bin/sh \
        packetd:x:999:999::/nonexistent:/bin/false >"$1/etc/passwd"
    printf '%s\n' root:x:0: packetd:x:999: >"$1/etc/group"
}

# add_programs ROOT PATH...: the paths are those of merged /usr or of the
# package, so bin/ and sbin/ are both looked at.
add_programs() {
    local root=$1 path
    shift
    for path; do
        [ -e "$unpacked/usr/$path" ] || die "no $path in the packages"
        # busybox's applet of the same name goes.
        rm -f "$root/usr/bin/${path##*/}" "$root/usr/sbin/${path##*/}"
        cp -aL "$unpacked/usr/$path" "$root/usr/$path"
    done
}

# needed_libraries FILE...: names of the libraries these are linked with.
needed_libraries() {
    readelf -d "$@" 2>/dev/null |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
}

find_library() {
    local dir
    for dir in lib/x86_64-linux-gnu lib/x86_64-linux-gnu/xen; do
        if [ -e "$unpacked/usr/$dir/$1" ]; then
            echo "usr/$dir/$1"
            return
        fi
    done
    die "library $1 is in no package of packages.hosts"
}

# add_libraries ROOT NAME...: copies these and, recursively, what they need.
add_libraries() {
    local root=$1 path name needed=()
    shift
    for name; do
        path=$(find_library "$name") || exit 1
        [ -e "$root/$path" ] && continue
        mkdir -p "$root/${path%/*}"
        cp -L "$unpacked/$path" "$root/$path"
        mapfile -t needed < <(needed_libraries "$unpacked/$path")
        add_libraries "$root" "${needed[@]}"
    done
}

# add_needed_libraries ROOT: those of every program in ROOT.
add_needed_libraries() {
    local needed files
    mapfile -t files < <(find "$1" -type f -perm /111)
    mapfile -t needed < <(needed_libraries "${files[@]}")
    add_libraries "$1" "${needed[@]}"
    cp -L "$unpacked/usr/lib64/ld-linux-x86-64.so.2" "$1/usr/lib64/"
}

# add_modules ROOT MODULE...: with the modules they depend on.
add_modules() {
    local root=$1 release file name
    shift
    release=$(kernel_release)
    for name; do
        modprobe -d "$kernel_tree" -S "$release" --show-depends "$name" ||
            die "no kernel module $name"
    done | awk '$1 == "insmod" { print $2 }' | sort -u |
        while read -r file; do
            file=${file#"$kernel_tree"/}
            mkdir -p "$root/${file%/*}"
            cp "$kernel_tree/$file" "$root/$file"
        done
    mkdir -p "$root/lib/modules/$release"
}

# pack ROOT: a cpio archive on stdout, owned by root whoever runs this.
pack() {
    (cd "$1" && find . -print0 | sort -z |
        cpio --quiet -0 -o -H newc -R 0:0 --reproducible)
}

# --- our own programs -----------------------------------------------------

# compile OUT SOURCE [SOURCE | FLAG]...
compile() {
    local out=$1 source=$2
    shift 2
    mkdir -p "${out%/*}"
    "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow \
        -Wstrict-prototypes -o "$out" "$source" "$@" ||
        die "cannot compile $source"
}

compile_programs() {
    compile "$image/bed-client" "$bed_src/src/bed-client.c"
    compile "$image/bed-relay" "$bed_src/src/bed-relay.c"
    compile "$image/bed-agent" "$bed_src/src/bed-agent.c" -static
    compile "$image/witness" "$bed_src/witness/witness.c" \
        "$bed_src"/witness/{pages,disk,tcp,ticks,commands}.c \
        -O3 -static -pthread
    compile "$image/witness-peer" "$bed_src/witness/witness-peer.c" -static
    compile "$image/lying-agent" "$bed_src/src/lying-agent.c" \
        -Wno-unused-parameter \
        -lxenvchan -lxenevtchn -lxenstore
}

# --- the two initramfs ----------------------------------------------------

build_guest() {
    skeleton "$guest_root"
    add_programs "$guest_root" "${guest_programs[@]}"
    add_xenstore_names "$guest_root"
    cp "$image/witness" "$image/lying-agent" "$guest_root/usr/bin/"
    add_needed_libraries "$guest_root"
    add_modules "$guest_root" "${guest_modules[@]}"
    install -m 755 "$bed_src/guest-init" "$guest_root/init"
    install -m 755 "$bed_src/guest-witness" "$guest_root/usr/bin/"
    install -m 644 "$bed_src/guest-inittab" "$guest_root/etc/inittab"
    install -m 644 "$bed_src/guest-profile" "$guest_root/etc/profile"
    finish_modules "$guest_root"
    pack "$guest_root" | gzip -1n
}

# The names of the one xenstore program.
add_xenstore_names() {
    local name
    for name in "${xenstore_names[@]}"; do
        ln -f "$1/usr/bin/xenstore" "$1/usr/bin/xenstore-$name"
    done
}

add_trees() {
    local root=$1 tree
    shift
    for tree; do
        mkdir -p "$root/${tree%/*}"
        cp -a "$unpacked/$tree" "$root/${tree%/*}/"
    done
}

finish_modules() {
    local release
    release=$(kernel_release)
    cp "$kernel_tree/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} \
        "$1/lib/modules/$release/"
    depmod -b "$1" "$release"
}

build_dom0() {
    skeleton "$dom0_root"
    add_programs "$dom0_root" "${dom0_programs[@]}"
    add_xenstore_names "$dom0_root"
    ln -sf bash "$dom0_root/bin/sh"
    ln -sf ../bin/kmod "$dom0_root/sbin/modprobe"
    add_trees "$dom0_root" "usr/lib/xen-$xen_version" "${dom0_trees[@]}"
    # Debian's /usr/sbin/xl is a script which finds the running Xen's version.
    ln -s ../lib/xen-$xen_version/bin/xl "$dom0_root/usr/sbin/xl"
    add_needed_libraries "$dom0_root"
    add_libraries "$dom0_root" "${dom0_libraries[@]}" \
        "${dom0_xen_libraries[@]/%/.so.$xen_version.0}"
    add_modules "$dom0_root" "${dom0_modules[@]}"
    finish_modules "$dom0_root"
    cp "$image/bed-agent" "$dom0_root/usr/sbin/"
    install -m 755 "$bed_src/dom0-wait-line" "$dom0_root/usr/bin/wait-line"
    install -m 755 "$bed_src/dom0-start-packetd" \
        "$dom0_root/usr/sbin/start-packetd"
    cp "$image/witness-peer" "$dom0_root/usr/bin/"
    mkdir -p "$dom0_root"/{boot/guest,usr/local/{bin,sbin},var/log/xen} \
        "$dom0_root"/var/lib/{xen,xenstored}
    cp "$image/vmlinuz" "$bed_src/guest.cfg" "$dom0_root/boot/guest/"
    cp "$image/guest.cpio.gz" "$dom0_root/boot/guest/guest-ramdisk.cpio.gz"
    install -m 755 "$bed_src/dom0-init" "$dom0_root/init"
    # Not compressed: inflating it in an emulator takes longer than loading it.
    pack "$dom0_root"
}

# All that the images depend on.
image_inputs() {
    cat "$bed_src"/{image.sh,packages.hosts,dom0-*,guest-*,guest.cfg} \
        "$bed_src"/src/* "$bed_src"/witness/*
    package_changes
    (cd "$pool" && printf '%s\n' *.deb)
}

# What hosts have whatever their Xen.
build_common() {
    local release
    release=$(kernel_release)
    depmod -b "$kernel_tree" "$release"
    compile_programs
    cp "$kernel_tree/boot/vmlinuz-$release" "$image/vmlinuz"
    build_guest >"$image/guest.cpio.gz" || die "cannot build the guest's image"
}

# Those of the first Xen, in the folder of all, come before others.
build_images() {
    local want
    want=$(image_inputs | sha256sum)
    [ "$(cat "$xen_image/inputs.sha256" 2>/dev/null)" = "$want" ] && return
    rm -rf "$xen_image"
    mkdir -p "$xen_image"
    unpack_once
    say "building the images of hosts with Xen $xen_version"
    [ "$xen_version" != $first_xen ] || build_common
    gunzip -c "$unpacked/boot/xen-$xen_version-amd64.gz" >"$xen_image/xen.elf"
    build_dom0 >"$xen_image/dom0.cpio" || die "cannot build dom0's image"
    echo "$want" >"$xen_image/inputs.sha256"
}

# --- with the product -----------------------------------------------------

# The guest's initramfs with the staged product's part for guests behind it,
# which needs no libraries.  One compressed stream: the domain builder reads the
# size at its end.
guest_with_product() {
    local root=$stage-guest name
    rm -rf "$root"
    mkdir -p "$root/usr/sbin"
    for name in mext-agent migrate; do
        strip -o "$root/usr/sbin/$name" "$stage/usr/local/sbin/$name"
    done
    { gunzip -c "$image/guest.cpio.gz"; pack "$root"; } | gzip -1n
}

# All that the ramdisks depend on.
ramdisk_inputs() {
    cat "$xen_image/inputs.sha256"
    find "$stage" -printf '%P %m %s %T@\n' | sort
}

# What a host and a guest boot, here and elsewhere.  What goes into the host
# behind its image stays in dom0_product.
build_ramdisks() {
    local want
    want=$(ramdisk_inputs | sha256sum)
    [ "$(cat "$ramdisks/inputs.sha256" 2>/dev/null)" = "$want" ] && return
    rm -rf "$dom0_product" "$ramdisks/inputs.sha256"
    mkdir -p "$ramdisks" "$dom0_product/boot/guest"
    cp "$image/vmlinuz" "$xen_image/xen.elf" "$bed_src/guest.cfg" "$ramdisks/"
    guest_with_product >"$ramdisks/guest-ramdisk.cpio.gz"
    cp -a "$stage/." "$dom0_product/"
    cp "$ramdisks/guest-ramdisk.cpio.gz" "$dom0_product/boot/guest/"
    { cat "$xen_image/dom0.cpio"; pack "$dom0_product"; } \
        >"$ramdisks/dom0-ramdisk.cpio"
    echo "$want" >"$ramdisks/inputs.sha256"
}
