/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a source may say in a guest's configuration.  A field that is missing
 * here is refused: hardware, devices that no guest can take along, and all that
 * libxl may learn one day.  docs/specs/policy.md shows these tables, and a
 * test compares the two.
 */
#include <fnmatch.h>
#include <string.h>

#include "admit_fields.h"
#include "mext_vif.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define ALNUM LOWER UPPER DIGIT

#define KIB_MAX  MEXT_MEMORY_KIB_MAX
#define CPU_MAX  4095
#define PATH_LEN POLICY_PREFIX_MAX


static bool only(const struct admit_value *v, const char *chars)
{
    return strspn(v->text, chars) == v->len;
}

static bool is(const struct admit_value *v, const char *text)
{
    return !strcmp(v->text, text);
}

static bool among(const struct admit_value *v, const char *const *list)
{
    for (; *list; list++)
        if (is(v, *list))
            return true;
    return false;
}

/* A check of the value alone. */
#define CHECK(name, words, condition) \
    static enum admit_verdict name##_fn(struct admit_judge *j, \
                                        const struct admit_value *v) \
    { \
        (void)j; \
        return (condition) ? ADMIT_YES : ADMIT_NO; \
    } \
    static const struct admit_check name = { words, name##_fn }

static const char *const formats[] = { "raw", "qcow",  "qcow2", "qed",
                                       "vhd", "empty", NULL };
static const char *const actions[] = { "destroy", "restart", "preserve",
                                       "soft_reset", NULL };

static const char *const firmwares[] = { "seabios", "ovmf", NULL };
static const char *const pointers[] = { "tablet", "mouse", "keyboard", NULL };

CHECK(is_pvh, "pvh", is(v, "pvh"));
CHECK(is_firmware, "seabios or ovmf", among(v, firmwares));
CHECK(is_pointer, "tablet, mouse or keyboard", among(v, pointers));
CHECK(is_pty, "pty", is(v, "pty"));
CHECK(is_loopback, "127.0.0.1", is(v, "127.0.0.1"));
CHECK(is_password, "letters and digits", only(v, ALNUM));
CHECK(is_offset, "digits and -", only(v, DIGIT "-"));
CHECK(is_boot, "letters of a to n", only(v, "abcdefghijklmn"));
CHECK(is_ignore, "ignore", is(v, "ignore"));
CHECK(is_true, "True", is(v, "True"));
CHECK(is_false, "False", is(v, "False"));
CHECK(is_disabled, "disabled", is(v, "disabled"));
CHECK(is_qemu_xen, "qemu_xen", is(v, "qemu_xen"));
CHECK(is_xen, "xen", is(v, "xen"));
CHECK(is_vif, "vif", is(v, "vif"));
CHECK(is_raw, "raw or empty", is(v, "raw") || is(v, "empty"));
CHECK(is_local, "phy or qdisk", is(v, "phy") || is(v, "qdisk"));
CHECK(is_action, "destroy, restart, preserve or soft_reset", among(v, actions));
CHECK(is_unset, "4294967295", v->number == UINT32_MAX);
CHECK(is_weight, "at most 256", v->number <= 256);
CHECK(is_uuid, "36 hexadecimal digits and -",
      v->len == 36 && only(v, DIGIT "abcdef-"));
CHECK(is_mac,
      "17 hexadecimal digits and :", v->len == 17 && only(v, DIGIT "abcdef:"));
CHECK(is_ip, "addresses", only(v, DIGIT "abcdefABCDEF.:/ "));
CHECK(is_leaf, "32 of 01xks", v->len == 32 && only(v, "01xks"));
CHECK(is_msr, "64 of 01xks", v->len == 64 && only(v, "01xks"));
CHECK(is_vdev, "letters and digits", v->len &&only(v, ALNUM));
CHECK(is_interface, "an interface's name",
      v->len && v->len <= POLICY_BRIDGE_MAX && *v->text != '-' &&
          *v->text != '.' && only(v, ALNUM "._-"));
CHECK(is_pygrub, "pygrub",
      is(v, "pygrub") ||
          !fnmatch("/usr/lib/xen*/bin/pygrub", v->text, FNM_PATHNAME));

/* The part of a script's path below the folder of scripts. */
static const char *script_name(const struct admit_value *v)
{
    size_t n = strlen(MEXT_XEN_SCRIPTS);

    return strncmp(v->text, MEXT_XEN_SCRIPTS, n) ? v->text : v->text + n;
}

CHECK(is_script, "a name in " MEXT_XEN_SCRIPTS,
      *script_name(v) && *script_name(v) != '.' &&
          !script_name(v)[strspn(script_name(v), ALNUM "._-")]);
CHECK(is_vif_bridge, "vif-bridge", !strcmp(script_name(v), "vif-bridge"));
CHECK(is_block, "block", !strcmp(script_name(v), "block"));

/* ---- checks that take what they see ---- */

/* Names become parts of file names, and of lines in logs. */
static enum admit_verdict guest_name(struct admit_judge *j,
                                     const struct admit_value *v)
{
    if (!v->len || *v->text == '.' || !only(v, ALNUM "._+:@-") ||
        policy_on_its_way(v->text))
        return ADMIT_NO;
    strcpy(j->guest->name, v->text);
    return ADMIT_YES;
}

static enum admit_verdict guest_type(struct admit_judge *j,
                                     const struct admit_value *v)
{
    if (is(v, "pvh"))
        j->guest->type = MEXT_INSPECT_PVH;
    else if (is(v, "hvm"))
        j->guest->type = MEXT_INSPECT_HVM;
    else if (is(v, "pv"))
        j->guest->type = MEXT_INSPECT_PV;
    else
        return ADMIT_NO;
    return ADMIT_YES;
}

static enum admit_verdict max_memory(struct admit_judge *j,
                                     const struct admit_value *v)
{
    j->guest->memory_kib = v->number;
    return v->number >= MEXT_MEMORY_KIB_MIN ? ADMIT_YES : ADMIT_NO;
}

static enum admit_verdict target_memory(struct admit_judge *j,
                                        const struct admit_value *v)
{
    j->target_kib = v->number;
    return ADMIT_YES;
}

static enum admit_verdict more_memory(struct admit_judge *j,
                                      const struct admit_value *v)
{
    j->overhead_kib += v->number;
    return ADMIT_YES;
}

static enum admit_verdict max_vcpus(struct admit_judge *j,
                                    const struct admit_value *v)
{
    j->guest->vcpus = (unsigned)v->number;
    return v->number ? ADMIT_YES : ADMIT_NO;
}

static const struct admit_check is_guest_name = {
    "letters, digits and ._+:@-, not a name of a domain on its way", guest_name
};
static const struct admit_check is_guest_type = { "pvh, hvm or pv",
                                                  guest_type };
static const struct admit_check is_max_memory = {
    "at least 4096, with shadow and IOMMU within memory=", max_memory
};
static const struct admit_check is_target = { "at most max_memkb",
                                              target_memory };
static const struct admit_check is_overhead = { "counted with max_memkb",
                                                more_memory };
static const struct admit_check is_vcpus = { "at least 1, within vcpus=",
                                             max_vcpus };

static enum admit_verdict disk_format(struct admit_judge *j,
                                      const struct admit_value *v)
{
    j->disk.empty = is(v, "empty");
    return among(v, formats) ? ADMIT_YES : ADMIT_NO;
}

static enum admit_verdict disk_is_cdrom(struct admit_judge *j,
                                        const struct admit_value *v)
{
    j->disk.cdrom = v->number;
    return ADMIT_YES;
}

static const struct admit_check is_format = {
    "raw, qcow, qcow2, qed, vhd or empty", disk_format
};
static const struct admit_check is_cdrom = { "0 or 1", disk_is_cdrom };

/* ---- checks by the rule ---- */

static enum admit_verdict disk_path(struct admit_judge *j,
                                    const struct admit_value *v)
{
    if (!v->len)
        return ADMIT_YES; /* of an empty drive, as disk_end sees to */
    if (!policy_path_plain(v->text, false))
        return ADMIT_NO;
    j->disk.path = true;
    if (j->rule && !policy_path_within(&j->rule->disks, v->text))
        return admit_lacks(j, "disk=%s", v->text);
    return ADMIT_YES;
}

static enum admit_verdict file_path(struct admit_judge *j,
                                    const struct admit_value *v)
{
    if (!policy_path_plain(v->text, false))
        return ADMIT_NO;
    if (j->rule && !policy_path_within(&j->rule->files, v->text))
        return admit_lacks(j, "file=%s", v->text);
    return ADMIT_YES;
}

static enum admit_verdict on_bridge(struct admit_judge *j,
                                    const struct admit_value *v)
{
    if (!v->len || !only(v, ALNUM "._-"))
        return ADMIT_NO;
    if (j->rule && !policy_bridge_allowed(j->rule, v->text))
        return admit_lacks(j, "bridge=%s", v->text);
    return ADMIT_YES;
}

static const struct admit_check is_disk = {
    "a plain path within disk=, or empty", disk_path
};
static const struct admit_check is_file = { "a plain path within file=",
                                            file_path };
static const struct admit_check is_bridge = { "within bridge=", on_bridge };

/* ---- maps that need something ---- */

static bool has(const struct admit_value *map, const char *name)
{
    for (unsigned i = 0; map->sub[i].name; i++)
        if (!strcmp(map->sub[i].name, name))
            return map->seen >> i & 1;
    return false;
}

/* Without a format, libxl may look into the image for one. */
static enum admit_verdict disk_end(struct admit_judge *j,
                                   const struct admit_value *v)
{
    bool good = j->disk.path ? !j->disk.empty : j->disk.empty && j->disk.cdrom;

    good = good && has(v, "vdev") && has(v, "format");
    memset(&j->disk, 0, sizeof(j->disk));
    return good ? ADMIT_YES : ADMIT_NO;
}

/* libxl's own bridge for a vif that names none. */
static enum admit_verdict nic_end(struct admit_judge *j,
                                  const struct admit_value *v)
{
    static const struct admit_value usual = { .text = "xenbr0", .len = 6 };

    return has(v, "bridge") ? ADMIT_YES : on_bridge(j, &usual);
}

/* A configuration that says nothing of vCPUs means one. */
static enum admit_verdict b_info_end(struct admit_judge *j,
                                     const struct admit_value *v)
{
    struct admit_guest *g = j->guest;
    uint64_t kib = g->memory_kib + j->overhead_kib;

    if (!has(v, "max_memkb") || j->target_kib > g->memory_kib)
        return ADMIT_NO;
    j->built[MEXT_INSPECT_PVH] = has(v, "type.pvh");
    j->built[MEXT_INSPECT_HVM] = has(v, "type.hvm");
    j->built[MEXT_INSPECT_PV] = has(v, "type.pv");
    if (!g->vcpus)
        g->vcpus = 1;
    if (j->rule && j->rule->memory_kib && kib > j->rule->memory_kib)
        return admit_lacks(j, "memory=%llu",
                           (unsigned long long)(kib + 1023) >> 10);
    if (j->rule && j->rule->vcpus && g->vcpus > j->rule->vcpus)
        return admit_lacks(j, "vcpus=%u", g->vcpus);
    return ADMIT_YES;
}

static enum admit_verdict c_info_end(struct admit_judge *j,
                                     const struct admit_value *v)
{
    (void)j;
    return has(v, "type") && has(v, "name") ? ADMIT_YES : ADMIT_NO;
}

/* libxl creates by the one type and builds by the other. */
static enum admit_verdict root_end(struct admit_judge *j,
                                   const struct admit_value *v)
{
    for (unsigned t = MEXT_INSPECT_PVH; t <= MEXT_INSPECT_PV; t++)
        if (j->built[t] && t != j->guest->type)
            return ADMIT_NO;
    return has(v, "c_info") && has(v, "b_info") ? ADMIT_YES : ADMIT_NO;
}

static const struct admit_check is_whole_disk = {
    "with pdev_path, vdev and format, or an empty CD drive", disk_end
};
static const struct admit_check is_whole_nic = {
    "with a bridge, or xenbr0 within bridge=", nic_end
};
static const struct admit_check is_whole_c_info = { "with type and name",
                                                    c_info_end };
static const struct admit_check is_whole_b_info = {
    "with max_memkb, and target_memkb not above it", b_info_end
};
static const struct admit_check is_whole = {
    "with c_info and b_info, of one type", root_end
};

/* ---- fields ---- */

#define F(called, type, ...) \
    { \
        .name = called, .kind = ADMIT_##type, __VA_ARGS__ \
    }
#define NEEDS(bit) .word = POLICY_##bit
#define END \
    { \
        .name = NULL \
    }

static const struct admit_field cpu = F("", NUMBER, CPU_MAX);
static const struct admit_field cpus = F("", LIST, CPU_MAX + 1, .sub = &cpu);
static const struct admit_field vcpu = F("", NUMBER, MEXT_VCPUS_MAX - 1);
static const struct admit_field word = F("", TEXT, 1024);
static const struct admit_field distance = F("", NUMBER, UINT32_MAX);
static const struct admit_field color = F("", NUMBER, UINT32_MAX);

static const struct admit_field c_info_fields[] = {
    F("type", WORD, .form = &is_guest_type, .free = &is_pvh, NEEDS(DOM0)),
    F("hap", BOOL, .free = &is_true, NEEDS(CPU_FEATURES)),
    F("oos", BOOL),
    F("ssidref", NUMBER, UINT32_MAX, NEEDS(XSM_LABEL)),
    F("ssid_label", TEXT, 256, NEEDS(XSM_LABEL)),
    F("name", TEXT, ADMIT_NAME_MAX, .form = &is_guest_name),
    F("domid", NUMBER, UINT32_MAX, .form = &is_unset),
    F("uuid", TEXT, 36, .form = &is_uuid),
    F("poolid", NUMBER, UINT32_MAX, NEEDS(CPU_PINNING)),
    F("pool_name", TEXT, 64, NEEDS(CPU_PINNING)),
    F("run_hotplug_scripts", BOOL),
    F("driver_domain", BOOL, .form = &is_false),
    F("passthrough", WORD, .form = &is_disabled),
    F("xend_suspend_evtchn_compat", BOOL),
    END,
};

static const struct admit_field vnode_fields[] = {
    F("memkb", NUMBER, KIB_MAX),
    F("distances", LIST, 64, .sub = &distance),
    F("pnode", NUMBER, CPU_MAX),
    F("vcpus", LIST, MEXT_VCPUS_MAX, .sub = &vcpu),
    END,
};
static const struct admit_field vnode = F("", MAP, .sub = vnode_fields);

static const struct admit_field leaf_fields[] = {
    F("leaf", NUMBER, UINT32_MAX),
    F("subleaf", NUMBER, UINT32_MAX),
    F("eax", TEXT, 32, .form = &is_leaf),
    F("ebx", TEXT, 32, .form = &is_leaf),
    F("ecx", TEXT, 32, .form = &is_leaf),
    F("edx", TEXT, 32, .form = &is_leaf),
    END,
};
static const struct admit_field leaf = F("", MAP, .sub = leaf_fields);

static const struct admit_field msr_fields[] = {
    F("index", NUMBER, UINT32_MAX),
    F("policy", TEXT, 64, .form = &is_msr),
    END,
};
static const struct admit_field msr = F("", MAP, .sub = msr_fields);

static const struct admit_field cpuid_fields[] = {
    F("cpuid", LIST, MEXT_LEAVES_MAX, .sub = &leaf),
    F("msr", LIST, MEXT_MSRS_MAX, .sub = &msr),
    END,
};

static const struct admit_field sched_fields[] = {
    F("sched", WORD),
    F("weight", NUMBER, 65535, .free = &is_weight, NEEDS(CPU_WEIGHT)),
    F("cap", NUMBER, 65535),
    F("period", NUMBER, INT32_MAX, NEEDS(CPU_WEIGHT)),
    F("budget", NUMBER, INT32_MAX, NEEDS(CPU_WEIGHT)),
    F("extratime", NUMBER, INT32_MAX, NEEDS(CPU_WEIGHT)),
    F("slice", NUMBER, INT32_MAX, NEEDS(CPU_WEIGHT)),
    F("latency", NUMBER, INT32_MAX, NEEDS(CPU_WEIGHT)),
    END,
};

static const struct admit_field pvh_fields[] = {
    F("pvshim", BOOL, .form = &is_false),
    END,
};

/* The device model runs as root in dom0: it listens to nobody but dom0. */
static const struct admit_field vga_fields[] = {
    F("kind", WORD),
    END,
};
static const struct admit_field vnc_fields[] = {
    F("enable", BOOL),
    F("listen", TEXT, 64, .form = &is_loopback),
    F("passwd", TEXT, 64, .form = &is_password),
    F("display", NUMBER, 65535),
    F("findunused", BOOL),
    END,
};
static const struct admit_field sdl_fields[] = {
    F("enable", BOOL, .form = &is_false),
    F("opengl", BOOL, .form = &is_false),
    END,
};
static const struct admit_field spice_fields[] = {
    F("enable", BOOL, .form = &is_false),
    END,
};
static const struct admit_field rdm_fields[] = {
    F("strategy", WORD, .form = &is_ignore),
    F("policy", WORD),
    END,
};
static const struct admit_field octet = F("", NUMBER, 255);
static const struct admit_field feature = F("", NUMBER, 1024);
static const struct admit_field serial = F("", TEXT, 64, .form = &is_pty);
static const struct admit_field pointer = F("", TEXT, 64, .form = &is_pointer);

static const struct admit_field smbios_fields[] = {
    F("key", WORD),
    F("value", TEXT, 256),
    END,
};
static const struct admit_field smbios = F("", MAP, .sub = smbios_fields);

static const struct admit_field hvm_fields[] = {
    F("bios", WORD, .form = &is_firmware),
    F("pae", BOOL),
    F("apic", BOOL),
    F("acpi", BOOL),
    F("acpi_s3", BOOL),
    F("acpi_s4", BOOL),
    F("acpi_laptop_slate", BOOL),
    F("nx", BOOL),
    F("viridian", BOOL),
    F("viridian_enable", LIST, 64, .sub = &feature),
    F("viridian_disable", LIST, 64, .sub = &feature),
    F("timeoffset", TEXT, 16, .form = &is_offset),
    F("hpet", BOOL),
    F("vpt_align", BOOL),
    F("mmio_hole_memkb", NUMBER, KIB_MAX),
    F("timer_mode", WORD),
    F("nested_hvm", BOOL, .form = &is_false),
    F("altp2m", BOOL, .form = &is_false),
    F("hdtype", WORD),
    F("nographic", BOOL),
    F("vga", MAP, .sub = vga_fields),
    F("vnc", MAP, .sub = vnc_fields),
    F("keymap", WORD),
    F("sdl", MAP, .sub = sdl_fields),
    F("spice", MAP, .sub = spice_fields),
    F("gfx_passthru", BOOL, .form = &is_false),
    F("gfx_passthru_kind", WORD),
    F("serial", TEXT, 64, .form = &is_pty),
    F("boot", TEXT, 16, .form = &is_boot),
    F("usb", BOOL),
    F("usbversion", NUMBER, 3),
    F("usbdevice", TEXT, 64, .form = &is_pointer),
    F("vkb_device", BOOL),
    F("xen_platform_pci", BOOL),
    F("usbdevice_list", LIST, 8, .sub = &pointer),
    F("vendor_device", WORD),
    F("ms_vm_genid", LIST, 16, .sub = &octet),
    F("serial_list", LIST, 8, .sub = &serial),
    F("rdm", MAP, .sub = rdm_fields),
    F("rdm_mem_boundary_memkb", NUMBER, KIB_MAX),
    F("mca_caps", NUMBER, UINT64_MAX),
    F("smbios", LIST, 64, .sub = &smbios),
    F("pirq", BOOL),
    END,
};
static const struct admit_field pv_fields[] = {
    F("slack_memkb", NUMBER, KIB_MAX, .form = &is_overhead),
    F("e820_host", BOOL, .form = &is_false),
    END,
};
static const struct admit_field arm_fields[] = { END };
static const struct admit_field x86_fields[] = {
    F("msr_relaxed", BOOL),
    END,
};

static const struct admit_field b_info_fields[] = {
    F("max_vcpus", NUMBER, MEXT_VCPUS_MAX, .form = &is_vcpus),
    F("avail_vcpus", LIST, MEXT_VCPUS_MAX, .sub = &vcpu),
    F("cpumap", LIST, CPU_MAX + 1, NEEDS(CPU_PINNING), .sub = &cpu),
    F("nodemap", LIST, CPU_MAX + 1, NEEDS(CPU_PINNING), .sub = &cpu),
    F("vcpu_hard_affinity", LIST, MEXT_VCPUS_MAX, NEEDS(CPU_PINNING),
      .sub = &cpus),
    F("vcpu_soft_affinity", LIST, MEXT_VCPUS_MAX, NEEDS(CPU_PINNING),
      .sub = &cpus),
    F("numa_placement", BOOL),
    F("tsc_mode", WORD),
    F("max_memkb", NUMBER, KIB_MAX, .form = &is_max_memory),
    F("target_memkb", NUMBER, KIB_MAX, .form = &is_target),
    F("video_memkb", NUMBER, KIB_MAX, .form = &is_overhead),
    F("shadow_memkb", NUMBER, KIB_MAX, .form = &is_overhead),
    F("iommu_memkb", NUMBER, KIB_MAX, .form = &is_overhead),
    F("rtc_timeoffset", NUMBER, UINT32_MAX),
    F("exec_ssidref", NUMBER, UINT32_MAX, NEEDS(XSM_LABEL)),
    F("exec_ssid_label", TEXT, 256, NEEDS(XSM_LABEL)),
    F("localtime", BOOL),
    F("disable_migrate", BOOL),
    F("cpuid", MAP, .sub = cpuid_fields),
    F("blkdev_start", TEXT, 32, .form = &is_vdev),
    F("vnuma_nodes", LIST, 64, NEEDS(CPU_PINNING), .sub = &vnode),
    F("max_grant_frames", NUMBER, INT32_MAX),
    F("max_maptrack_frames", NUMBER, INT32_MAX),
    F("max_grant_version", NUMBER, 2),
    F("device_model_version", WORD, .free = &is_qemu_xen, NEEDS(DEVICE_MODEL)),
    F("device_model_stubdomain", BOOL, .free = &is_false, NEEDS(DEVICE_MODEL)),
    F("stubdomain_memkb", NUMBER, KIB_MAX, .form = &is_overhead,
      NEEDS(DEVICE_MODEL)),
    F("stubdomain_kernel", TEXT, PATH_LEN, NEEDS(DEVICE_MODEL)),
    F("stubdomain_cmdline", TEXT, 4096, NEEDS(DEVICE_MODEL)),
    F("stubdomain_ramdisk", TEXT, PATH_LEN, NEEDS(DEVICE_MODEL)),
    F("device_model", TEXT, PATH_LEN, NEEDS(DEVICE_MODEL)),
    F("device_model_ssidref", NUMBER, UINT32_MAX, NEEDS(XSM_LABEL)),
    F("device_model_ssid_label", TEXT, 256, NEEDS(XSM_LABEL)),
    F("device_model_user", TEXT, 64, NEEDS(DEVICE_MODEL)),
    F("extra", LIST, 64, NEEDS(DEVICE_MODEL), .sub = &word),
    F("extra_pv", LIST, 64, NEEDS(DEVICE_MODEL), .sub = &word),
    F("extra_hvm", LIST, 64, NEEDS(DEVICE_MODEL), .sub = &word),
    F("sched_params", MAP, .sub = sched_fields),
    F("claim_mode", BOOL),
    F("event_channels", NUMBER, 131071),
    F("kernel", TEXT, PATH_LEN, .form = &is_file),
    F("cmdline", TEXT, 16384),
    F("ramdisk", TEXT, PATH_LEN, .form = &is_file),
    F("acpi", BOOL),
    F("bootloader", TEXT, PATH_LEN, .form = &is_pygrub, NEEDS(BOOTLOADER)),
    F("timer_mode", WORD),
    F("nested_hvm", BOOL, .free = &is_false, NEEDS(CPU_FEATURES)),
    F("apic", BOOL),
    F("dm_restrict", BOOL),
    F("type.pvh", MAP, .sub = pvh_fields),
    F("type.hvm", MAP, NEEDS(DOM0), .sub = hvm_fields),
    F("type.pv", MAP, NEEDS(DOM0), .sub = pv_fields),
    F("arch_arm", MAP, .sub = arm_fields),
    F("arch_x86", MAP, .sub = x86_fields),
    F("vpmu", BOOL, .free = &is_false, NEEDS(CPU_FEATURES)),
    F("llc_colors", LIST, 4096, NEEDS(CPU_PINNING), .sub = &color),
    F("bootloader_restrict", BOOL),
    F("bootloader_user", TEXT, 64, NEEDS(BOOTLOADER)),
    END,
};

static const struct admit_field disk_fields[] = {
    F("backend_domid", NUMBER, UINT32_MAX, NEEDS(BACKEND)),
    F("backend_domname", TEXT, ADMIT_NAME_MAX, NEEDS(BACKEND)),
    F("pdev_path", TEXT, PATH_LEN, .form = &is_disk),
    F("vdev", TEXT, 32, .form = &is_vdev),
    F("backend", WORD, .form = &is_local),
    F("format", WORD, .form = &is_format, .free = &is_raw, NEEDS(IMAGE_FORMAT)),
    F("script", TEXT, PATH_LEN, .form = &is_script, .free = &is_block,
      NEEDS(SCRIPT)),
    F("removable", NUMBER, 1),
    F("readwrite", NUMBER, 1),
    F("is_cdrom", NUMBER, 1, .form = &is_cdrom),
    F("direct_io_safe", FLAG),
    F("discard_enable", BOOL),
    F("specification", WORD, .form = &is_xen),
    F("colo_enable", BOOL, .form = &is_false),
    F("colo_restore_enable", BOOL, .form = &is_false),
    F("trusted", BOOL),
    F("grant_usage", BOOL),
    END,
};
static const struct admit_field disk = F("", MAP, .form = &is_whole_disk,
                                         .sub = disk_fields);

/* A bridge takes the smallest of its ports', libxl's default aside, which is none. */
CHECK(is_mtu, "0, 1492, or at least 1500",
      !v->number || v->number == 1492 || v->number >= 1500);

static const struct admit_field nic_fields[] = {
    F("backend_domid", NUMBER, UINT32_MAX, NEEDS(BACKEND)),
    F("backend_domname", TEXT, ADMIT_NAME_MAX, NEEDS(BACKEND)),
    F("devid", NUMBER, 65535),
    F("mtu", NUMBER, 65535, .form = &is_mtu),
    F("model", WORD),
    F("mac", TEXT, 17, .form = &is_mac),
    F("ip", TEXT, 256, .form = &is_ip),
    F("bridge", TEXT, 32, .form = &is_bridge),
    F("ifname", TEXT, 32, .form = &is_interface, NEEDS(VIFNAME)),
    F("script", TEXT, PATH_LEN, .form = &is_script, .free = &is_vif_bridge,
      NEEDS(SCRIPT)),
    F("nictype", WORD, .form = &is_vif),
    F("rate_bytes_per_interval", NUMBER, UINT64_MAX),
    F("rate_interval_usecs", NUMBER, UINT32_MAX),
    F("gatewaydev", TEXT, 32, .form = &is_interface, NEEDS(SCRIPT)),
    F("trusted", BOOL),
    END,
};
static const struct admit_field nic = F("", MAP, .form = &is_whole_nic,
                                        .sub = nic_fields);

static const struct admit_field root_fields[] = {
    F("c_info", MAP, .form = &is_whole_c_info, .sub = c_info_fields),
    F("b_info", MAP, .form = &is_whole_b_info, .sub = b_info_fields),
    F("disks", LIST, 64, .sub = &disk),
    F("nics", LIST, 16, .sub = &nic),
    F("on_poweroff", WORD, .free = &is_action, NEEDS(COREDUMP)),
    F("on_reboot", WORD, .free = &is_action, NEEDS(COREDUMP)),
    F("on_watchdog", WORD, .free = &is_action, NEEDS(COREDUMP)),
    F("on_crash", WORD, .free = &is_action, NEEDS(COREDUMP)),
    F("on_soft_reset", WORD, .free = &is_action, NEEDS(COREDUMP)),
    END,
};
const struct admit_field admit_root = F("", MAP, .form = &is_whole,
                                        .sub = root_fields);

/* The bits of admit_value.seen; one more entry ends the table. */
#define FITS(table) \
    _Static_assert(sizeof(table) / sizeof((table)[0]) <= ADMIT_FIELDS_MAX + 1, \
                   #table " has too many fields")
FITS(b_info_fields);
FITS(root_fields);
