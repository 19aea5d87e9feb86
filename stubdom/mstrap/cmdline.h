/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line and the session line: pure, also compiled on the host.
 */
#ifndef MS_CMDLINE_H
#define MS_CMDLINE_H

#include "mstrap.h"
#include "mext_wire.h"

/* Addresses: first octet in the most significant byte. 0 is "none". */
struct ms_config {
    uint32_t address;
    uint32_t netmask;
    uint32_t gateway;
    uint16_t port;
};

/**
 * Parses "ip=A.B.C.D [netmask=A.B.C.D] [gateway=A.B.C.D] [port=N]", or the
 * two hex words of the first mstrap, address and port: "01020304 000004d2"
 * (also with "cmdline=" before the first).
 * Returns NULL, or words that say what is wrong; then *config_r is unchanged.
 */
const char *ms_cmdline_parse(const char *line, struct ms_config *config_r);

/* What dom0 tells about the source once it has accepted one. */
struct ms_invitation {
    uint8_t token_digest[MEXT_DIGEST_LEN];
    uint8_t source_key[MEXT_KEY_LEN];
    unsigned channels; /* 1 .. MEXT_CHANNELS_MAX */
};

/** Parses "v1 TOKEN-DIGEST SOURCE-KEY CHANNELS"; false if it is not that. */
bool ms_invitation_parse(const char *line, struct ms_invitation *invitation_r);

#endif
