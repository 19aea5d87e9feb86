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

#endif
