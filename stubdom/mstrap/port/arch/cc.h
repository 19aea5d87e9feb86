/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lwIP wants to know about the compiler and the platform.
 */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef SSIZE_MAX
#define SSIZE_MAX LONG_MAX
#endif

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H    1
#define LWIP_NO_UNISTD_H   1
#define X8_F               "x"
#define U16_F              "u"
#define S16_F              "d"
#define X16_F              "x"
#define U32_F              "u"
#define S32_F              "d"
#define X32_F              "x"
#define SZT_F              "zu"

uint32_t ms_lwip_random(void);
_Noreturn void ms_lwip_assert(const char *message);

#define LWIP_RAND() ms_lwip_random()
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) ms_lwip_assert(message)

#endif
