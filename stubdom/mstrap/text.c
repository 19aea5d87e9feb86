/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "text.h"

static const char digits[] = "0123456789abcdef";

struct output {
    char *at;
    char *end; /* room for the NUL is kept */
};

static void put(struct output *o, char c)
{
    if (o->at < o->end)
        *o->at++ = c;
}

static void put_number(struct output *o, uint64_t value, unsigned base,
                       unsigned width)
{
    char reversed[24];
    unsigned n = 0;

    do {
        reversed[n++] = digits[value % base];
        value /= base;
    } while (value);
    while (width-- > n)
        put(o, '0');
    while (n)
        put(o, reversed[--n]);
}

static void put_string(struct output *o, const char *s)
{
    while (*s)
        put(o, *s++);
}

/* One conversion; format points behind the '%'. Returns what follows it. */
static const char *convert(struct output *o, const char *format, va_list *args)
{
    unsigned width = 0;
    bool wide = false;

    while (*format >= '0' && *format <= '9')
        width = width * 10 + (unsigned)(*format++ - '0');
    if (*format == 'l') {
        wide = true;
        format++;
    }
    switch (*format) {
    case 's':
        put_string(o, va_arg(*args, const char *));
        break;
    case 'c':
        put(o, (char)va_arg(*args, int));
        break;
    case 'u':
    case 'x':
        put_number(o,
                   wide ? va_arg(*args, unsigned long)
                        : va_arg(*args, unsigned int),
                   *format == 'u' ? 10 : 16, width);
        break;
    case '\0':
        return format;
    default:
        put(o, *format);
    }
    return format + 1;
}

size_t ms_vformat(char *out, size_t size, const char *format, va_list args)
{
    struct output o = { out, out + size - 1 };
    va_list copy;

    va_copy(copy, args);
    while (*format) {
        if (*format == '%')
            format = convert(&o, format + 1, &copy);
        else
            put(&o, *format++);
    }
    va_end(copy);
    *o.at = '\0';
    return (size_t)(o.at - out);
}

size_t ms_format(char *out, size_t size, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = ms_vformat(out, size, format, args);
    va_end(args);
    return length;
}

void ms_hex_encode(char *out, const uint8_t *in, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * bytes] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool ms_hex_decode(uint8_t *out, const char *in, size_t length, size_t bytes)
{
    if (length != 2 * bytes)
        return false;
    for (size_t i = 0; i < length; i++)
        if (hex_digit(in[i]) < 0)
            return false;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(hex_digit(in[2 * i]) << 4 |
                           hex_digit(in[2 * i + 1]));
    return true;
}

bool ms_parse_decimal(const char *in, size_t length, uint64_t max,
                      uint64_t *value_r)
{
    uint64_t value = 0;

    if (!length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (in[i] < '0' || in[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(in[i] - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *value_r = value;
    return true;
}

bool ms_parse_ipv4(const char *in, size_t length, uint32_t *address_r)
{
    const char *end = in + length;
    uint32_t address = 0;

    for (unsigned i = 0; i < 4; i++) {
        const char *dot = i < 3 ? memchr(in, '.', (size_t)(end - in)) : end;
        uint64_t octet;

        if (!dot || !ms_parse_decimal(in, (size_t)(dot - in), 255, &octet))
            return false;
        address = address << 8 | (uint32_t)octet;
        in = dot + 1;
    }
    *address_r = address;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t ms_next_word(const char **cursor, const char **word_r)
{
    const char *p = *cursor;

    while (is_blank(*p))
        p++;
    *word_r = p;
    while (*p && !is_blank(*p))
        p++;
    *cursor = p;
    return (size_t)(p - *word_r);
}
