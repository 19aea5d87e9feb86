/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_pieces.h"

int mext_pieces_put(struct mext_pieces *p, unsigned i, uint64_t number,
                    uint32_t len)
{
    if (p->ended || number < p->next)
        return MEXT_ERR_FORMAT;
    for (const struct mext_kept *k = p->kept; k < p->kept + p->n; k++)
        if (k->what == MEXT_KEPT_PIECE && k->number == number)
            return MEXT_ERR_FORMAT;
    p->kept[i] = (struct mext_kept){ MEXT_KEPT_PIECE, number, len };
    return 0;
}

int mext_pieces_end(struct mext_pieces *p, unsigned i, uint64_t bytes)
{
    if (p->ended)
        return MEXT_ERR_FORMAT;
    p->kept[i] = (struct mext_kept){ MEXT_KEPT_END, bytes, 0 };
    return 0;
}

bool mext_pieces_kept(const struct mext_pieces *p, unsigned i)
{
    return p->kept[i].what != MEXT_KEPT_NONE;
}

/* An end that was to come earlier is judged by who knows the stream. */
static bool is_due(const struct mext_pieces *p, const struct mext_kept *k)
{
    return (k->what == MEXT_KEPT_PIECE && k->number == p->next) ||
           (k->what == MEXT_KEPT_END && k->number <= p->bytes);
}

int mext_pieces_turn(struct mext_pieces *p)
{
    for (unsigned i = 0; i < p->n && !p->ended; i++) {
        struct mext_kept *k = &p->kept[i];

        if (!is_due(p, k))
            continue;
        p->ended = k->what == MEXT_KEPT_END;
        p->next += !p->ended;
        p->bytes += k->len;
        k->what = MEXT_KEPT_NONE;
        return (int)i;
    }
    return -1;
}

bool mext_pieces_stuck(const struct mext_pieces *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (!mext_pieces_kept(p, i))
            return false;
    return !p->ended;
}
