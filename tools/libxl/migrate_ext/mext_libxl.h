/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All that is asked of libxl.  mext_libxl.c is what source and destination need of
 * a domain: its configuration, name, state, end; mext_libxl_receive.c is packetd's,
 * and not linked into xl: domains that receive, and what they do when they stop;
 * and so is mext_libxl_restore.c: guests that come as a stock stream.
 *
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_LIBXL_H
#define MEXT_LIBXL_H

#include "mext_keys.h"

/* A domain that is not the guest yet has the guest's name and this. */
#define MEXT_INCOMING_SUFFIX "--incoming"

struct mext_lxl;

/* verbosity: 0 errors only, 1 also warnings, 2 and more libxl's own detail. */
int mext_lxl_open(unsigned verbosity, struct mext_lxl **l_r,
                  struct mext_why *why);
void mext_lxl_close(struct mext_lxl *l);

/* Domain by name or number; why says what to do if there is none. */
int mext_lxl_find(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                  struct mext_why *why);

/* What the sender needs to know of a guest. */
struct mext_guest {
    char *name;           /* owned, mext_guest_free */
    char *json;           /* libxl_domain_config, owned */
    const char *type;     /* "pvh", "hvm", "pv", "unknown" */
    uint64_t max_kib;     /* RAM as built */
    uint64_t target_kib;  /* what it is asked to use now */
    unsigned vcpus;       /* as built */
    bool live;            /* Xen can log what it writes, so it need not stop */
    const char *obstacle; /* what cannot be moved, NULL if nothing */
};
int mext_lxl_guest(struct mext_lxl *l, uint32_t domid, struct mext_guest *g_r,
                   struct mext_why *why);
void mext_guest_free(struct mext_guest *g);
/* 0: it still has the disks and network cards that json knows; -1 and why. */
int mext_lxl_unchanged(struct mext_lxl *l, uint32_t domid, const char *json,
                       struct mext_why *why);

/*
 * *json becomes what libxl makes of it: every field that it would act on and
 * nothing else (malloc'ed, as it was).  -1 leaves it.
 */
int mext_lxl_canonical(struct mext_lxl *l, char **json, struct mext_why *why);

/* A domain as it is now. */
struct mext_domain_now {
    uint8_t uuid[16];
    bool paused, stopped, suspended; /* suspended: by its own handshake */
    char name[256];
};
/* 1: there is none, or it is going; -1: Xen did not say. No word with either. */
int mext_lxl_now(struct mext_lxl *l, uint32_t domid,
                 struct mext_domain_now *n_r);

/* Xen's version, CPUs and free memory, in words. */
void mext_lxl_facts(struct mext_lxl *l, char out[128]);

/* Lets a suspended guest go on as if nothing had happened. */
int mext_lxl_resume(struct mext_lxl *l, uint32_t domid, struct mext_why *why);
int mext_lxl_rename(struct mext_lxl *l, uint32_t domid, const char *name,
                    struct mext_why *why);
int mext_lxl_destroy(struct mext_lxl *l, uint32_t domid, struct mext_why *why);
/* Lets a paused domain run, and its device model if it has one. */
int mext_lxl_unpause(struct mext_lxl *l, uint32_t domid, struct mext_why *why);

/*
 * Writes the domain as a stock stream to fd, without xl's header, until it is
 * suspended and all is written; live: while it runs, else suspended at once.
 * Takes as long as it takes; it ends, with -1, when nobody reads fd any more.
 * After -1 the domain may be suspended.
 */
int mext_lxl_save(struct mext_lxl *l, uint32_t domid, bool live, int fd,
                  struct mext_why *why);

/*
 * The cap of Xen's scheduler: per cent of one CPU that the domain's vCPUs get
 * together at most, 0: no cap.
 */
int mext_lxl_cap(struct mext_lxl *l, uint32_t domid, unsigned *cap_r,
                 struct mext_why *why);
int mext_lxl_set_cap(struct mext_lxl *l, uint32_t domid, unsigned cap,
                     struct mext_why *why);

/* How a receiving domain is to be built. */
struct mext_launch {
    const char *json;       /* guest's configuration, with NUL */
    const char *image;      /* path of mstrap.elf */
    const char *bridge;     /* of the migration vif */
    const char *vif_script; /* libxl's for it; NULL: it just joins the bridge */
    const char *cmdline;    /* mstrap's words */
    uint64_t memory_kib;    /* must be what the configuration says */
    unsigned vcpus;
};

/*
 * Tells what libxl would meet if it made the domain: type and devices, name,
 * memory, disks, bridges, what a reboot needs.  Nothing is made.
 */
void mext_lxl_look(struct mext_lxl *l, const struct mext_launch *how,
                   mext_finding_fn *fn, void *arg);
/* The device model that libxl starts for HVM guests, its version; false: none. */
bool mext_lxl_device_model(char out[128]);
/* Linux has a bridge of this name. */
bool mext_lxl_bridge_here(const char *name);

/*
 * Creates the domain paused, named NAME--incoming, with all the guest's
 * devices and a migration vif.  On failure *code_r is the MEXT_E_* for the
 * source and nothing is left behind.
 */
struct mext_launched {
    uint32_t domid;
    uint8_t uuid[16];
    int vif;             /* index of the migration vif */
    char *name;          /* guest's own name, malloc'ed */
    uint64_t memory_kib; /* of a restore: what the guest has now */
};
int mext_lxl_launch(struct mext_lxl *l, const struct mext_launch *how,
                    struct mext_launched *r_r, unsigned *code_r,
                    struct mext_why *why);

/*
 * A waiting mstrap that somebody started by hand takes the place of a launched
 * domain: checked against the guest's configuration, its limits raised, the
 * guest's disks attached.  Its own vif stays until mext_lxl_vifs_replace.
 */
int mext_lxl_adopt(struct mext_lxl *l, uint32_t domid,
                   const struct mext_launch *how, struct mext_launched *r_r,
                   unsigned *code_r, struct mext_why *why);

/* Path of a domain's kernel, malloc'ed; NULL if libxl does not know it. */
char *mext_lxl_kernel(struct mext_lxl *l, uint32_t domid);

/* Removes vif `old` (frontend closed) and attaches the guest's vifs. */
int mext_lxl_vifs_replace(struct mext_lxl *l, uint32_t domid, int old,
                          const char *json, struct mext_why *why);

/* Calls fn for each domain but 0, until it returns true; that domid, or 0. */
typedef bool mext_domain_fn(void *arg, uint32_t domid);
uint32_t mext_lxl_each(struct mext_lxl *l, mext_domain_fn *fn, void *arg);

/* Starts an mstrap with memory and vCPUs of its own choice; waits for none. */
int mext_lxl_launch_bare(struct mext_lxl *l, const char *name,
                         const struct mext_launch *how, uint32_t *domid_r,
                         unsigned *code_r, struct mext_why *why);

/*
 * Can a guest come in as a stock stream?  Of how, json, memory_kib and vcpus
 * are used.  On success uuid and name of *r_r are those that the domain will
 * have, the name without the suffix.
 */
int mext_lxl_restore_check(struct mext_lxl *l, const struct mext_launch *how,
                           struct mext_launched *r_r, unsigned *code_r,
                           struct mext_why *why);

/*
 * Makes the domain of the stream that comes from fd, without xl's header:
 * paused, named NAME--incoming, with the guest's devices.  Takes as long as the
 * stream; on failure, which its end is too, nothing is left behind.  Runs in a
 * process of its own (packetd's restore.c).
 */
int mext_lxl_restore(struct mext_lxl *l, const char *json,
                     const uint8_t uuid[16], int fd, uint32_t *domid_r,
                     struct mext_why *why);

/*
 * The domain becomes the guest for the toolstack: the guest's configuration
 * is stored as its own, with its own uuid.  The name is taken at commit, by
 * mext_lxl_rename: on a move within one host the source has it until then.
 */
int mext_lxl_settle(struct mext_lxl *l, uint32_t domid, const char *json,
                    const char *name, struct mext_why *why);

/*
 * Removes the backends of vifs that are not in the configuration stored for the
 * domain: the migration vif, whose frontend nodes are gone already.
 */
void mext_lxl_vifs_strip(struct mext_lxl *l, uint32_t domid);

/* What whoever minds a guest is told, and has to write down for who comes after him. */
struct mext_minding {
    void (*note)(void *arg, const char *text); /* one line for the log */
    /* its domain is about to go, and another to be made as json says */
    void (*anew)(void *arg, const char *json);
    /* its new number: it is paused yet; it runs */
    void (*again)(void *arg, uint32_t domid, bool runs);
    void *arg;
};

/*
 * Stays with a guest and does what its configuration says when it stops, as
 * the daemon of `xl create` would: 0 when the guest is gone or kept, -1 if that
 * cannot be told any more.  For wait_s seconds after a stop somebody else may do
 * it: then it is gone.
 */
int mext_lxl_mind(struct mext_lxl *l, uint32_t domid, unsigned wait_s,
                  const struct mext_minding *how);

/*
 * Goes on where a process died behind `anew`: what is left of the guest's domain, or
 * was made by then, is destroyed, but not one that has run since.  *domid_r: that
 * which the guest has then, 0: none.  -1: Xen does not say what there is.
 */
int mext_lxl_anew(struct mext_lxl *l, const char *json,
                  const struct mext_minding *how, uint32_t *domid_r);

/* A domain of this name: 1; 0: there is none; -1 and why: libxl does not say. */
int mext_lxl_named(struct mext_lxl *l, const char *name, uint32_t *domid_r,
                   struct mext_why *why);

#endif
