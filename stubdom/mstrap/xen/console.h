/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_CONSOLE_H
#define MS_CONSOLE_H

#include "../mstrap.h"

void ms_console_init(void);

void ms_console_line(const char *format, va_list args) MS_FORMAT(1, 0);

#endif
