/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configurations for test_admit.c: one that its rule lets in, and changes of
 * it, each of which replaces the first `from` in it by `to`.
 */
#ifndef ADMIT_CASES_H
#define ADMIT_CASES_H

static const char base[] =
    "{\"c_info\":{\"type\":\"pvh\",\"name\":\"web-1\"},"
    "\"b_info\":{\"max_memkb\":1048576,\"target_memkb\":524288,"
    "\"kernel\":\"/boot/guest/vmlinuz\",\"type.pvh\":{},\"arch_x86\":{}},"
    "\"disks\":[{\"pdev_path\":\"/dev/vg/a\",\"vdev\":\"xvda\","
    "\"format\":\"raw\"}],"
    "\"nics\":[{\"bridge\":\"br0\"}],\"on_reboot\":\"restart\"}";

/* Something more in an object: the start of from and to. */
#define C(x) "\"c_info\":{", "\"c_info\":{" x ","
#define B(x) "\"b_info\":{", "\"b_info\":{" x ","
#define D(x) "\"disks\":[{", "\"disks\":[{" x ","
#define N(x) "\"nics\":[{", "\"nics\":[{" x ","
#define R(x) "{\"c_info\"", "{" x ",\"c_info\""

/* The base as a guest of another type, with something in what only that has. */
#define MEMORY \
    "\"max_memkb\":1048576,\"target_memkb\":524288," \
    "\"kernel\":\"/boot/guest/vmlinuz\","
#define AS(type, x) \
    "\"type\":\"pvh\",\"name\":\"web-1\"},\"b_info\":{" MEMORY \
    "\"type.pvh\":{}", \
        "\"type\":\"" type "\",\"name\":\"web-1\"},\"b_info\":{" MEMORY \
        "\"type." type "\":{" x "}"
#define HVM(x) AS("hvm", x)
#define PV(x)  AS("pv", x)

/* Which are free. */
static const struct {
    const char *from, *to;
} good[] = {
    { "", "" },
    { "{\"c_info\"", " \n{ \"c_info\"" },
    { "\"web-1\"", "\"web-._+:@A9\"" },
    { "\"web-1\"", "\"web\\u002d1\"" },
    { C("\"uuid\":\"e8722ba4-5a3b-466e-b3dc-cdccb42aaf27\"") },
    { C("\"domid\":4294967295,\"hap\":\"True\",\"oos\":\"False\"") },
    { C("\"run_hotplug_scripts\":\"True\",\"driver_domain\":\"False\"") },
    { C("\"passthrough\":\"disabled\"") },
    { C("\"xend_suspend_evtchn_compat\":\"False\"") },
    { B("\"max_vcpus\":2,\"avail_vcpus\":[0,1]") },
    { B("\"max_vcpus\":1,\"avail_vcpus\":[]") },
    { B("\"numa_placement\":\"False\",\"tsc_mode\":\"native\"") },
    { B("\"video_memkb\":0,\"shadow_memkb\":0,\"iommu_memkb\":0") },
    { B("\"rtc_timeoffset\":4294967295,\"localtime\":\"True\"") },
    { B("\"disable_migrate\":\"True\",\"blkdev_start\":\"xvda\"") },
    { B("\"cpuid\":{\"cpuid\":[{\"leaf\":1,\"subleaf\":0,\"ecx\":"
        "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0\"}],\"msr\":[{\"index\":266,"
        "\"policy\":\"0000000000000000000000000000000000000000000000000000"
        "00000000001x\"}]}") },
    { B("\"max_grant_frames\":64,\"max_maptrack_frames\":1024,"
        "\"max_grant_version\":2,\"event_channels\":1023") },
    { B("\"device_model_version\":\"qemu_xen\",\"dm_restrict\":\"True\"") },
    { B("\"device_model_stubdomain\":\"False\",\"claim_mode\":\"True\"") },
    { B("\"sched_params\":{\"sched\":\"credit2\",\"weight\":256,\"cap\":50}") },
    { B("\"cmdline\":\"root=/dev/xvda x=\\\"y\\\" \xc3\xa9\\t\"") },
    { B("\"ramdisk\":\"/boot/guest/initrd.img-6.1\"") },
    { B("\"acpi\":\"True\",\"apic\":\"True\",\"timer_mode\":\"unknown\"") },
    { B("\"nested_hvm\":\"False\",\"vpmu\":\"False\"") },
    { B("\"bootloader_restrict\":\"True\"") },
    { B("\"arch_arm\":{}") },
    { "\"type.pvh\":{}", "\"type.pvh\":{\"pvshim\":\"False\"}" },
    { "\"arch_x86\":{}", "\"arch_x86\":{\"msr_relaxed\":\"True\"}" },
    { "/dev/vg/a", "/dev/vg" },
    { "/dev/vg/a", "/srv/x/y/z.img" },
    { D("\"backend\":\"phy\",\"removable\":1,\"readwrite\":1") },
    { D("\"backend\":\"qdisk\",\"is_cdrom\":1,\"direct_io_safe\":true") },
    { "\"disks\":[{", "\"disks\":[{\"vdev\":\"hdc\",\"format\":\"empty\","
                      "\"is_cdrom\":1},{" },
    { "\"disks\":[{", "\"disks\":[{\"pdev_path\":\"\",\"is_cdrom\":1,"
                      "\"vdev\":\"hdc\",\"format\":\"empty\"},{" },
    { D("\"script\":\"block\",\"discard_enable\":\"True\"") },
    { D("\"script\":\"/etc/xen/scripts/block\",\"trusted\":\"False\"") },
    { D("\"grant_usage\":\"True\"") },
    { D("\"specification\":\"xen\",\"colo_enable\":\"False\","
        "\"colo_restore_enable\":\"False\"") },
    { "\"disks\":[{", "\"disks\":[{\"pdev_path\":\"/srv/x/b\",\"vdev\":"
                      "\"xvdb\",\"format\":\"raw\"},{" },
    { "\"br0\"", "\"ovs.10\"" },
    { "\"nics\":[{", "\"nics\":[{\"bridge\":\"ovs.20\",\"devid\":1},{" },
    { N("\"devid\":0,\"mac\":\"00:16:3e:00:00:23\",\"nictype\":\"vif\"") },
    { N("\"ip\":\"192.0.2.1 2001:db8::1/64\",\"model\":\"rtl8139\"") },
    { N("\"script\":\"vif-bridge\",\"mtu\":9000,\"trusted\":\"True\"") },
    { N("\"script\":\"/etc/xen/scripts/vif-bridge\"") },
    { N("\"rate_bytes_per_interval\":18446744073709551615,"
        "\"rate_interval_usecs\":50000") },
    { ",\"disks\":[{\"pdev_path\":\"/dev/vg/a\",\"vdev\":\"xvda\","
      "\"format\":\"raw\"}]",
      "" },
    { ",\"nics\":[{\"bridge\":\"br0\"}]", "" },
    { R("\"on_poweroff\":\"destroy\",\"on_crash\":\"preserve\","
        "\"on_watchdog\":\"restart\",\"on_soft_reset\":\"soft_reset\"") },
};

/* Which need more in the line. */
static const struct {
    const char *from, *to;
    const char *lacks; /* added to the line, it is enough */
} bound[] = {
    { HVM(""), "allow=dom0" },
    { HVM("\"bios\":\"ovmf\",\"pae\":\"True\",\"apic\":\"True\","
          "\"acpi\":\"True\",\"acpi_s3\":\"True\",\"acpi_s4\":\"True\","
          "\"acpi_laptop_slate\":\"False\",\"nx\":\"True\""),
      "allow=dom0" },
    { HVM("\"viridian\":\"True\",\"viridian_enable\":[0,1],"
          "\"viridian_disable\":[],\"timeoffset\":\"-3600\","
          "\"hpet\":\"True\",\"vpt_align\":\"True\","
          "\"mmio_hole_memkb\":1048576,\"timer_mode\":\"unknown\""),
      "allow=dom0" },
    { HVM("\"altp2m\":\"False\",\"hdtype\":\"ahci\",\"nographic\":\"True\","
          "\"vga\":{\"kind\":\"std\"},\"vnc\":{\"enable\":\"True\","
          "\"listen\":\"127.0.0.1\",\"passwd\":\"secret1\",\"display\":1,"
          "\"findunused\":\"True\"},\"keymap\":\"en-us\""),
      "allow=dom0" },
    { HVM("\"sdl\":{\"enable\":\"False\",\"opengl\":\"False\"},"
          "\"spice\":{\"enable\":\"False\"},\"gfx_passthru\":\"False\","
          "\"gfx_passthru_kind\":\"default\",\"serial\":\"pty\","
          "\"boot\":\"cdn\",\"usb\":\"True\",\"usbversion\":3"),
      "allow=dom0" },
    { HVM("\"usbdevice\":\"tablet\",\"vkb_device\":\"True\","
          "\"xen_platform_pci\":\"True\",\"usbdevice_list\":[\"mouse\","
          "\"keyboard\"],\"vendor_device\":\"none\",\"ms_vm_genid\":[0,255],"
          "\"serial_list\":[\"pty\",\"pty\"],\"rdm\":{\"strategy\":\"ignore\","
          "\"policy\":\"relaxed\"},\"rdm_mem_boundary_memkb\":2097152,"
          "\"mca_caps\":0"),
      "allow=dom0" },
    { HVM("\"pirq\":\"True\",\"smbios\":[{\"key\":\"oem\","
          "\"value\":\"a b\"}]"),
      "allow=dom0" },
    { PV("\"slack_memkb\":0,\"e820_host\":\"False\""), "allow=dom0" },
    { C("\"hap\":\"False\""), "allow=cpu-features" },
    { C("\"ssidref\":1"), "allow=xsm-label" },
    { C("\"ssid_label\":\"system_u:system_r:dom0_t\""), "allow=xsm-label" },
    { C("\"poolid\":1"), "allow=cpu-pinning" },
    { C("\"pool_name\":\"fast\""), "allow=cpu-pinning" },
    { B("\"cpumap\":[0]"), "allow=cpu-pinning" },
    { B("\"nodemap\":[1]"), "allow=cpu-pinning" },
    { B("\"vcpu_hard_affinity\":[[0,1],[2]]"), "allow=cpu-pinning" },
    { B("\"vcpu_soft_affinity\":[[4095]]"), "allow=cpu-pinning" },
    { B("\"vnuma_nodes\":[{\"memkb\":1048576,\"distances\":[10],\"pnode\":0,"
        "\"vcpus\":[0]}]"),
      "allow=cpu-pinning" },
    { B("\"exec_ssidref\":1"), "allow=xsm-label" },
    { B("\"exec_ssid_label\":\"x\""), "allow=xsm-label" },
    { B("\"device_model_version\":\"qemu_xen_traditional\""),
      "allow=device-model" },
    { B("\"device_model_stubdomain\":\"True\""), "allow=device-model" },
    { B("\"stubdomain_memkb\":0"), "allow=device-model" },
    { B("\"stubdomain_kernel\":\"/x\""), "allow=device-model" },
    { B("\"stubdomain_cmdline\":\"x\""), "allow=device-model" },
    { B("\"stubdomain_ramdisk\":\"/x\""), "allow=device-model" },
    { B("\"device_model\":\"/tmp/x\""), "allow=device-model" },
    { B("\"device_model_user\":\"root\""), "allow=device-model" },
    { B("\"device_model_ssidref\":1"), "allow=xsm-label" },
    { B("\"device_model_ssid_label\":\"x\""), "allow=xsm-label" },
    { B("\"extra\":[\"-chardev\",\"file\"]"), "allow=device-model" },
    { B("\"extra_pv\":[\"-x\"]"), "allow=device-model" },
    { B("\"extra_hvm\":[\"-x\"]"), "allow=device-model" },
    { B("\"sched_params\":{\"weight\":257}"), "allow=cpu-weight" },
    { B("\"sched_params\":{\"period\":1}"), "allow=cpu-weight" },
    { B("\"sched_params\":{\"budget\":1}"), "allow=cpu-weight" },
    { B("\"sched_params\":{\"extratime\":1}"), "allow=cpu-weight" },
    { B("\"sched_params\":{\"slice\":1}"), "allow=cpu-weight" },
    { B("\"sched_params\":{\"latency\":1}"), "allow=cpu-weight" },
    { B("\"bootloader\":\"pygrub\""), "allow=bootloader" },
    { B("\"bootloader_user\":\"root\""), "allow=bootloader" },
    { B("\"llc_colors\":[0,1]"), "allow=cpu-pinning" },
    { B("\"bootloader\":\"/usr/lib/xen-4.17/bin/pygrub\""),
      "allow=bootloader" },
    { B("\"nested_hvm\":\"True\""), "allow=cpu-features" },
    { B("\"vpmu\":\"True\""), "allow=cpu-features" },
    { D("\"backend_domid\":3"), "allow=backend" },
    { D("\"backend_domname\":\"db\""), "allow=backend" },
    { D("\"script\":\"block-nbd\""), "allow=script" },
    { "\"raw\"", "\"qcow2\"", "allow=image-format" },
    { "\"raw\"", "\"qcow\"", "allow=image-format" },
    { "\"raw\"", "\"qed\"", "allow=image-format" },
    { "\"raw\"", "\"vhd\"", "allow=image-format" },
    { N("\"backend_domid\":3"), "allow=backend" },
    { N("\"backend_domname\":\"db\""), "allow=backend" },
    { N("\"ifname\":\"web1\""), "allow=vifname" },
    { N("\"script\":\"vif-openvswitch\""), "allow=script" },
    { N("\"gatewaydev\":\"eth0\""), "allow=script" },
    { R("\"on_poweroff\":\"restart_rename\""), "allow=coredump" },
    { "\"restart\"", "\"coredump_restart\"", "allow=coredump" },
    { R("\"on_crash\":\"coredump_destroy\""), "allow=coredump" },
    { R("\"on_watchdog\":\"coredump_destroy\""), "allow=coredump" },
    { R("\"on_soft_reset\":\"coredump_destroy\""), "allow=coredump" },
    { "/dev/vg/a", "/dev/sda", "disk=/dev/sda" },
    { "/dev/vg/a", "/dev/vg2/a", "disk=/dev/vg2/a" },
    { "/dev/vg/a", "/srv/x", "disk=/srv/x" },
    { "/boot/guest/vmlinuz", "/etc/shadow", "file=/etc/shadow" },
    { B("\"ramdisk\":\"/boot/guests/x\""), "file=/boot/guests/x" },
    { "br0", "br1", "bridge=br1" },
    { "br0", "br0.5", "bridge=br0.5" },
    { "br0", "ovs", "bridge=ovs" },
    { "br0", "ovs.21", "bridge=ovs.21" },
    { "\"bridge\":\"br0\"", "\"devid\":0", "bridge=xenbr0" },
};

/* Which no line can allow. */
#define A33 "012345678901234567890123456789012"
#define A65 A33 "01234567890123456789012345678901"

static const struct {
    const char *from, *to, *error;
} refused[] = {
    /* what is not known */
    { R("\"pcidevs\":[{}]"), "pcidevs: not allowed: no guest" },
    { R("\"rdms\":[]"), "rdms: not" },
    { R("\"dtdevs\":[]"), "dtdevs: not" },
    { R("\"vfbs\":[]"), "vfbs: not" },
    { R("\"vkbs\":[]"), "vkbs: not" },
    { R("\"vtpms\":[]"), "vtpms: not" },
    { R("\"p9s\":[]"), "p9s: not" },
    { R("\"pvcallsifs\":[]"), "pvcallsifs: not" },
    { R("\"vdispls\":[]"), "vdispls: not" },
    { R("\"vsnds\":[]"), "vsnds: not" },
    { R("\"channels\":[]"), "channels: not" },
    { R("\"usbctrls\":[]"), "usbctrls: not" },
    { R("\"usbdevs\":[]"), "usbdevs: not" },
    { R("\"\\u001b[2J\\n\xc3\xa9\":1"), "?[2J???: not" },
    { R("\"" A65 "\":1"), A33 "0123456789012345678901234567890: not" },
    { R("\"b_info.kernel\":\"/x\""), "b_info.kernel: not" },
    { R("\"\":1"), ": not allowed" },
    { C("\"xsdata\":{\"device/vbd/1\":\"x\"}"), "c_info.xsdata: not" },
    { C("\"platformdata\":{}"), "c_info.platformdata: not" },
    { C("\"name\\u0000\":\"x\""), "c_info.name?: not" },
    { B("\"ioports\":[{\"first\":1,\"number\":1}]"), "b_info.ioports: not" },
    { B("\"irqs\":[3]"), "b_info.irqs: not" },
    { B("\"iomem\":[{\"start\":0,\"number\":1}]"), "b_info.iomem: not" },
    { B("\"bootloader_args\":[\"--output-directory=/etc\"]"),
      "b_info.bootloader_args: not" },
    { B("\"device_tree\":\"/x\""), "b_info.device_tree: not" },
    { B("\"tee\":\"optee\""), "b_info.tee: not" },
    { B("\"altp2m\":\"external\""), "b_info.altp2m: not" },
    { B("\"vmtrace_buf_kb\":1048576"), "b_info.vmtrace_buf_kb: not" },
    { HVM("\"firmware\":\"/x\""), "b_info.type.hvm.firmware: not" },
    { HVM("\"system_firmware\":\"/x\""), "hvm.system_firmware: not" },
    { HVM("\"smbios_firmware\":\"/x\""), "hvm.smbios_firmware: not" },
    { HVM("\"acpi_firmware\":\"/x\""), "hvm.acpi_firmware: not" },
    { HVM("\"soundhw\":\"hda\""), "hvm.soundhw: not" },
    { HVM("\"sdl\":{\"xauthority\":\"/x\"}"), "hvm.sdl.xauthority: not" },
    { HVM("\"spice\":{\"host\":\"x\"}"), "hvm.spice.host: not" },
    { B("\"type.hvm\":{}"), "must be with c_info and b_info, of one type" },
    { B("\"type.pv\":{}"), "must be with c_info and b_info, of one type" },
    { PV("\"kernel\":\"/x\""), "b_info.type.pv.kernel: not" },
    { PV("\"bootloader_args\":[]"), "b_info.type.pv.bootloader_args: not" },
    { "\"type.pvh\":{}", "\"type\":{\"pvh\":{}}", "b_info.type: not" },
    { "\"type.pvh\":{}", "\"type.pvh\":{\"pvshim_path\":\"/x\"}",
      "b_info.type.pvh.pvshim_path: not" },
    { B("\"arch_arm\":{\"vuart\":\"sbsa_uart\"}"), "b_info.arch_arm.vuart" },
    { D("\"transport\":\"mmio\""), "disks[0].transport: not" },
    { D("\"irq\":1"), "disks[0].irq: not" },
    { D("\"base\":1"), "disks[0].base: not" },
    { D("\"colo_host\":\"x\""), "disks[0].colo_host: not" },
    { D("\"hidden_disk\":\"/x\""), "disks[0].hidden_disk: not" },
    { N("\"coloft_forwarddev\":\"x\""), "nics[0].coloft_forwarddev: not" },
    { N("\"colo_sock_mirror_id\":\"x\""), "nics[0].colo_sock_mirror_id" },
    /* what it must be */
    { "\"pvh\"", "\"hvm\"", "must be with c_info and b_info, of one type" },
    { "\"pvh\"", "\"arm\"", "c_info.type: not allowed: must be pvh, hvm" },
    { HVM("\"bios\":\"rombios\""), "must be seabios or ovmf" },
    { HVM("\"vnc\":{\"listen\":\"0.0.0.0\"}"), "must be 127.0.0.1" },
    { HVM("\"vnc\":{\"passwd\":\"a b\"}"), "must be letters and digits" },
    { HVM("\"sdl\":{\"enable\":\"True\"}"), "must be False" },
    { HVM("\"spice\":{\"enable\":\"True\"}"), "must be False" },
    { HVM("\"gfx_passthru\":\"True\""), "must be False" },
    { HVM("\"altp2m\":\"True\""), "must be False" },
    { HVM("\"nested_hvm\":\"True\""), "must be False" },
    { HVM("\"serial\":\"file:/etc/passwd\""), "must be pty" },
    { HVM("\"serial_list\":[\"pty\",\"tcp:x:1\"]"), "must be pty" },
    { HVM("\"usbdevice\":\"host:1.2\""), "must be tablet, mouse" },
    { HVM("\"usbdevice_list\":[\"disk:/x\"]"), "must be tablet, mouse" },
    { HVM("\"keymap\":\"../x\""), "no word of libxl's" },
    { HVM("\"boot\":\"c,x\""), "must be letters of a to n" },
    { HVM("\"timeoffset\":\"1;x\""), "must be digits and -" },
    { HVM("\"rdm\":{\"strategy\":\"host\"}"), "must be ignore" },
    { PV("\"e820_host\":\"True\""), "must be False" },
    { "\"web-1\"", "\"\"", "c_info.name: not allowed: must be letters" },
    { "\"web-1\"", "\".web\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"web/1\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"web 1\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"w\xc3\xa9\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"web-1\\u0000x\"", "c_info.name: longer" },
    { "\"web-1\"", "\"web-1--incoming\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"--incoming\"", "c_info.name: not allowed: must be" },
    { "\"web-1\"", "\"web-1--migratedaway\"",
      "c_info.name: not allowed: must" },
    { "\"web-1\"", "\"" A65 A65 A65 A65 "\"", "c_info.name: longer than 200" },
    { "\"type\":\"pvh\",", "", "c_info: not allowed: must be with type" },
    { ",\"name\":\"web-1\"", "", "c_info: not allowed: must be with type" },
    { C("\"domid\":5"), "c_info.domid: not allowed: must be 4294967295" },
    { C("\"uuid\":\"x\""), "c_info.uuid: not allowed: must be 36" },
    { C("\"uuid\":\"e8722ba4-5a3b-466e-b3dc-cdccb42aaf2g\""), "must be 36" },
    { C("\"driver_domain\":\"True\""), "must be False" },
    { C("\"passthrough\":\"enabled\""), "must be disabled" },
    { "1048576", "4095", "b_info.max_memkb: not allowed: must be at least" },
    { "\"max_memkb\":1048576,", "", "b_info: not allowed: must be with max" },
    { "524288", "1048577", "target_memkb not above" },
    { B("\"max_vcpus\":0"), "b_info.max_vcpus: not allowed: must be at" },
    { B("\"max_vcpus\":129"), "not a whole number from 0 to 128" },
    { B("\"avail_vcpus\":[0,128]"), "b_info.avail_vcpus[1]: not a whole" },
    { B("\"cpumap\":[4096]"), "b_info.cpumap[0]: not a whole" },
    { B("\"vcpu_hard_affinity\":[[0],[4096]]"),
      "b_info.vcpu_hard_affinity[1][0]: not a whole" },
    { B("\"blkdev_start\":\"xvda/../b\""), "must be letters and digits" },
    { B("\"cpuid\":{\"cpuid\":[{\"leaf\":1,\"eax\":\"x\"}]}"),
      "b_info.cpuid.cpuid[0].eax: not allowed: must be 32" },
    { B("\"cpuid\":{\"cpuid\":[{\"ebx\":\"" A33 "\"}]}"), "ebx: longer" },
    { B("\"cpuid\":{\"cpuid\":[{\"ebx\":\"\"}]}"), "must be 32" },
    { B("\"cpuid\":{\"cpuid\":[{\"ecx\":\"\"}]}"), "must be 32" },
    { B("\"cpuid\":{\"cpuid\":[{},{\"edx\":\"\"}]}"),
      "b_info.cpuid.cpuid[1].edx: not allowed: must be 32" },
    { B("\"cpuid\":{\"msr\":[{\"policy\":\"" A33 "\"}]}"), "must be 64" },
    { B("\"cpuid\":[]"), "b_info.cpuid: not an object" },
    { B("\"bootloader\":\"/tmp/pygrub\""), "must be pygrub" },
    { B("\"bootloader\":\"/usr/lib/xen/../bin/pygrub\""), "must be pygrub" },
    { B("\"bootloader\":\"bash\""), "must be pygrub" },
    { "/boot/guest/vmlinuz", "boot/vmlinuz", "must be a plain path" },
    { "/boot/guest/vmlinuz", "/boot/guest/../x", "must be a plain path" },
    { B("\"ramdisk\":\"/boot//x\""), "must be a plain path within file=" },
    { "\"type.pvh\":{}", "\"type.pvh\":{\"pvshim\":\"True\"}", "be False" },
    { "/dev/vg/a", "", "disks[0]: not allowed: must be with" },
    { "\"/dev/vg/a\"", "\"\",\"is_cdrom\":1", "disks[0]: not allowed: must" },
    { "/dev/vg/a", "/dev/vg/", "must be a plain path within disk=" },
    { "/dev/vg/a", "/dev/vg/./a", "must be a plain path within disk=" },
    { "/dev/vg/a", "/dev/vg/$(id)", "must be a plain path within disk=" },
    { "/dev/vg/a", "/dev/vg/.?/sda", "must be a plain path within disk=" },
    { "/dev/vg/a", "/dev/vg/a\\u0000", "longer than 255 bytes, or" },
    { "/dev/vg/a", "nbd:192.0.2.1:10809", "must be a plain path within" },
    { "\"pdev_path\":\"/dev/vg/a\",", "", "disks[0]: not allowed: must be" },
    { "\"vdev\":\"xvda\",", "", "disks[0]: not allowed: must be with" },
    { ",\"format\":\"raw\"", "", "disks[0]: not allowed: must be with" },
    { "\"raw\"", "\"empty\"", "disks[0]: not allowed: must be with" },
    { "\"raw\"", "\"empty\",\"is_cdrom\":1", "disks[0]: not allowed: must" },
    { "\"disks\":[{", "\"disks\":[{\"vdev\":\"hdc\",\"format\":\"empty\"},{",
      "disks[0]: not allowed: must" },
    { "\"disks\":[{",
      "\"disks\":[{\"vdev\":\"hdc\",\"format\":\"empty\","
      "\"is_cdrom\":0},{",
      "disks[0]: not allowed: must" },
    { "\"disks\":[{",
      "\"disks\":[{\"vdev\":\"hdc\",\"format\":\"empty\","
      "\"is_cdrom\":1},{\"vdev\":\"hdd\",\"format\":\"empty\"},{",
      "disks[1]: not allowed: must" },
    { "\"raw\"", "\"unknown\"", "disks[0].format: not allowed: must be" },
    { "xvda", "", "disks[0].vdev: not allowed: must be letters" },
    { "xvda", "../a", "disks[0].vdev: not allowed: must be letters" },
    { D("\"backend\":\"tap\""), "must be phy or qdisk" },
    { D("\"backend\":\"standalone\""), "must be phy or qdisk" },
    { D("\"script\":\"/tmp/block\""), "must be a name in" },
    { D("\"script\":\"../block\""), "must be a name in" },
    { D("\"script\":\"\""), "must be a name in" },
    { D("\"script\":\"/etc/xen/scripts/\""), "must be a name in" },
    { D("\"script\":\"/etc/xen/scripts/../x\""), "must be a name in" },
    { D("\"script\":\"block;id\""), "must be a name in" },
    { D("\"specification\":\"virtio\""), "must be xen" },
    { D("\"colo_enable\":\"True\""), "must be False" },
    { D("\"colo_restore_enable\":\"True\""), "must be False" },
    { D("\"removable\":2"), "from 0 to 1" },
    { D("\"readwrite\":2"), "from 0 to 1" },
    { D("\"is_cdrom\":2"), "from 0 to 1" },
    { "br0", "", "nics[0].bridge: not allowed: must be within" },
    { "br0", "ovs.10:30", "nics[0].bridge: not allowed: must be within" },
    { "br0", "br0 up", "nics[0].bridge: not allowed: must be within" },
    { N("\"devid\":65536"), "from 0 to 65535" },
    { N("\"mac\":\"00:16:3e\""), "must be 17" },
    { N("\"ip\":\"192.0.2.1;id\""), "must be addresses" },
    { N("\"ifname\":\"-a\""), "must be an interface" },
    { N("\"ifname\":\"0123456789abcdef\""), "must be an interface" },
    { N("\"gatewaydev\":\"a b\""), "must be an interface" },
    { N("\"nictype\":\"vif_ioemu\""), "must be vif" },
    { N("\"script\":\"/usr/bin/vif-bridge\""), "must be a name in" },
    /* twice */
    { C("\"name\":\"db\""), "c_info.name: stands there twice" },
    { R("\"disks\":[]"), "disks: stands there twice" },
    { D("\"format\":\"qcow2\""), "disks[0].format: stands there twice" },
    { R("\"c_info\":{}"), "c_info: not allowed: must be with type" },
    /* wrong types */
    { "\"pvh\"", "3", "c_info.type: not a word" },
    { "\"pvh\"", "\"p h\"", "c_info.type: no word of libxl's" },
    { "\"pvh\"", "\"\"", "c_info.type: no word of libxl's" },
    { "\"pvh\"", "\"" A65 "\"", "c_info.type: longer than 64" },
    { "\"web-1\"", "null", "c_info.name: null" },
    { "\"web-1\"", "[\"web-1\"]", "c_info.name: not a string" },
    { "\"web-1\"", "{}", "c_info.name: not a string" },
    { "\"web-1\"", "true", "c_info.name: not a string" },
    { C("\"hap\":true"), "c_info.hap: not \"True\" or \"False\"" },
    { C("\"hap\":\"Truely\""), "c_info.hap: no word" },
    { C("\"hap\":\"<default>\""), "c_info.hap: no word" },
    { D("\"direct_io_safe\":\"True\""), "not true or false" },
    { D("\"direct_io_safe\":1"), "not true or false" },
    { "[{\"pdev", "[[{\"pdev", "disks[0]: not an object" },
    { B("\"avail_vcpus\":0"), "b_info.avail_vcpus: not an array" },
    { B("\"avail_vcpus\":{}"), "b_info.avail_vcpus: not an array" },
    { B("\"avail_vcpus\":[null]"), "b_info.avail_vcpus[0]: null" },
    { B("\"sched_params\":[]"), "b_info.sched_params: not an object" },
    /* numbers */
    { "1048576", "\"1048576\"", "b_info.max_memkb: not a whole number" },
    { "1048576", "-1", "b_info.max_memkb: not a whole number" },
    { "1048576", "1048576.0", "b_info.max_memkb: not a whole number" },
    { "1048576", "1e6", "b_info.max_memkb: not a whole number" },
    { "1048576", "1073741825", "from 0 to 1073741824" },
    { "1048576", "18446744073709551616", "from 0 to 1073741824" },
    { "1048576", "99999999999999999999999999", "from 0 to 1073741824" },
    { N("\"rate_bytes_per_interval\":18446744073709551616"), "from 0 to 184" },
    { N("\"rate_bytes_per_interval\":20000000000000000000"), "from 0 to 184" },
    { D("\"removable\":77777777777777777777777"), "from 0 to 1" },
    /* no JSON */
    { "\"web-1\"", "\"web-\xff\"", "no JSON" },
    { "\"web-1\"", "\"web-\xc3\"", "no JSON" },
    { "\"web-1\"", "\"web-\n\"", "no JSON" },
    { "\"web-1\"", "'web-1'", "no JSON" },
    { "\"web-1\"", "\"web-1", "c_info.name: not allowed" },
    { "\"web-1\"", "\"web-1\",", "no JSON" },
    { "1048576", "01048576", "b_info.max_memkb: not allowed" },
    { "1048576", "NaN", "no JSON" },
    { "{\"c_info\"", "/**/{\"c_info\"", "no JSON" },
    { "{\"c_info\"", "{}{\"c_info\"", "the configuration: not allowed" },
    { "{\"c_info\"", "[{\"c_info\"", "the configuration: not an object" },
    { "{\"c_info\"", "1{\"c_info\"", "the configuration: not an object" },
    { "{\"c_info\"", "null", "the configuration: null" },
};

#endif
