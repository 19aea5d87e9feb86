/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command channel between bed-client (on the machine) and bed-agent (in
 * an emulated dom0): one virtio-serial port carries one command at a time.
 *
 * A frame is a type byte, a three-byte big-endian length and that many bytes.
 * A client that dies leaves the port in the middle of a frame, so a session
 * starts with BED_PREAMBLE bytes of zero, which end whatever the agent was
 * reading (no type is zero), then BED_MAGIC, then a FRAME_HELLO with a nonce;
 * the client drops what it reads until FRAME_HELLO with this nonce is back.
 */
#ifndef BED_FRAME_H
#define BED_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER   4u
#define FRAME_MAX      16384u /* payload bytes */
#define BED_PREAMBLE   (FRAME_HEADER + FRAME_MAX)
#define BED_MAGIC      "\001bed-session\002"
#define BED_MAGIC_SIZE (sizeof(BED_MAGIC) - 1)
#define BED_NONCE_SIZE 16u

enum frame_type {
    FRAME_HELLO = 0x11, /* both ways: nonce */
    FRAME_EXEC = 0x12,  /* to the agent: argv, each word with its NUL */
    FRAME_STDIN = 0x13, /* to the agent: data; empty: end of file */
    FRAME_STDOUT = 0x14,
    FRAME_STDERR = 0x15,
    FRAME_EXIT = 0x16,   /* to the client: one byte, as in a shell's $? */
    FRAME_WINDOW = 0x17, /* to the client: u32 bytes of stdin consumed */
};

/* Bytes of stdin a client may send ahead of the agent's FRAME_WINDOW: keeps
 * the agent able to read the port whatever the command does. */
#define STDIN_WINDOW (16u * FRAME_MAX)

static inline void frame_header_put(uint8_t out[FRAME_HEADER], uint8_t type,
                                    size_t length)
{
    out[0] = type;
    out[1] = (uint8_t)(length >> 16);
    out[2] = (uint8_t)(length >> 8);
    out[3] = (uint8_t)length;
}

static inline size_t frame_length(const uint8_t header[FRAME_HEADER])
{
    return (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
}

static inline int frame_type_known(uint8_t type)
{
    return type >= FRAME_HELLO && type <= FRAME_WINDOW;
}

#endif
