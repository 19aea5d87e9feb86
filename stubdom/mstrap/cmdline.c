/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "cmdline.h"
#include "text.h"

#define HISTORIC_PREFIX "cmdline="

static bool parse_port(const char *in, size_t length, struct ms_config *config)
{
    uint64_t port;

    if (!ms_parse_decimal(in, length, 65535, &port) || !port)
        return false;
    config->port = (uint16_t)port;
    return true;
}

static bool parse_address(const char *in, size_t length, struct ms_config *c)
{
    return ms_parse_ipv4(in, length, &c->address);
}

static bool parse_netmask(const char *in, size_t length, struct ms_config *c)
{
    return ms_parse_ipv4(in, length, &c->netmask) &&
           (~c->netmask & (~c->netmask + 1)) == 0;
}

static bool parse_gateway(const char *in, size_t length, struct ms_config *c)
{
    return ms_parse_ipv4(in, length, &c->gateway);
}

static const struct option {
    const char *name;
    bool (*parse)(const char *in, size_t length, struct ms_config *config);
    const char *complaint;
} options[] = {
    { "ip=", parse_address, "bad ip= (want A.B.C.D)" },
    { "netmask=", parse_netmask, "bad netmask= (want A.B.C.D)" },
    { "gateway=", parse_gateway, "bad gateway= (want A.B.C.D)" },
    { "port=", parse_port, "bad port= (want 1 to 65535)" },
};

static const char *parse_option(const char *word, size_t length,
                                struct ms_config *config)
{
    for (size_t i = 0; i < MS_COUNT(options); i++) {
        size_t skip = strlen(options[i].name);

        if (length < skip || memcmp(word, options[i].name, skip))
            continue;
        if (options[i].parse(word + skip, length - skip, config))
            return NULL;
        return options[i].complaint;
    }
    return "unknown word on the command line";
}

static uint32_t load32(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The two hex words. False: they are something else. */
static bool parse_historic(const char *line, struct ms_config *config)
{
    const size_t skip = strlen(HISTORIC_PREFIX);
    const char *word;
    size_t length = ms_next_word(&line, &word);
    uint8_t address[4], port[4];

    if (length > skip && !memcmp(word, HISTORIC_PREFIX, skip)) {
        word += skip;
        length -= skip;
    }
    if (!ms_hex_decode(address, word, length, sizeof(address)))
        return false;
    length = ms_next_word(&line, &word);
    if (!ms_hex_decode(port, word, length, sizeof(port)) || port[0] || port[1])
        return false;
    config->address = load32(address);
    config->port = (uint16_t)load32(port);
    return config->port && !ms_next_word(&line, &word);
}

const char *ms_cmdline_parse(const char *line, struct ms_config *config_r)
{
    struct ms_config config = { .netmask = 0xffffff00, .port = MEXT_DATA_PORT };
    const char *word;
    size_t length;

    if (!parse_historic(line, &config)) {
        while ((length = ms_next_word(&line, &word))) {
            const char *complaint = parse_option(word, length, &config);

            if (complaint)
                return complaint;
        }
    }
    if (!config.address)
        return "no ip= on the command line";
    *config_r = config;
    return NULL;
}

bool ms_invitation_parse(const char *line, struct ms_invitation *invitation_r)
{
    struct ms_invitation invitation;
    const char *word;
    uint64_t channels;
    size_t length = ms_next_word(&line, &word);

    if (length != 2 || memcmp(word, "v1", 2))
        return false;
    length = ms_next_word(&line, &word);
    if (!ms_hex_decode(invitation.token_digest, word, length, MEXT_DIGEST_LEN))
        return false;
    length = ms_next_word(&line, &word);
    if (!ms_hex_decode(invitation.source_key, word, length, MEXT_KEY_LEN))
        return false;
    length = ms_next_word(&line, &word);
    if (!ms_parse_decimal(word, length, MEXT_CHANNELS_MAX, &channels) ||
        !channels || ms_next_word(&line, &word))
        return false;
    invitation.channels = (unsigned)channels;
    *invitation_r = invitation;
    return true;
}
