/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "xl_stream.h"
#include "xl_stream_run.h"

#define EXIT_USAGE 2

const char xl_stream_help[] =
    " migrate-stream         Looks at saved guests and migration streams\n";

static const char usage[] =
    "Usage: xl migrate-stream inspect [--json] [--all] FILE\n"
    "       xl migrate-stream verify [--json] [--all] FILE\n"
    "       xl migrate-stream strip [--json] [--zeroed] FILE NEW\n"
    "       xl migrate-stream diff [--json] [--all] FILE FILE\n"
    "       xl migrate-stream convert --to qemu|xen [--accel kvm|tcg] [--json]\n"
    "                         [--accept NAME[,NAME]...] FILE NEW\n"
    "\n"
    "Reads what xl save and xl migrate write (xl's, libxl's and libxc's formats)\n"
    "and QEMU's migration streams, never a guest. \"-\" is standard input.\n"
    "\n"
    "  inspect   what it consists of\n"
    "  verify    whether each rule of docs/specs/streams.md is kept\n"
    "  strip     writes a NEW file that xl restore takes for the same guest,\n"
    "            without what it does not need\n"
    "  diff      what differs: configuration, records, state, pages\n"
    "  convert   writes a NEW file of an HVM guest for the other one\n"
    "\n"
    "  --all     each record, each violation, each range of pages\n"
    "  --json    as JSON\n"
    "  --zeroed  all-zero pages are left out too: only for a Xen that gives\n"
    "            zeroed pages to a new guest, which is not promised\n"
    "  --accel   what QEMU will run it with, or did: kvm if not named\n"
    "  --accept  goes on without what cannot be carried and has this name\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 done, kept, the same; 1 not so, or the file cannot be read;\n"
    "2 usage.\n";

/* ---- files ---- */

int xl_file_open(const struct xl_stream *x, const char *name,
                 struct xl_file *f_r)
{
    struct mext_why why;

    f_r->name = name;
    f_r->at = 0;
    f_r->fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC)
                                : dup(STDIN_FILENO);
    if (f_r->fd < 0) {
        fprintf(x->err, "xl: %s: %s\n", name, strerror(errno));
        return -1;
    }
    if (mext_saved_open(f_r->fd, &f_r->in, &why)) {
        fprintf(x->err, "xl: %s: %s\n", name, why.text);
        close(f_r->fd);
        return -1;
    }
    posix_fadvise(f_r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

void xl_file_close(struct xl_file *f)
{
    mext_saved_close_in(f->in);
    close(f->fd);
}

int xl_file_rewind(const struct xl_stream *x, struct xl_file *f)
{
    f->at = 0;
    if (!mext_saved_rewind(f->in))
        return 0;
    fprintf(x->err, "xl: %s: it is read twice, so it has to be a file\n",
            f->name);
    return -1;
}

int xl_file_check(const struct xl_stream *x, struct xl_file *f)
{
    struct mext_why why;

    if (mext_saved_kind(f->in) == MEXT_SAVED_STOCK)
        return 0;
    f->at = 0;
    if (!mext_saved_check(f->in, NULL, NULL, &why))
        return 0;
    fprintf(x->err, "xl: %s: %s\n", f->name, why.text);
    return -1;
}

static ptrdiff_t read_file(void *arg, uint64_t at, void *buf, size_t n)
{
    struct xl_file *f = arg;
    ptrdiff_t got;

    /* EINVAL: no file can be so long. */
    if (at != f->at && mext_saved_seek(f->in, at))
        return errno == EINVAL ? 0 : -1;
    got = mext_saved_read(f->in, buf, n);
    f->at = at + (got > 0 ? (uint64_t)got : 0);
    return got;
}

int xl_file_walk(const struct xl_stream *x, struct xl_file *f,
                 const struct stream_events *events, void *arg,
                 struct stream **s_r)
{
    struct stream *s = stream_open(read_file, f, events, arg);
    int rc = s ? stream_walk(s) : -1;

    if (rc < 0)
        fprintf(x->err, "xl: %s: %s\n", f->name,
                errno == ESPIPE ? "mapped-ram is not read from its first byte "
                                  "to its last, so it has to be a file"
                                : strerror(errno));
    if (s_r)
        *s_r = rc < 0 ? NULL : s;
    if (!s_r || rc < 0)
        stream_close(s);
    return rc;
}

void xl_stream_say(FILE *f, const char *name, const struct stream_broken *b)
{
    fprintf(f, "%s: offset %" PRIu64 ": ", name, b->at);
    if (b->rec)
        fprintf(f, "%s %s: ", stream_layer_name(b->rec->layer), b->rec->name);
    fprintf(f, "%s: %s: %s\n", stream_rule_name(b->rule),
            stream_rule_text(b->rule), b->text);
}

/* ---- the word ---- */

static const struct word {
    const char *name;
    int files;
    bool json, all, zeroed, to; /* options that it has */
    int (*run)(const struct xl_stream *x);
} words[] = {
    { "inspect", 1, true, true, false, false, xl_stream_inspect },
    { "verify", 1, true, true, false, false, xl_stream_verify },
    { "strip", 2, true, false, true, false, xl_stream_strip },
    { "diff", 2, true, true, false, false, xl_stream_diff },
    { "convert", 2, true, false, false, true, xl_stream_convert },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static const struct word *find_word(const char *name)
{
    for (size_t i = 0; i < WORDS; i++)
        if (!strcmp(words[i].name, name))
            return &words[i];
    return NULL;
}

static int wrong(const struct xl_stream *x, const char *text)
{
    fprintf(x->err, "xl migrate-stream: %s\n%s", text, usage);
    return EXIT_USAGE;
}

/* -1: the option has no such value. */
static int choose(struct xl_stream *x, int option, const char *value)
{
    const char *no = option == 't' ? "qemu" : "kvm";
    const char *yes = option == 't' ? "xen" : "tcg";

    if (strcmp(value, no) && strcmp(value, yes))
        return -1;
    if (option == 't') {
        x->to = true;
        x->xen = !strcmp(value, yes);
    } else {
        x->accel = true;
        x->tcg = !strcmp(value, yes);
    }
    return 0;
}

/* 0: options are taken; else the exit status plus one. */
static int options(struct xl_stream *x, int argc, char **argv)
{
    static const struct option list[] = {
        { "json", no_argument, NULL, 'j' },
        { "all", no_argument, NULL, 'a' },
        { "zeroed", no_argument, NULL, 'z' },
        { "to", required_argument, NULL, 't' },
        { "accel", required_argument, NULL, 'l' },
        { "accept", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", list, NULL)) != -1)
        switch (c) {
        case 'j':
            x->json = true;
            break;
        case 'a':
            x->all = true;
            break;
        case 'z':
            x->zeroed = true;
            break;
        case 't':
        case 'l':
            if (choose(x, c, optarg))
                return wrong(x, "there is no such choice") + 1;
            break;
        case 'c':
            x->accept = optarg;
            break;
        case 'h':
            fputs(usage, x->out);
            return 1;
        default:
            return wrong(x, "there is no such option") + 1;
        }
    return 0;
}

int xl_stream_run(FILE *out, FILE *err, int argc, char **argv)
{
    struct xl_stream x = { .out = out, .err = err };
    const struct word *w;
    int rc = options(&x, argc, argv);

    if (rc)
        return rc - 1;
    w = optind < argc ? find_word(argv[optind]) : NULL;
    if (!w)
        return wrong(&x,
                     "inspect, verify, strip, diff or convert is to be named");
    if (argc - optind - 1 != w->files)
        return wrong(&x, w->files == 1 ? "one FILE is to be named"
                                       : "two files are to be named");
    if (w->to && !x.to)
        return wrong(&x, "--to is to be named");
    if ((x.json && !w->json) || (x.all && !w->all) ||
        (x.zeroed && !w->zeroed) || (x.to && !w->to) ||
        ((x.accel || x.accept) && !w->to))
        return wrong(&x, "it has no such option");
    for (int i = 0; i < w->files; i++)
        x.name[i] = argv[optind + 1 + i];
    if (w->files == 2 && !strcmp(x.name[1], "-") &&
        (w->run != xl_stream_diff || !strcmp(x.name[0], "-")))
        return wrong(&x, w->run == xl_stream_diff
                             ? "only one of both can be standard input"
                             : "NEW is a file, which is read again");
    rc = w->run(&x);
    if (!fflush(out) && !ferror(out))
        return rc;
    fprintf(err, "xl: the output cannot be written: %s\n", strerror(errno));
    return 1;
}
