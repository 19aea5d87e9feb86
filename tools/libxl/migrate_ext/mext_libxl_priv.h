/* SPDX-License-Identifier: LGPL-2.1-only */
/* Between the two files that know libxl; what others see is mext_libxl.h. */
#ifndef MEXT_LIBXL_PRIV_H
#define MEXT_LIBXL_PRIV_H

#include <libxl.h>
#include <libxl_utils.h>
#include <xentoollog.h>

#include "mext_libxl.h"

struct mext_lxl {
    xentoollog_logger_stdiostream *log;
    libxl_ctx *ctx;
};

/* "pvh", "hvm", "pv", "unknown" */
const char *mext_lxl_type(libxl_domain_type t);
/* A configuration that says nothing means one. */
unsigned mext_lxl_vcpus(const libxl_domain_config *c);
/* The first device kind that cannot live on elsewhere, in words, or NULL. */
const char *mext_lxl_obstacle(const libxl_domain_config *c);

/* ---- of mext_libxl_receive.c, for the other file that makes domains ---- */

/*
 * Memory and vCPUs are the token's, and there is no device that cannot move;
 * MEXT_E_CONFIG.
 */
int mext_lxl_config_check(const libxl_domain_config *c,
                          const struct mext_launch *how, struct mext_why *why);
typedef int mext_lxl_check_fn(const libxl_domain_config *c,
                              const struct mext_launch *how,
                              struct mext_why *why);
/* The source's configuration, checked; what is wrong is code_r's MEXT_E_*. */
int mext_lxl_read(struct mext_lxl *l, const struct mext_launch *how,
                  mext_lxl_check_fn *check, libxl_domain_config *c,
                  unsigned *code_r, struct mext_why *why);
/*
 * What decides which program runs in dom0 for the guest is not taken over from
 * a source at all: device model and boot loader are this host's own.
 */
void mext_lxl_config_filter(libxl_domain_config *c);
/* The guest's name gets the suffix; its uuid stays unless it is in use here. */
void mext_lxl_config_incoming(libxl_ctx *ctx, libxl_domain_config *c);
int mext_lxl_name_check(struct mext_lxl *l, const libxl_domain_config *c,
                        struct mext_why *why);
/* Enough free memory for the domain?  -1 and why if certainly not. */
int mext_lxl_memory_check(struct mext_lxl *l, libxl_domain_config *c,
                          struct mext_why *why);
/*
 * Disks and bridges that can be seen to be missing here, before scripts fail for it;
 * -1 and why names the first.
 */
int mext_lxl_devices_here(const libxl_domain_config *c, struct mext_why *why);
void mext_lxl_set_string(char **where, const char *value);

#endif
