/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl's header and the guest's configuration: tools/xl/xl.h of Xen 4.17. */
#include "stream_priv.h"

#define HEADER_LEN    48u /* 32 of magic, then four numbers */
#define BYTE_ORDER_AT 32
#define MANDATORY_AT  36
#define OPTIONAL_AT   40
#define DATA_LEN_AT   44
#define BYTE_ORDER_IS 0x01020304u
#define FLAG_JSON     1u
#define FLAG_V2       2u

static void on_value(void *arg, const char *path, const char *value, size_t n)
{
    static const char *const types[] = { NULL, "pv", "hvm", "pvh" };
    struct stream *s = arg;

    for (unsigned i = GUEST_PV; i <= GUEST_PVH; i++)
        if (!strcmp(path, "c_info.type") && n == strlen(types[i]) &&
            !memcmp(value, types[i], n))
            s->config_type = i;
    if (s->ev.setting)
        s->ev.setting(s->arg, path, value, n);
}

/* len bytes of the body, of which the last is the NUL; *nul_r: it is. */
static int read_json(struct stream *s, uint32_t len, struct stream_json *j,
                     bool *nul_r, bool *valid_r)
{
    const uint8_t *p;
    size_t n;

    while (len > 1) {
        n = len - 1 < TAKE_MAX ? len - 1 : TAKE_MAX;
        p = stream_body(s, n);
        if (!p)
            return -1;
        if (*valid_r && memchr(p, 0, n))
            *nul_r = false;
        *valid_r = *valid_r && !stream_json_feed(j, p, n);
        len -= (uint32_t)n;
    }
    p = stream_body(s, 1);
    if (!p)
        return -1;
    *nul_r = *nul_r && !*p;
    return 0;
}

static int read_config(struct stream *s, uint32_t len)
{
    struct stream_json *j = stream_json_open(on_value, s);
    bool nul = true, valid = true;
    int rc;

    if (!j)
        return stream_no_memory(s);
    rc = read_json(s, len, j, &nul, &valid);
    valid = !stream_json_close(j) && valid;
    if (rc)
        return -1;
    if (!nul)
        return stream_odd(s, STREAM_R_XL_CONFIG_END,
                          "it ends otherwise, or has another before");
    return valid ? 0 : stream_odd(s, STREAM_R_XL_CONFIG_JSON, "it is not");
}

static int read_data(struct stream *s, uint32_t data, bool json)
{
    const uint8_t *p;
    uint32_t len;

    s->left = data;
    if (data < 6 || data > 4 + STREAM_CONFIG_MAX) {
        if (stream_odd(s, STREAM_R_XL_DATA, "data has %u bytes", data))
            return -1;
        return stream_body_skip(s, data);
    }
    p = stream_body(s, 4);
    if (!p)
        return -1;
    len = load32(p);
    if (len != data - 4 && stream_odd(s, STREAM_R_XL_CONFIG_LEN,
                                      "%u bytes in data of %u", len, data))
        return -1;
    stream_note(s, "configuration of %u bytes", len);
    if (json && len >= 2 && len <= data - 4 && read_config(s, len))
        return -1;
    return stream_body_skip(s, s->left);
}

static int check_flags(struct stream *s, uint32_t mandatory, uint32_t optional)
{
    uint32_t unknown = mandatory & ~(FLAG_JSON | FLAG_V2);

    if (unknown && stream_odd(s, STREAM_R_XL_MANDATORY, "%#x is set", unknown))
        return -1;
    if (!(mandatory & FLAG_JSON) &&
        stream_odd(s, STREAM_R_XL_JSON, "it is not set"))
        return -1;
    if (optional && stream_odd(s, STREAM_R_XL_OPTIONAL, "%#x is set", optional))
        return -1;
    return 0;
}

int stream_read_xl(struct stream *s)
{
    uint32_t mandatory, data;
    const uint8_t *p;

    stream_at_record(s, STREAM_XL);
    stream_begin(s, 0, "header");
    p = stream_take(s, HEADER_LEN);
    if (!p)
        return -1;
    if (load32(p + BYTE_ORDER_AT) != BYTE_ORDER_IS)
        return stream_lost(s, STREAM_R_XL_BYTE_ORDER, "it is %#x",
                           load32(p + BYTE_ORDER_AT));
    mandatory = load32(p + MANDATORY_AT);
    data = load32(p + DATA_LEN_AT);
    if (check_flags(s, mandatory, load32(p + OPTIONAL_AT)))
        return -1;
    if (!(mandatory & FLAG_V2))
        return stream_lost(s, STREAM_R_XL_STREAM_V2, "it is not set");
    if (read_data(s, data, mandatory & FLAG_JSON))
        return -1;
    stream_end(s);
    return stream_read_libxl(s);
}
