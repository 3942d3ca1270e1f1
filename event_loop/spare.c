/* SPDX-License-Identifier: MIT */
/* Blocks of memory into which streams read: see spare.h. */
#include "event_loop/spare.h"

#include <stdlib.h>

enum { KEPT = 16 };

void *
cf__spares_take(struct cf__spares *spares)
{
    void **block = spares->first;
    if (!block)
        return malloc(CF__SPARE_SIZE);
    spares->first = *block;
    spares->count--;
    return block;
}

void
cf__spares_give(struct cf__spares *spares, void *block)
{
    void **link = block;
    if (spares->count >= KEPT) {
        free(block);
        return;
    }
    *link = spares->first;
    spares->first = block;
    spares->count++;
}

void
cf__spares_fini(struct cf__spares *spares)
{
    while (spares->first)
        free(cf__spares_take(spares));
}
