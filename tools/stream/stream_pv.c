/* SPDX-License-Identifier: LGPL-2.1-only */
/* What only a PV guest's stream has. */
#include "stream_libxc.h"

#define INFO_LEN  8
#define HEAD_LEN  8
#define FRAME_LEN 8u
#define VCPUS     8192u
#define PER_FRAME 512u /* entries of a p2m in a page, of a 64-bit guest */

static int read_info(struct stream *s)
{
    const uint8_t *p;

    if (s->left != INFO_LEN)
        return stream_odd(s, STREAM_R_XC_PV_INFO, "it has %llu bytes",
                          (unsigned long long)s->left);
    p = stream_body(s, INFO_LEN);
    if (!p)
        return -1;
    stream_note(s, "%u bits, %u levels", p[0] * 8u, p[1]);
    if ((p[0] != 4 && p[0] != 8) || (p[1] != 3 && p[1] != 4) ||
        !stream_is_zero(p + 2, 6))
        return stream_odd(s, STREAM_R_XC_PV_INFO, "it has %u, %u", p[0], p[1]);
    return 0;
}

/* A 32-bit guest has twice as many entries in a frame. */
static int read_p2m(struct stream *s)
{
    uint64_t first, last, n, wide, narrow;
    const uint8_t *p;

    if (s->left < HEAD_LEN)
        return stream_odd(s, STREAM_R_XC_PV_P2M, "there is none");
    p = stream_body(s, HEAD_LEN);
    if (!p)
        return -1;
    first = load32(p);
    last = load32(p + 4);
    n = s->left / FRAME_LEN;
    wide = last / PER_FRAME - first / PER_FRAME + 1;
    narrow = last / (2 * PER_FRAME) - first / (2 * PER_FRAME) + 1;
    stream_note(s, "%#llx to %#llx, %llu frames", (unsigned long long)first,
                (unsigned long long)last, (unsigned long long)n);
    if (first > last || s->left % FRAME_LEN || (n != wide && n != narrow))
        return stream_odd(s, STREAM_R_XC_PV_P2M, "%s", s->rec.note);
    return 0;
}

static int read_vcpu(struct stream *s)
{
    const uint8_t *p;

    if (s->left <= HEAD_LEN)
        return stream_odd(s, STREAM_R_XC_PV_VCPU, "nothing does");
    p = stream_body(s, HEAD_LEN);
    if (!p)
        return -1;
    stream_note(s, "vCPU %u, %llu bytes", load32(p),
                (unsigned long long)s->left);
    if (load32(p) >= VCPUS || load32(p + 4))
        return stream_odd(s, STREAM_R_XC_PV_VCPU, "vCPU %u, %#x", load32(p),
                          load32(p + 4));
    return 0;
}

int stream_read_pv(struct stream *s, uint32_t type)
{
    if (type == XC_PV_INFO)
        return read_info(s);
    return type == XC_P2M_FRAMES ? read_p2m(s) : read_vcpu(s);
}
