/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xl migrate-stream convert: a guest there and back, what is refused.  Tables of
 * fields: test_wire.c.  Real QEMUs: convert_qemu.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/hvm/save.h>

#include "build_guest.h"
#include "build_stream.h"
#include "stream_machine.h"
#include "unit.h"
#include "xl_case.h"
#include "walk_bytes.h"
#include "xl_stream.h"

static struct guest_bytes guest;
static struct bytes stream;
static char dir[] = "/tmp/convert-XXXXXX";

static void setup(void)
{
    static uint8_t beat[4096];

    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    ck_assert(mkdtemp(dir));
    ck_assert(!chdir(dir));
    for (unsigned i = 0; i < sizeof(beat); i++)
        beat[i] = (uint8_t)i;
    for (unsigned i = 3; i < 7; i++)
        beat[4 * i + 2] = 0x10, beat[4 * i + 3] = 0; /* addresses in it */
    build_guest(&guest, beat, sizeof(beat));
}

static void teardown(void)
{
    static const char *const files[] = { "a", "new", "back" };

    for (unsigned i = 0; i < 3; i++)
        unlink(files[i]);
    ck_assert(!chdir("/"));
    rmdir(dir);
    free(out);
    free(err);
    out = err = NULL;
}

static void put(const void *p, size_t n)
{
    FILE *f = fopen("a", "wb");

    ck_assert(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert(!fclose(f));
}

static size_t get(const char *name, uint8_t *p, size_t max)
{
    FILE *f = fopen(name, "rb");
    size_t n;

    ck_assert(f);
    n = fread(p, 1, max, f);
    fclose(f);
    return n;
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

static bool is_there(const char *name)
{
    return !access(name, F_OK);
}

/* ---- a guest ---- */

static struct qemu_machine *machine;
static uint8_t body[MACHINE_BODY];
static size_t nbody;

static void refuse(void *arg, const char *name, const char *why)
{
    ck_abort_msg("%s: %s", name, why);
}

static void on_begin(void *arg, const struct stream_record *r)
{
    nbody = 0;
}

static void on_body(void *arg, const void *p, size_t n)
{
    ck_assert_uint_le(n, sizeof(body) - nbody);
    memcpy(body + nbody, p, n);
    nbody += n;
}

static void on_end(void *arg, const struct stream_record *r)
{
    const struct stream_target t = { .tcg = true, .refuse = refuse };

    if (r->type == 4)
        stream_machine_section(machine, &t, r->name, r->instance, r->version,
                               body, nbody);
}

/* The new file's machine. */
static void read_machine(void)
{
    static const struct stream_events events = { .begin = on_begin,
                                                 .body = on_body,
                                                 .end = on_end };
    static uint8_t p[GUEST_MAX];
    size_t n = get("new", p, sizeof(p));

    machine = stream_machine_new();
    ck_assert(machine);
    ck_assert_int_eq(walk_bytes(p, n, 0, &events, NULL, NULL), 0);
}

static void check_cpu(const struct qemu_vcpu *v)
{
    const struct qemu_cpu *q = &v->cpu;

    ck_assert(q->gpr[4] == 0x8f000 && q->gpr[5] == 0x1234567);
    ck_assert(q->gpr[13] == GUEST_BEATS && q->cr3 == 0x90000);
    ck_assert_uint_eq(q->hflags, 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9 |
                                     1u << 14 | 1u << 15 | 1u << 22);
    ck_assert_uint_eq(q->seg[Q_CS].flags, 0xa09b00);
    ck_assert_uint_eq(q->seg[Q_FS].base, 0x00001fff5eed5eed);
    ck_assert_uint_eq(q->kernel_gs, 0x00007fff0badcafe);
    ck_assert_uint_eq(q->dr[7], 0x400);
    ck_assert_uint_eq(q->xmm[12].q[0], 0x9999999922222222);
    ck_assert_uint_eq(q->fsw, 6 << 11);
    ck_assert_uint_eq(q->st[6].exponent, 0x3fff); /* 1 is on top, the sixth */
    ck_assert_uint_eq(q->st[7].exponent, 0x4000);
    ck_assert_uint_eq(v->apic.spurious, 0x1ff);
    ck_assert_uint_eq(v->apic.shift, 1);
    ck_assert_uint_eq(v->apic.expiry, UINT64_MAX);
}

START_TEST(to_qemu)
{
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("convert --to qemu --accel tcg a new"), 0);
    has(out, "-accel tcg -cpu max");
    has(out, "-m 2 ");
    has(out, "-bios new.rom");
    ck_assert_int_eq(xl("verify new"), 0);
    ck_assert_int_eq(xl("inspect new"), 0);
    has(out, "ram: 2 blocks, 69206016 bytes");
    has(out, "configuration: pc-i440fx-7.2");
    read_machine();
    ck_assert_uint_eq(machine->cpus, 1);
    check_cpu(&machine->vcpu[0]);
    ck_assert_uint_eq(machine->ioapic.pin[2], 0x30);
    ck_assert_uint_eq(machine->ioapic.pin[3], 0x10000);
    ck_assert_uint_eq(machine->pit.channel[0].count, 11931);
    ck_assert_uint_eq(machine->pic[1].base, 0x28);
    ck_assert_uint_eq(machine->clock.ticks, 123456789000);
    ck_assert_uint_eq(machine->isa_bridge.pci.config[0x60], 10);
    free(machine);
}
END_TEST

/* Xen's context, to QEMU and back, octet by octet. */
START_TEST(back_to_xen)
{
    static struct guest_bytes back;
    size_t n, nback;
    uint8_t *p, *q;

    put(guest.p, guest.n);
    ck_assert_int_eq(xl(_i ? "convert --to qemu a new"
                           : "convert --to qemu --accel tcg a new"),
                     0);
    ck_assert_int_eq(xl(_i ? "convert --to xen new back"
                           : "convert --to xen --accel tcg new back"),
                     0);
    has(out, "memory = 2\n");
    ck_assert_int_eq(xl("verify back"), 0);
    back.n = get("back", back.p, sizeof(back.p));
    p = memmem(back.p, back.n, "\x01\0\0\0\x18\0\0\0\x86\x12\x38\x54", 12);
    ck_assert(p);
    back.context = (size_t)(p - back.p);
    memcpy(&back.context_len, p - 4, 4);
    for (unsigned type = 1; type < 21; type++)
        for (unsigned i = 0; i < 2; i++) {
            p = guest_entry(&guest, type, i, &n);
            q = guest_entry(&back, type, i, &nback);
            if (!p)
                continue;
            ck_assert_msg(q && n == nback, "%u %u", type, i);
            for (size_t at = 0; at < n; at++)
                ck_assert_msg(p[at] == q[at], "%u %u at %zu: %#x %#x", type, i,
                              at, p[at], q[at]);
        }
}
END_TEST

/* ---- refused ---- */

#define CPU(m)   2, offsetof(struct hvm_hw_cpu, m)
#define APIC(at) 6, at

static const struct {
    const char *name;
    unsigned type;
    size_t at;
    uint64_t value;
    size_t n;
} refused[] = {
    { "pending-event", CPU(pending_event), 0x80000b0e, 4 },
    { "nested-hvm", CPU(cr4), 0x2620, 4 },
    { "xcr0", CPU(cr4), 0x40620, 4 },
    { "nested-hvm", CPU(msr_efer), 0x1501, 4 },
    { "ioapic-pin:20", 4, 16 + 8 * 20, 0x31, 8 },
    { "ioapic-pin:47", 4, 16 + 8 * 47, 0x31, 8 },
    { "ioapic-base", 4, 0, 0xfec10000, 8 },
    { "x2apic", 5, 0, 0xfee00d00, 8 },
    { "lapic-base", 5, 0, 0xfed00900, 8 },
    { "tsc-deadline", APIC(0x320), 0x40030, 4 },
    { "pci-interrupt", 7, 8, 1, 8 },
    { "hpet-rate", 12, 16, 1, 8 },
    { "mtrr", 14, 240 - 16, 0x502, 8 },
};

static void patch(unsigned type, size_t at, uint64_t value, size_t len)
{
    size_t n;
    uint8_t *p = guest_entry(&guest, type, 0, &n);

    ck_assert(p && at + len <= n);
    memcpy(p + at, &value, len);
}

static void is_refused(const char *name)
{
    char text[128];

    ck_assert_int_eq(xl("convert --to qemu --accel tcg a new"), 1);
    snprintf(text, sizeof(text), "a: not carried: %s: ", name);
    has(err, text);
    has(err, "nothing was written");
    ck_assert(!is_there("new"));
    snprintf(text, sizeof(text),
             "convert --to qemu --accel tcg --accept smm,%s a new", name);
    ck_assert_int_eq(xl(text), 0);
    snprintf(text, sizeof(text), "accepted: %s: ", name);
    has(out, text);
    ck_assert_int_eq(xl("verify new"), 0);
}

/* What stands in the way, and what was gone without, for programs. */
START_TEST(json)
{
    patch(12, 16, 1, 8);
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("convert --to qemu --json a new"), 1);
    has(out, "{\"not_carried\":[{\"name\":\"hpet-rate\",\"why\":\"");
    has(out, "\"accepted\":false}],\"written\":false}\n");
    ck_assert_int_eq(xl("convert --to qemu --json --accept hpet-rate a new"),
                     0);
    has(out, "\"accepted\":true}],\"written\":true,\"how\":\"");
    has(out, "qemu-system-x86_64 -machine ");
}
END_TEST

START_TEST(refuses)
{
    patch(refused[_i].type, refused[_i].at, refused[_i].value, refused[_i].n);
    put(guest.p, guest.n);
    is_refused(refused[_i].name);
}
END_TEST

/* Of QEMU's section cpu, octets from where mcg_cap is. */
START_TEST(refuses_to_xen)
{
    static const struct {
        const char *name;
        const char *find;
        int at, value, also; /* also: another place, 0: none */
    } row[] = {
        { "pending-event", "\0\0\0\0\1\0\1\x0a", -8, 1, -25 },
        { "machine-check", "\0\0\0\0\1\0\1\x0a", 15, 4, 0 },
        { "machine-check", "\0\0\0\0\1\0\1\x0a", 32, 0x80, 0 },
        { "a20", "\xff\xff\xff\xff\0\0\x1f\x80", 1, 0xef, 0 },
    };
    static uint8_t p[GUEST_MAX];
    char text[64];
    uint8_t *q;
    size_t n;

    put(guest.p, guest.n);
    ck_assert_int_eq(xl("convert --to qemu a new"), 0);
    n = get("new", p, sizeof(p));
    q = memmem(p, n, row[_i].find, 8);
    ck_assert(q);
    q[row[_i].at] = (uint8_t)row[_i].value;
    if (row[_i].also)
        memcpy(q + row[_i].also - 3, "\0\0\0\x80", 4);
    put(p, n);
    unlink("new");
    ck_assert_int_eq(xl("convert --to xen a new"), 1);
    snprintf(text, sizeof(text), "a: not carried: %s: ", row[_i].name);
    has(err, text);
    ck_assert(!is_there("new"));
}
END_TEST

START_TEST(refuses_a_parameter)
{
    static const char *const name[] = { "generation-id", "machine-check" };
    const uint64_t was[] = { 1, 0xfeffc }, now[] = { _i ? 38 : 34, 0xfc009000 };
    uint8_t *p = memmem(guest.p, guest.n, was, sizeof(was));

    ck_assert(p);
    memcpy(p, now, sizeof(now));
    put(guest.p, guest.n);
    is_refused(name[_i]);
}
END_TEST

START_TEST(refuses_a_running_timer)
{
    patch(6, 0x380, 1000, 4);
    patch(6, 0x320, 0x20031, 4);
    put(guest.p, guest.n);
    is_refused("lapic-rate");
    read_machine();
    ck_assert_uint_eq(machine->vcpu[0].apic.count, 10000);
    free(machine);
}
END_TEST

/* The local APIC as Xen 4.20 has it, with an error that is not told yet. */
static void grow_apic(uint32_t error)
{
    uint32_t len;
    size_t n;
    uint8_t *p = guest_entry(&guest, 5, 0, &n);

    ck_assert_uint_eq(n, 24);
    memmove(p + 32, p + n, (size_t)(guest.p + guest.n - p) - n);
    memset(p + n, 0, 8);
    memcpy(p + n, &error, sizeof(error));
    len = 32;
    memcpy(p - 4, &len, sizeof(len));
    guest.n += 8;
    guest.context_len += 8;
    len = (uint32_t)guest.context_len;
    memcpy(guest.p + guest.context - 4, &len, sizeof(len));
    put(guest.p, guest.n);
}

START_TEST(later_apic)
{
    grow_apic(0);
    ck_assert_int_eq(xl("verify a"), 0);
    ck_assert_int_eq(xl("convert --to qemu --accel tcg a new"), 0);
}
END_TEST

START_TEST(refuses_an_apic_error)
{
    grow_apic(0x40);
    is_refused("lapic-error");
}
END_TEST

/* Where hvmloader's page is of pfn, as the stream has it last. */
START_TEST(refuses_pages)
{
    static const struct {
        const char *name;
        uint64_t pfn;
    } row[] = { { "vga-window", 0xb8 },
                { "pages-above-3g", 0xf0000 },
                { "pages-above-4g", 0x100000 } };
    const uint64_t was = 0xfc000;
    uint8_t *p = memmem(guest.p, guest.n, &was, sizeof(was));

    ck_assert(p);
    memcpy(p, &row[_i].pfn, sizeof(was));
    put(guest.p, guest.n);
    is_refused(row[_i].name);
}
END_TEST

/* hvmloader's page is the last of the record: now without content. */
START_TEST(refuses_broken_memory)
{
    const uint64_t was = 0xfc000;
    uint8_t *p = memmem(guest.p, guest.n, &was, sizeof(was)), *end;
    uint32_t n = 0, count = 0, type = 0, len;

    ck_assert(p);
    p[7] = 0xd0; /* BROKEN */
    do {
        memcpy(&count, p - 8 * ++n, sizeof(count));
        memcpy(&type, p - 8 * n - 8, sizeof(type));
    } while (type != 1 || count != n); /* PAGE_DATA's head */
    memcpy(&len, p - 8 * n - 4, sizeof(len));
    end = p - 8 * n + len;
    memmove(end - 4096, end, (size_t)(guest.p + guest.n - end));
    guest.n -= 4096;
    len -= 4096;
    memcpy(p - 8 * n - 4, &len, sizeof(len));
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("verify a"), 0);
    is_refused("page-broken");
}
END_TEST

START_TEST(refuses_rings)
{
    static const struct {
        const char *name;
        uint64_t pfn, param;
        uint32_t at;
    } row[] = { { "pv-xenstore", 0xfeffc, 1, 2052 },
                { "pv-console", 0xfeffc, 17, 3084 } };
    const uint64_t was[] = { 0xfc000, 1 };
    uint8_t *p = memmem(guest.p, guest.n, was, sizeof(was[0])), *page;
    const uint64_t param[] = { 1, 0xfeffc };
    uint8_t *q = memmem(guest.p, guest.n, param, sizeof(param));

    ck_assert(p && q);
    memcpy(p, &row[_i].pfn, sizeof(was[0]));
    page = memmem(p, guest.n - (size_t)(p - guest.p), "ZZZZ", 4);
    ck_assert(page);
    memset(page, 0, 4096);
    memcpy(q, &row[_i].param, 8);
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("convert --to qemu --accel tcg a new"), 0);
    unlink("new");
    page[row[_i].at] = 1;
    put(guest.p, guest.n);
    is_refused(row[_i].name);
}
END_TEST

/* ---- the emulator's devices ---- */

static size_t add_section(uint8_t *p, uint8_t id, const char *name,
                          uint8_t version, const void *content, size_t n)
{
    const uint8_t numbers[] = { 0, 0, 0, 0, 0, 0, 0, version };
    size_t len = strlen(name);

    memcpy(p, "\4\0\0\0", 4);
    p[4] = id;
    p[5] = (uint8_t)len;
    memcpy(p + 6, name, len);
    memcpy(p + 6 + len, numbers, 8);
    memcpy(p + 14 + len, content, n);
    return 14 + len + n;
}

/* Before libxl's END: ports of ACPI elsewhere, a serial port, Xen's device. */
static void add_devices(void)
{
    static uint8_t pm[400] = { 0, 0, 0, 2 };
    uint8_t *p = guest.p + guest.n - 8, *from = p;
    uint32_t n;

    pm[4 + 0x40] = 0x01;
    pm[4 + 0x41] = 0x06;
    pm[4 + 0x80] = 1;
    pm[276 + 5] = 3; /* control */
    memcpy(p + 8, "\2\0\0\0\0\0\0\0QEVM\0\0\0\3", 16);
    p += 24;
    p += add_section(p, 7, "serial", 3, "a serial port's state", 21);
    p += add_section(p, 2, "0000:00:01.3/piix4_pm", 3, pm, sizeof(pm));
    p += add_section(p, 9, "0000:00:02.0/xen-platform", 4, "\4 not one", 9);
    *p++ = 0;
    n = (uint32_t)(p - from - 8);
    memcpy(from, "\3\0\0", 4);
    memcpy(from + 4, &n, 4);
    while ((p - from) % 8)
        *p++ = 0;
    memset(p, 0, 8);
    guest.n = (size_t)(p + 8 - guest.p);
}

START_TEST(devices)
{
    static uint8_t p[GUEST_MAX];
    size_t n;

    add_devices();
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("verify a"), 0);
    is_refused("device:0000:00:02.0/xen-platform");
    n = get("new", p, sizeof(p));
    ck_assert(memmem(p, n, "a serial port's state\x7e", 22));
    ck_assert(!memmem(p, n, "xen-platform", 12));
    read_machine();
    ck_assert_uint_eq(machine->pm.control, 3);
    ck_assert_uint_eq(machine->pm.pci.config[0x41], 6);
    free(machine);
}
END_TEST

START_TEST(refuses_others)
{
    build_stream(&stream, BASE_QEMU);
    put(stream.p, stream.n);
    ck_assert_int_eq(xl("convert --to qemu a new"), 1);
    has(err, "not carried: guest: ");
    ck_assert_int_eq(xl("convert --to xen a new"), 1);
    has(err, "not carried: machine: ");
    has(err, "not carried: xbzrle: ");
    build_stream(&stream, BASE_PVH);
    put(stream.p, stream.n);
    ck_assert_int_eq(xl("convert --to qemu a new"), 1);
    has(err, "not carried: pvh: ");
    ck_assert_int_eq(xl("convert --to xen a new"), 1);
    has(err, "not carried: machine: ");
    ck_assert_int_eq(xl("convert --to xen --accept machine a new"), 1);
    has(err, "not carried: machine: ");
    build_stream(&stream, BASE_BARE);
    put(stream.p, stream.n);
    ck_assert_int_eq(xl("convert --to qemu a new"), 1);
    has(err, "libxl.complete");
    ck_assert(!is_there("new"));
}
END_TEST

/* Machines that never ran: their firmware still shows its ROM. */
START_TEST(refuses_fixtures)
{
    static const char *const name[] = { "qemu-pc", "qemu-microvm" };
    char command[512];

    snprintf(command, sizeof(command), "xz -dc '%s/%s.xz' >a",
             getenv("top_fixtures"), name[_i]);
    ck_assert(!system(command));
    ck_assert_int_eq(xl("convert --to xen --accel tcg a new"), 1);
    if (_i) {
        has(err, "not carried: machine: ");
        return;
    }
    has(err, "not carried: rom-shadow: ");
    has(err, "not carried: device:vmmouse: ");
    ck_assert(!strstr(err, "not carried: machine"));
}
END_TEST

START_TEST(usage)
{
    static const char *const wrong[] = {
        "convert a new",
        "convert --to qemu a",
        "convert --to vmware a new",
        "convert --to qemu --accel fast a new",
        "convert --to qemu --all a new",
        "verify --to qemu a",
        "verify --accept hpet-rate a",
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(xl(wrong[i]) == 2, "%s", wrong[i]);
    put(guest.p, guest.n);
    ck_assert_int_eq(xl("convert --to qemu a new"), 0);
    has(out, "-accel kvm -cpu host");
    ck_assert_int_eq(xl("convert --to qemu a new"), 1);
    has(err, "new: File exists");
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    const TTest *const tests[] = { devices,
                                   json,
                                   refuses_broken_memory,
                                   to_qemu,
                                   usage,
                                   refuses_a_running_timer,
                                   refuses_others,
                                   later_apic,
                                   refuses_an_apic_error,
                                   NULL };
    const char *top = getenv("srcdir");
    char here[3000], fixtures[3100];
    Suite *s = unit_suite_in("convert", tests, setup, teardown);
    TCase *c = tcase_create("loops");

    if (!realpath(top ? top : ".", here))
        return 1;
    snprintf(fixtures, sizeof(fixtures), "%s/tests/stream/fixtures", here);
    setenv("top_fixtures", fixtures, 1);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, back_to_xen, 0, 2);
    tcase_add_loop_test(c, refuses, 0, ROWS(refused));
    tcase_add_loop_test(c, refuses_pages, 0, 3);
    tcase_add_loop_test(c, refuses_to_xen, 0, 4);
    tcase_add_loop_test(c, refuses_a_parameter, 0, 2);
    tcase_add_loop_test(c, refuses_rings, 0, 2);
    tcase_add_loop_test(c, refuses_fixtures, 0, 2);
    suite_add_tcase(s, c);
    return unit_main(s);
}
