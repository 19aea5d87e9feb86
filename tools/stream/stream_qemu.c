/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * QEMU's stream of version 3: docs/devel/migration.rst and migration/savevm.c
 * of QEMU 7.2 and 10.0.  A section does not say how long it is: RAM is parsed, others
 * end at the first footer of their id after which the stream goes on as it
 * may; the description at the end says whether that was right.
 */
#include <stdio.h>

#include "stream_qemu.h"

#define HEAD_LEN   8
#define VERSION_IS 3u
#define FOOTER_LEN 5u
#define LOOK       (FOOTER_LEN + 6 + STREAM_NAME_MAX) /* and what follows */

static bool printable(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    return n;
}

/* ---- configuration ---- */

/* Elements of a length octet and a name; -1: over. */
static int read_word(struct stream *s, char word[STREAM_NAME_MAX + 1])
{
    const uint8_t *p = stream_take(s, 1);
    size_t n;

    if (!p)
        return -1;
    n = *p;
    p = stream_take(s, n);
    if (!p)
        return -1;
    if (!printable(p, n))
        return stream_lost(s, STREAM_R_QEMU_CONFIG, "a name is not printable");
    stream_printable(word, STREAM_NAME_MAX + 1, p, n);
    return 0;
}

static int on_capability(struct stream *s, const char *word)
{
    size_t n = strlen(s->rec.note);

    snprintf(s->rec.note + n, sizeof(s->rec.note) - n, ", %s", word);
    if (!strcmp(word, "x-ignore-shared"))
        s->qemu.ignore_shared = true;
    else if (!strcmp(word, "mapped-ram"))
        s->qemu.mapped = true;
    else if (!strcmp(word, "multifd"))
        return stream_lost(s, STREAM_R_QEMU_MULTIFD, "it is in use");
    else
        return stream_odd(s, STREAM_R_QEMU_CONFIG, "capability %s", word);
    return 0;
}

static int read_capabilities(struct stream *s)
{
    char word[STREAM_NAME_MAX + 1];
    const uint8_t *p = stream_take(s, 4);
    uint32_t n;

    if (!p)
        return -1;
    n = load32be(p);
    if (n > 255)
        return stream_lost(s, STREAM_R_QEMU_CONFIG, "%u capabilities", n);
    while (n--) {
        if (read_word(s, word) || on_capability(s, word))
            return -1;
    }
    return 0;
}

/* After a subsection's octet: its name, version and what it holds. */
static int read_part(struct stream *s)
{
    char word[STREAM_NAME_MAX + 1];

    if (!stream_take(s, 1) || read_word(s, word) || !stream_take(s, 4))
        return -1;
    if (!strcmp(word, "configuration/capabilities"))
        return read_capabilities(s);
    if (!strcmp(word, "configuration/target-page-bits"))
        return stream_skip(s, 4);
    if (!strcmp(word, "configuration/uuid"))
        return stream_skip(s, 16);
    return stream_lost(s, STREAM_R_QEMU_CONFIG, "%s is not known", word);
}

static int read_configuration(struct stream *s)
{
    const uint8_t *p;
    uint32_t n;
    size_t got;

    stream_at_record(s, STREAM_QEMU);
    stream_begin(s, QEMU_CONFIGURATION, "configuration");
    p = stream_take(s, 5);
    if (!p)
        return -1;
    n = load32be(p + 1);
    if (!n || n > STREAM_NAME_MAX)
        return stream_lost(s, STREAM_R_QEMU_CONFIG, "a name of %u bytes", n);
    s->left = n;
    p = stream_body(s, n);
    if (!p)
        return -1;
    stream_printable(s->rec.note, sizeof(s->rec.note), p, n);
    if (!printable(p, n) &&
        stream_odd(s, STREAM_R_QEMU_CONFIG, "machine is %s", s->rec.note))
        return -1;
    for (;;) {
        p = stream_peek(s, 1, &got);
        if (!got || *p != QEMU_SUBSECTION)
            break;
        if (read_part(s))
            return -1;
    }
    stream_end(s);
    return 0;
}

/* ---- sections ---- */

/* Whether an element may begin at p[n]; n is what there is up to LOOK. */
static bool goes_on(const uint8_t *p, size_t n)
{
    if (!n)
        return false;
    switch (*p) {
    case QEMU_EOF:
        return n == 1 || p[1] == QEMU_VMDESCRIPTION;
    case QEMU_START:
    case QEMU_FULL:
        return n > 6 && n >= 6u + p[5] && printable(p + 6, p[5]);
    case QEMU_PART:
    case QEMU_END:
    case QEMU_COMMAND:
        return n >= 5;
    default:
        return false;
    }
}

/* Offset of the first footer that begins in p[limit] of p[n], or limit. */
static size_t find_footer(const uint8_t *p, size_t n, size_t limit, uint32_t id,
                          bool *found_r)
{
    const uint8_t *q = p;

    while ((q = memchr(q, QEMU_FOOTER, limit - (size_t)(q - p)))) {
        size_t rest = n - (size_t)(q - p);

        *found_r = rest > FOOTER_LEN && load32be(q + 1) == id &&
                   goes_on(q + FOOTER_LEN, rest - FOOTER_LEN);
        if (*found_r)
            return (size_t)(q - p);
        q++;
    }
    return limit;
}

/* Up to the footer, which is next then. */
static int read_to_footer(struct stream *s, struct section *sec)
{
    const uint8_t *p;
    bool found = false;
    size_t n, at;

    while (!found) {
        p = stream_window(s, LOOK, &n);
        if (n < FOOTER_LEN + 1)
            return stream_lost(s, STREAM_R_QEMU_FOOTER, "of id %u not found",
                               sec->id);
        /* What may follow a footer is in the window, or the end is. */
        at = find_footer(p, n, n < LOOK ? n : n - LOOK + 1, sec->id, &found);
        sec->body += at;
        s->left = at;
        if (stream_body_skip(s, at))
            return -1;
    }
    return 0;
}

static int read_footer(struct stream *s, const struct section *sec)
{
    const uint8_t *p = stream_take(s, FOOTER_LEN);

    if (!p)
        return -1;
    if (*p != QEMU_FOOTER || load32be(p + 1) != sec->id)
        return stream_lost(s, STREAM_R_QEMU_FOOTER, "%#x of id %u, not %u", *p,
                           load32be(p + 1), sec->id);
    return 0;
}

static struct section *by_id(struct stream *s, uint32_t id)
{
    for (unsigned i = 0; i < s->qemu.nsections; i++)
        if (s->big.section[i].id == id)
            return &s->big.section[i];
    return NULL;
}

static bool name_taken(const struct stream *s, const struct section *sec)
{
    for (unsigned i = 0; i < s->qemu.nsections; i++)
        if (s->big.section[i].instance == sec->instance &&
            !strcmp(s->big.section[i].name, sec->name))
            return true;
    return false;
}

static bool is_ram(const struct section *sec)
{
    return !strcmp(sec->name, "ram");
}

/* START or FULL: type, id, name, instance, version. NULL: over. */
static struct section *new_section(struct stream *s, uint32_t type)
{
    struct section *sec = &s->big.section[s->qemu.nsections];
    const uint8_t *p;
    uint32_t version;
    size_t n, got;
    bool fine;

    p = stream_peek(s, 6 + STREAM_NAME_MAX, &got);
    n = got > 5 ? p[5] : 0;
    fine = got >= 6 + n && printable(p + 6, n);
    stream_name(s, p + 6, got >= 6 + n ? n : 0);
    stream_begin(s, type, NULL);
    if (s->qemu.nsections == STREAM_SECTIONS)
        return stream_lost(s, STREAM_R_QEMU_COUNT, "this is another"), NULL;
    p = stream_take(s, 6 + n + 8);
    if (!p)
        return NULL;
    if (!fine && stream_odd(s, STREAM_R_QEMU_NAME, "it has not"))
        return NULL;
    memset(sec, 0, sizeof(*sec));
    sec->id = load32be(p + 1);
    sec->instance = load32be(p + 6 + n);
    version = load32be(p + 10 + n);
    s->rec.instance = sec->instance;
    s->rec.version = version;
    sec->at = s->rec.at;
    sec->start = sec->open = type == QEMU_START;
    memcpy(sec->name, s->rec.name, sizeof(sec->name));
    stream_note(s, "id %u, instance %u, version %u", sec->id, sec->instance,
                version);
    if (by_id(s, sec->id) &&
        stream_odd(s, STREAM_R_QEMU_ID, "%u is not new", sec->id))
        return NULL;
    if (name_taken(s, sec) &&
        stream_odd(s, STREAM_R_QEMU_TWICE, "%s %u", sec->name, sec->instance))
        return NULL;
    if (is_ram(sec) && (version != 4 || sec->instance) &&
        stream_odd(s, STREAM_R_RAM_VERSION, "version %u, instance %u", version,
                   sec->instance))
        return NULL;
    s->qemu.nsections++;
    return sec;
}

/* PART or END: type and id. NULL: over. */
static struct section *old_section(struct stream *s, uint32_t type)
{
    struct section *sec;
    const uint8_t *p;
    size_t got;
    uint32_t id;

    p = stream_peek(s, 5, &got);
    id = got == 5 ? load32be(p + 1) : 0;
    sec = by_id(s, id);
    stream_begin(s, type, sec ? sec->name : "?");
    if (!stream_take(s, 5))
        return NULL;
    stream_note(s, "id %u", id);
    if (!sec)
        return stream_lost(s, STREAM_R_QEMU_ID, "no section has id %u", id),
               NULL;
    if (!sec->open && stream_odd(s, STREAM_R_QEMU_ID, "%u is not open", id))
        return NULL;
    if (type == QEMU_END)
        sec->open = false;
    return sec;
}

static int read_section(struct stream *s, uint32_t type)
{
    bool new = type == QEMU_START || type == QEMU_FULL;
    struct section *sec;

    stream_at_record(s, STREAM_QEMU);
    sec = new ? new_section(s, type) : old_section(s, type);
    if (!sec)
        return -1;
    if (is_ram(sec) ? stream_read_ram(s, type == QEMU_START)
                    : read_to_footer(s, sec))
        return -1;
    if (read_footer(s, sec))
        return -1;
    stream_end(s);
    return 0;
}

/* Those before post-copy; NULL: another, or not of this length. */
static const char *command_name(unsigned command, unsigned len)
{
    static const struct {
        unsigned command, len;
        const char *name;
    } commands[] = {
        { 1, 0, "OPEN_RETURN_PATH" },
        { 2, 4, "PING" },
        { 11, 0, "SWITCHOVER_START" },
    };

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].command == command && commands[i].len == len)
            return commands[i].name;
    return NULL;
}

static int read_command(struct stream *s)
{
    unsigned command, len;
    const char *name;
    const uint8_t *p;

    stream_at_record(s, STREAM_QEMU);
    stream_begin(s, QEMU_COMMAND, "command");
    p = stream_take(s, 5);
    if (!p)
        return -1;
    command = load16be(p + 1);
    len = load16be(p + 3);
    name = command_name(command, len);
    if (name)
        stream_note(s, "%s", name);
    else
        stream_note(s, "%u of %u bytes", command, len);
    if (!name && stream_odd(s, STREAM_R_QEMU_COMMAND, "%s", s->rec.note))
        return -1;
    s->left = len;
    if (stream_body_skip(s, len))
        return -1;
    stream_end(s);
    return 0;
}

/* ---- the end ---- */

static int check_open(struct stream *s)
{
    for (unsigned i = 0; i < s->qemu.nsections; i++)
        if (s->big.section[i].open &&
            stream_odd(s, STREAM_R_QEMU_OPEN, "%s has none",
                       s->big.section[i].name))
            return -1;
    return 0;
}

static int read_description(struct stream *s)
{
    const uint8_t *p;
    uint32_t len;
    size_t n;

    p = stream_peek(s, 1, &n);
    if (!n || *p != QEMU_VMDESCRIPTION)
        return 0;
    stream_at_record(s, STREAM_QEMU);
    stream_begin(s, QEMU_VMDESCRIPTION, "vmdescription");
    p = stream_take(s, 5);
    if (!p)
        return -1;
    len = load32be(p + 1);
    if (len > STREAM_VMDESC_MAX)
        return stream_lost(s, STREAM_R_QEMU_DESC, "it has %u bytes", len);
    s->left = len;
    if (stream_read_vmdesc(s, len))
        return -1;
    stream_end(s);
    return 0;
}

static int read_end(struct stream *s)
{
    stream_at_record(s, STREAM_QEMU);
    stream_begin(s, QEMU_EOF, "EOF");
    if (!stream_take(s, 1) || check_open(s))
        return -1;
    stream_end(s);
    return read_description(s);
}

static int read_header(struct stream *s)
{
    const uint8_t *p;

    stream_at_record(s, STREAM_QEMU);
    stream_begin(s, 0, "header");
    p = stream_take(s, HEAD_LEN);
    if (!p)
        return -1;
    if (load32be(p + 4) != VERSION_IS)
        return stream_lost(s, STREAM_R_QEMU_VERSION, "it is %u",
                           load32be(p + 4));
    stream_note(s, "version %u", VERSION_IS);
    stream_end(s);
    return 0;
}

int stream_read_qemu(struct stream *s)
{
    const uint8_t *p;
    size_t n;
    int rc;

    if (read_header(s))
        return -1;
    p = stream_peek(s, 1, &n);
    if (n && *p == QEMU_CONFIGURATION && read_configuration(s))
        return -1;
    for (;;) {
        p = stream_peek(s, 1, &n);
        if (n && *p == QEMU_EOF)
            return read_end(s);
        if (n && *p >= QEMU_START && *p <= QEMU_FULL)
            rc = read_section(s, *p);
        else if (n && *p == QEMU_COMMAND)
            rc = read_command(s);
        else if (n)
            return stream_lost(s, STREAM_R_QEMU_ELEMENT, "%#x is not", *p);
        else
            return stream_take(s, 1) ? 0 : -1; /* tells that it ends here */
        if (rc)
            return -1;
    }
}
