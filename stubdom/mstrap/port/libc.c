/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The little of a C library that the compiler, lwIP and libsodium ask for.
 * There is one thread, no file and no heap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../entropy.h"
#include "libc.h"


struct {
    uint64_t unused[5];
    uint64_t canary; /* %fs:0x28 */
} ms_tls = { .canary = UINT64_C(0x00a54cc39e01d7f2) };

__attribute__((no_stack_protector)) void ms_canary_init(void)
{
    uint64_t value;

    ms_random(&value, sizeof(value));
    ms_tls.canary = value & ~UINT64_C(0xff); /* a NUL stops strings */
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *at = to;
    size_t words = n / 8;

    __asm__ volatile("rep movsq"
                     : "+D"(at), "+S"(from), "+c"(words)
                     :
                     : "memory");
    n %= 8;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int value, size_t n)
{
    void *at = to;
    size_t words = n / 8;
    uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);

    __asm__ volatile("rep stosq"
                     : "+D"(at), "+c"(words)
                     : "a"(pattern)
                     : "memory");
    n %= 8;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(pattern) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const uint8_t *p = s;

    for (; n; n--, p++)
        if (*p == (uint8_t)c)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++) {
        if (*a != *b)
            return (uint8_t)*a - (uint8_t)*b;
        if (!*a)
            break;
    }
    return 0;
}

int *__errno_location(void)
{
    static int value;

    return &value;
}

_Noreturn void abort(void)
{
    ms_fail("a library called abort");
}

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
    ms_fail("stack smashed");
}

/* LZ4's archive names these for functions that nobody calls here. */
void *malloc(size_t size)
{
    return NULL;
}

void *calloc(size_t n, size_t size)
{
    return NULL;
}

void free(void *p)
{
}
