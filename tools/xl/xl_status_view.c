/* SPDX-License-Identifier: LGPL-2.1-only */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include <yajl/yajl_gen.h>

#include "mext_text.h"
#include "xl_status_view.h"

#define ID_SHORT 8 /* hex digits */

static void id_text(const struct xl_seen *m, char out[2 * MEXT_ID_LEN + 1])
{
    sodium_bin2hex(out, 2 * MEXT_ID_LEN + 1, m->e.id, MEXT_ID_LEN);
}

static const char *state_of(const struct xl_seen *m)
{
    return m->live ? m->now.state : mext_noted_name(m->e.noted);
}

void xl_view_todo(const struct xl_seen *m, char out[80])
{
    char id[2 * MEXT_ID_LEN + 1];

    out[0] = 0;
    if (m->alive || mext_noted_final(m->e.noted))
        return;
    id_text(m, id);
    if (m->e.side == MEXT_SIDE_SOURCE)
        snprintf(out, 80, "xl migrate-resolve %.*s", ID_SHORT, id);
    else
        snprintf(out, 80, "start packetd: it goes on with it");
}

/* ---- text ---- */

/* "3 min ago" */
static void ago(uint64_t then, uint64_t now, char out[32])
{
    uint64_t s = now > then ? now - then : 0;

    if (s < 60)
        snprintf(out, 32, "%" PRIu64 " s ago", s);
    else if (s < 3600)
        snprintf(out, 32, "%" PRIu64 " min ago", s / 60);
    else if (s < 2 * 86400)
        snprintf(out, 32, "%" PRIu64 " h ago", s / 3600);
    else
        snprintf(out, 32, "%" PRIu64 " d ago", s / 86400);
}

static void put_pages(FILE *f, const struct mext_monitor_line *l)
{
    fprintf(f, "iteration %" PRIu64, l->iteration);
    if (l->of)
        fprintf(f, ", %u %%",
                l->sent < l->of
                    ? (unsigned)((double)l->sent * 100 / (double)l->of)
                    : 100);
    fprintf(f, ", %" PRIu64 " pages/s", l->pages_per_s);
}

void xl_view_progress(FILE *f, const struct mext_monitor_line *l)
{
    fputs(l->state, f);
    if (l->last) {
        fprintf(f, "%s%s", l->text[0] ? ": " : "", l->text);
        return;
    }
    if (l->step[0])
        fprintf(f, ": %s", l->step);
    if (l->iteration) {
        fputs(", ", f);
        put_pages(f, l);
    }
}

static void put_row(FILE *f, const struct xl_seen *m, uint64_t now)
{
    char id[2 * MEXT_ID_LEN + 1], name[MEXT_ENTRY_NAME_MAX + 1];
    char host[MEXT_ENTRY_HOST_MAX + 1], when[32], todo[80];

    id_text(m, id);
    mext_show(m->e.name, strlen(m->e.name), name, sizeof(name));
    mext_show(m->e.host, strlen(m->e.host), host, sizeof(host));
    ago(m->alive ? m->e.begun : m->e.changed, now, when);
    xl_view_todo(m, todo);
    fprintf(f, "%.*s  %-4s  %-20s  %-24s  %-10s  %s", ID_SHORT, id,
            mext_side_name(m->e.side), name, host, state_of(m), when);
    if (m->live && m->now.iteration) {
        fputs("  ", f);
        put_pages(f, &m->now);
    }
    fprintf(f, "%s%s\n", todo[0] ? "  " : "", todo);
}

void xl_view_table(FILE *f, const struct xl_seen *m, size_t n, uint64_t now)
{
    if (!n)
        return;
    fprintf(f, "%-8s  %-4s  %-20s  %-24s  %-10s  %s\n", "ID", "SIDE", "GUEST",
            "OTHER HOST", "STATE", "WHEN");
    for (; n; n--, m++)
        put_row(f, m, now);
}

static void put_time(FILE *f, const char *label, uint64_t t, uint64_t now)
{
    time_t s = (time_t)t;
    struct tm tm;
    char text[32] = "?", when[32];

    if (gmtime_r(&s, &tm))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
    ago(t, now, when);
    fprintf(f, "%-10s %s (%s)\n", label, text, when);
}

static void put_line(FILE *f, const char *label, const char *text)
{
    char clean[MEXT_TEXT_MAX + 1];

    mext_show(text, strlen(text), clean, sizeof(clean));
    if (clean[0])
        fprintf(f, "%-10s %s\n", label, clean);
}

static void put_live(FILE *f, const struct mext_monitor_line *l)
{
    put_line(f, "step", l->step);
    if (!l->iteration)
        return;
    fprintf(f, "%-10s ", "progress");
    put_pages(f, l);
    fprintf(f,
            ", %" PRIu64 " of %" PRIu64 " pages, %" PRIu64 " MiB sent in all\n",
            l->sent, l->of, l->wire_bytes >> 20);
}

void xl_view_one(FILE *f, const struct xl_seen *m, uint64_t now)
{
    char id[2 * MEXT_ID_LEN + 1], key[MEXT_FINGERPRINT_LEN], todo[80];

    id_text(m, id);
    put_line(f, "migration", id);
    put_line(f, "guest", m->e.name);
    if (m->e.domid)
        fprintf(f, "%-10s %" PRIu32 "\n", "domain", m->e.domid);
    put_line(f, m->e.side == MEXT_SIDE_SOURCE ? "to" : "from", m->e.host);
    put_line(f, "state", state_of(m));
    if (m->live)
        put_live(f, &m->now);
    put_line(f, "reason", m->e.text);
    put_time(f, "begun", m->e.begun, now);
    put_time(f, "changed", m->e.changed, now);
    mext_fingerprint(m->e.ours, key);
    put_line(f, "own key", key);
    mext_fingerprint(m->e.theirs, key);
    put_line(f, "its key", key);
    xl_view_todo(m, todo);
    put_line(f, "to do", todo);
}

/* ---- JSON ---- */

static void put_key(yajl_gen g, const char *key)
{
    yajl_gen_string(g, (const unsigned char *)key, strlen(key));
}

static void json_text(yajl_gen g, const char *key, const char *text)
{
    char clean[MEXT_TEXT_MAX + 1];

    mext_show(text, strlen(text), clean, sizeof(clean));
    put_key(g, key);
    put_key(g, clean);
}

static void json_number(yajl_gen g, const char *key, uint64_t n)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, n);
    put_key(g, key);
    yajl_gen_number(g, digits, strlen(digits));
}

static void json_bool(yajl_gen g, const char *key, bool b)
{
    put_key(g, key);
    yajl_gen_bool(g, b);
}

static void json_hex(yajl_gen g, const char *key, const uint8_t *p, size_t n)
{
    char hex[2 * MEXT_KEY_LEN + 1];

    sodium_bin2hex(hex, sizeof(hex), p, n);
    json_text(g, key, hex);
}

static void json_live(yajl_gen g, const struct mext_monitor_line *l)
{
    put_key(g, "live");
    yajl_gen_map_open(g);
    json_text(g, "step", l->step);
    json_number(g, "iteration", l->iteration);
    json_number(g, "sent", l->sent);
    json_number(g, "of", l->of);
    json_number(g, "wire_bytes", l->wire_bytes);
    json_number(g, "pages_per_s", l->pages_per_s);
    json_number(g, "seconds", l->seconds);
    yajl_gen_map_close(g);
}

static void json_one(yajl_gen g, const struct xl_seen *m)
{
    char key[MEXT_FINGERPRINT_LEN], todo[80];

    yajl_gen_map_open(g);
    json_hex(g, "id", m->e.id, MEXT_ID_LEN);
    json_text(g, "side", mext_side_name(m->e.side));
    json_text(g, "guest", m->e.name);
    json_text(g, "peer", m->e.host);
    json_text(g, "state", state_of(m));
    json_bool(g, "final", mext_noted_final(m->e.noted));
    json_bool(g, "alive", m->alive);
    json_text(g, "text", m->e.text);
    json_number(g, "begun", m->e.begun);
    json_number(g, "changed", m->e.changed);
    json_number(g, "domid", m->e.domid);
    json_hex(g, "uuid", m->e.uuid, MEXT_UUID_LEN);
    json_hex(g, "boot", m->e.boot, MEXT_BOOT_LEN);
    mext_fingerprint(m->e.ours, key);
    json_text(g, "own_key", key);
    mext_fingerprint(m->e.theirs, key);
    json_text(g, "peer_key", key);
    xl_view_todo(m, todo);
    json_text(g, "to_do", todo);
    if (m->live)
        json_live(g, &m->now);
    yajl_gen_map_close(g);
}

static yajl_gen json_begin(void)
{
    yajl_gen g = yajl_gen_alloc(NULL);

    yajl_gen_config(g, yajl_gen_beautify, 1);
    return g;
}

static void json_end(yajl_gen g, FILE *f)
{
    const unsigned char *text;
    size_t len;

    yajl_gen_get_buf(g, &text, &len);
    fwrite(text, 1, len, f);
    yajl_gen_free(g);
}

void xl_view_json(FILE *f, const struct xl_seen *m, size_t n)
{
    yajl_gen g = json_begin();

    yajl_gen_array_open(g);
    for (; n; n--, m++)
        json_one(g, m);
    yajl_gen_array_close(g);
    json_end(g, f);
}

static void copy_text(const char *text, char *out, size_t max)
{
    mext_show(text, strlen(text), out, max);
}

void xl_view_last(FILE *f, const struct xl_seen *m)
{
    struct mext_monitor_line l = {
        .last = true,
        .seconds = m->e.changed > m->e.begun ? m->e.changed - m->e.begun : 0,
    };
    char line[MEXT_MONITOR_LINE_MAX];

    sodium_bin2hex(l.id, sizeof(l.id), m->e.id, MEXT_ID_LEN);
    copy_text(mext_side_name(m->e.side), l.side, sizeof(l.side));
    copy_text(m->e.name, l.guest, sizeof(l.guest));
    copy_text(m->e.host, l.peer, sizeof(l.peer));
    copy_text(state_of(m), l.state, sizeof(l.state));
    copy_text(m->e.text, l.text, sizeof(l.text));
    fwrite(line, 1, mext_monitor_text(&l, line), f);
}

void xl_view_cancel(FILE *f, const struct xl_seen *m, bool cancelled,
                    const struct mext_monitor_line *l)
{
    yajl_gen g = json_begin();

    yajl_gen_map_open(g);
    json_hex(g, "id", m->e.id, MEXT_ID_LEN);
    json_bool(g, "cancelled", cancelled);
    json_text(g, "state", l->state);
    json_text(g, "text", l->text);
    yajl_gen_map_close(g);
    json_end(g, f);
}
