/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstrap: from the first instruction to the last page. Every step is in
 * ms_main, in order; ms_tidy does the end.
 */
#include <string.h>

#include <sodium/crypto_scalarmult_curve25519.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>

#include "cmdline.h"
#include "entropy.h"
#include "fault.h"
#include "home.h"
#include "net/connection.h"
#include "net/stack.h"
#include "port/libc.h"
#include "port/sodium.h"
#include "ram.h"
#include "receiver.h"
#include "session.h"
#include "state.h"
#include "text.h"
#include "tidy.h"
#include "xen/clock.h"
#include "xen/console.h"
#include "xen/hypercall.h"
#include "xen/xenstore.h"

#define KEY_NODE         "data/mstrap/key"
#define OWN_NODE         "data/mstrap/own"
#define ADDRESS_NODE     "data/mstrap/address"
#define SESSION_NODE     "mstrap/session"
#define PROGRESS_MS      1000
#define FLUSH_TIMEOUT_MS 200

static char command_line[512];
static struct ms_ram ram;
static struct ms_home home;
static struct ms_session session;
static uint8_t secret_key[MEXT_KEY_LEN], public_key[MEXT_KEY_LEN];

static void fail(unsigned reason, const char *format, va_list args)
{
    char text[160];

    /* Once only: not while that is being reported, nor when tidy. */
    if (mext_rcv_event(&session.state, MEXT_RCV_EV_FAILED))
        ms_spin();
    ms_vformat(text, sizeof(text), format, args);
    ms_print("failed: %s", text);
    ms_connections_error((uint16_t)reason, text);
    ms_connections_abort();
    ms_state_tell(session.state, text);
}

_Noreturn void ms_fail_as(unsigned reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(reason, format, args);
    ms_spin();
}

_Noreturn void ms_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(MEXT_E_INTERNAL, format, args);
    ms_spin();
}

/* All that is needed of the start info: it is in memory that is given up. */
static void read_start_info(uint64_t address)
{
    const char *direct = (char *)MS_DIRECT_BASE;
    const struct hvm_start_info *info = (void *)(direct + address);
    const struct hvm_memmap_table_entry *map;

    if (info->magic != XEN_HVM_START_MAGIC_VALUE || info->version < 1)
        ms_fail("start info not understood");
    if (info->cmdline_paddr)
        ms_format(command_line, sizeof(command_line), "%s",
                  direct + info->cmdline_paddr);
    map = (void *)(direct + info->memmap_paddr);
    for (unsigned i = 0; i < info->memmap_entries; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
            ms_ram_add(&ram, map[i].addr, map[i].size);
}

static void write_or_fail(const char *path, const char *value)
{
    if (!ms_xs_write(path, value))
        ms_fail("cannot write %s", path);
}

static void tell(enum mext_rcv state)
{
    if (!ms_state_tell(state, ""))
        ms_fail("cannot tell that it is %s", mext_rcv_name(state));
}

static void make_key(void)
{
    static const uint8_t base_point[MEXT_KEY_LEN] = { 9 };
    char text[2 * MEXT_KEY_LEN + 1];

    ms_random(secret_key, sizeof(secret_key));
    if (crypto_scalarmult_curve25519(public_key, secret_key, base_point))
        ms_fail("cannot make a key");
    ms_hex_encode(text, public_key, sizeof(public_key));
    write_or_fail(KEY_NODE, text);
}

static void advertise(const struct ms_config *config)
{
    char text[40];
    uint32_t a = config->address;

    ms_format(text, sizeof(text), "%u.%u.%u.%u %u", a >> 24, a >> 16 & 255,
              a >> 8 & 255, a & 255, config->port);
    write_or_fail(ADDRESS_NODE, text);

    ms_format(text, sizeof(text), "%lx %lx", home.first_gfn, home.pages);
    write_or_fail(OWN_NODE, text);
    if (!ms_xs_watch(SESSION_NODE))
        ms_fail("cannot watch %s", SESSION_NODE);
    mext_rcv_event(&session.state, MEXT_RCV_EV_LISTENING);
    tell(MEXT_RCV_WAITING);
}

/* The session node, once it is there. */
static void look_for_invitation(void)
{
    struct ms_invitation invitation;
    char line[160];

    if (ms_xs_read(SESSION_NODE, line, sizeof(line)) <= 0)
        return;
    if (!ms_invitation_parse(line, &invitation))
        ms_fail("%s is malformed", SESSION_NODE);
    if (!ms_session_invite(&session, &invitation, secret_key, public_key))
        ms_fail("the source's key is not acceptable");
    mext_wipe(secret_key, sizeof(secret_key));
    ms_connections_invited();
}

static void report_progress(void)
{
    static uint64_t next, last;
    struct ms_counts counts = ms_session_counts(&session);
    uint64_t now = ms_now_ms();

    if (now < next || counts.data == last)
        return;
    ms_print("%lu pages, %lu of them zero", counts.data + counts.zero,
             counts.zero);
    last = counts.data;
    next = now + PROGRESS_MS;
}

/* The session is lost: the source hears why, as far as it listens. */
static void give_up_if_lost(void)
{
    unsigned reason;
    const char *text = ms_connections_failure(&reason);

    if (!text)
        return;
    ms_connections_error((uint16_t)reason, text);
    ms_stack_flush(FLUSH_TIMEOUT_MS);
    ms_connections_abort();
    ms_fail_as(reason, "%s", text);
}

_Noreturn static void serve(void)
{
    bool told = false;

    for (;;) {
        bool any = ms_stack_work();

        give_up_if_lost();
        if (session.state < MEXT_RCV_RECEIVING)
            ms_stack_announce();
        if (ms_xs_changed() && session.state == MEXT_RCV_WAITING)
            look_for_invitation();
        if (session.state >= MEXT_RCV_RECEIVING && !told) {
            ms_print("receiving");
            tell(MEXT_RCV_RECEIVING);
            told = true;
        }
        if (session.state == MEXT_RCV_COMPLETE)
            ms_tidy(&session);
        if (told)
            report_progress();
        if (any)
            continue;
        ms_connections_expire();
        ms_stack_sleep();
    }
}

_Noreturn void ms_main(uint64_t start_info);
__attribute__((no_stack_protector)) void ms_main(uint64_t start_info)
{
    uint64_t start = ms_tsc();
    struct ms_config config;
    const char *complaint;

    ms_hypercall_init();
    ms_console_init();
    ms_xs_init();
    read_start_info(start_info);
    ms_home_move(&ram, &home);
    ms_fault_init();
    ms_print("own memory %lu pages, guest's %lu", home.pages, ram.pages);

    complaint = ms_cmdline_parse(command_line, &config);
    if (complaint)
        ms_fail("%s", complaint);
    ms_sodium_init(ms_page(ram.range[0].first));
    if (!ms_entropy_init())
        ms_fail("no entropy");
    ms_canary_init();
    ms_receiver_init(&ram, home.gfn_limit);
    ms_session_init(&session);
    ms_connections_init(&session);
    make_key();
    ms_stack_start(&config);
    advertise(&config);
    ms_print("waiting on port %u, ready after %lu ms", config.port,
             (ms_now_ns() - ms_ns_at(start)) / 1000000);
    serve();
}
