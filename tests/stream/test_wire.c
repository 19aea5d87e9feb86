/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of fields: as long as what they stand for, against Xen's structures. */
#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/hvm/save.h>

#include "stream_qemu_hw.h"
#include "stream_xen_hvm.h"
#include "unit.h"

/* Of Xen 4.17; later ones have more behind it. */
#define LAPIC_LEN (offsetof(struct hvm_hw_lapic, tdt_msr) + sizeof(uint64_t))

/* Lengths of QEMU's: its own description of a stream, in fixtures. */
static const struct {
    const char *name;
    const struct wire *wire;
    size_t len;
} wires[] = {
    { "CPU", xen_cpu_wire, sizeof(struct hvm_hw_cpu) },
    { "PIC", xen_pic_wire, sizeof(struct hvm_hw_vpic) },
    { "IOAPIC", xen_ioapic_wire, sizeof(struct hvm_hw_vioapic) },
    { "LAPIC", xen_lapic_wire, LAPIC_LEN },
    { "PIT", xen_pit_wire, sizeof(struct hvm_hw_pit) },
    { "RTC", xen_rtc_wire, sizeof(struct hvm_hw_rtc) },
    { "HPET", xen_hpet_wire, sizeof(struct hvm_hw_hpet) },
    { "PMTIMER", xen_pm_wire, sizeof(struct hvm_hw_pmtimer) },
    { "MTRR", xen_mtrr_wire, sizeof(struct hvm_hw_mtrr) },
    { "timer", qemu_timer_wire, 24 },
    { "cpu_common", qemu_cpu_common_wire, 8 },
    { "cpu", qemu_cpu_wire, 1817 },
    { "apic", qemu_apic_wire, 181 },
    { "i8259", qemu_pic_wire, 16 },
    { "ioapic", qemu_ioapic_wire, 206 },
    { "i8254", qemu_pit_wire, 108 },
    { "pcspk", qemu_pcspk_wire, 2 },
    { "mc146818rtc", qemu_rtc_wire, 245 },
    { "hpet", qemu_hpet_wire, 151 },
    { "I440FX", qemu_i440fx_wire, 277 },
    { "PIIX3", qemu_piix3_wire, 292 },
    { "piix4_pm", qemu_pm_wire, 2408 - QEMU_PM_TAIL },
};

START_TEST(lengths)
{
    ck_assert_msg(stream_wire_len(wires[_i].wire) == wires[_i].len, "%s",
                  wires[_i].name);
}
END_TEST

/* What was read is written again, but for bytes that mean nothing. */
START_TEST(there_and_back)
{
    static uint8_t in[4096], back[4096], obj[8192];
    const struct wire *w = wires[_i].wire;
    size_t n = wires[_i].len, same = 0, zero = 0;
    bool be = wires[_i].name[0] >= 'a' || !strcmp(wires[_i].name, "I440FX") ||
              !strcmp(wires[_i].name, "PIIX3");

    for (size_t i = 0; i < n; i++)
        in[i] = (uint8_t)(i % 251 + 1);
    memset(obj, 0, sizeof(obj));
    ck_assert_ptr_eq(stream_wire_get(in, w, obj, be), in + n);
    ck_assert_ptr_eq(stream_wire_put(back, w, obj, be), back + n);
    for (size_t i = 0; i < n; i++) {
        ck_assert(back[i] == in[i] || !back[i]);
        same += back[i] == in[i];
        zero += !back[i];
    }
    ck_assert_uint_eq(same + zero, n);
    ck_assert_uint_gt(same, 0);
}
END_TEST

/* Fields where Xen's header has them. */
START_TEST(xen_fields)
{
    struct hvm_hw_cpu h = { .rdx = 1,
                            .rsi = 2,
                            .r15 = 3,
                            .rip = 4,
                            .cr3 = 5,
                            .dr7 = 6,
                            .gs_sel = 7,
                            .gdtr_limit = 8,
                            .idtr_base = 9,
                            .ldtr_arbytes = 10,
                            .sysenter_eip = 11,
                            .shadow_gs = 12,
                            .msr_star = 13,
                            .msr_efer = 14,
                            .msr_tsc_aux = 15,
                            .tsc = 16,
                            .pending_event = 17,
                            .error_code = 18,
                            .flags = 1 };
    struct xen_cpu x;

    stream_wire_get((const uint8_t *)&h, xen_cpu_wire, &x, false);
    ck_assert(x.gpr[3] == 1 && x.gpr[5] == 2 && x.gpr[15] == 3 && x.rip == 4);
    ck_assert(x.cr[2] == 5 && x.dr[5] == 6 && x.sel[X_GS] == 7);
    ck_assert(x.limit[X_GDTR] == 8 && x.base[X_IDTR] == 9);
    ck_assert(x.attr[X_LDTR] == 10 && x.sysenter[2] == 11);
    ck_assert(x.shadow_gs == 12 && x.star == 13 && x.efer == 14);
    ck_assert(x.tsc_aux == 15 && x.tsc == 16 && x.pending == 17);
    ck_assert(x.error_code == 18 && x.flags == 1);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    const TTest *const tests[] = { xen_fields, NULL };
    Suite *s = unit_suite("tables of fields", tests);
    TCase *c = tcase_create("loops");

    tcase_add_loop_test(c, lengths, 0, ROWS(wires));
    tcase_add_loop_test(c, there_and_back, 0, ROWS(wires));
    suite_add_tcase(s, c);
    return unit_main(s);
}
