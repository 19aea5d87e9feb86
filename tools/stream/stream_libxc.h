/* SPDX-License-Identifier: LGPL-2.1-only */
/* Types of libxc's records: tools/libs/guest/xg_sr_stream_format.h. */
#ifndef STREAM_LIBXC_H
#define STREAM_LIBXC_H

#include "stream_priv.h"

enum {
    XC_END,
    XC_PAGE_DATA,
    XC_PV_INFO,
    XC_P2M_FRAMES,
    XC_VCPU_BASIC,
    XC_VCPU_EXTENDED,
    XC_VCPU_XSAVE,
    XC_SHARED_INFO,
    XC_TSC,
    XC_HVM_CONTEXT,
    XC_HVM_PARAMS,
    XC_TOOLSTACK,
    XC_VCPU_MSRS,
    XC_VERIFY,
    XC_CHECKPOINT,
    XC_DIRTY_LIST,
    XC_STATIC_END,
    XC_CPUID,
    XC_MSR,
    XC_TYPES
};

#endif
