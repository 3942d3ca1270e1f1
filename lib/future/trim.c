/* SPDX-License-Identifier: MIT */
/*
 * Giving the memory of free blocks back to the system: README.md, "The memory
 * of futures". The thread that trims has the surplus for itself; the depot's
 * lock is taken in depot.c.
 */
#include "lib/future/depot.h"

/* Makes new batches of the blocks whose pages are not given back. */
static cf_future *
without_gone(struct cf__block_sort *sort, cf_future *batches)
{
    cf_future *stay = NULL, *blocks = NULL;
    unsigned count = 0;
    for (cf_future *batch = batches, *next_batch; batch; batch = next_batch) {
        next_batch = batch->next_batch;
        for (cf_future *f = batch, *next; f; f = next) {
            next = cf_load_relaxed(&f->next);
            if (cf__block_sort_is_gone(sort, f))
                continue;
            cf_store_relaxed(&f->next, blocks);
            blocks = f;
            if (++count < CF__BLOCK_BATCH && (next || next_batch))
                continue;
            cf__batch_set_size(blocks, count);
            blocks->next_batch = stay;
            stay = blocks;
            blocks = NULL;
            count = 0;
        }
    }
    if (blocks) { /* the list ended with blocks that are gone */
        cf__batch_set_size(blocks, count);
        blocks->next_batch = stay;
        stay = blocks;
    }
    return stay;
}

void
cf__block_trim(void)
{
    if (!cf__block_may_trim())
        return;
    cf_future *surplus;
    struct cf__block_sort *sort = cf__depot_take_surplus(&surplus);
    if (!sort)
        return;
    /* No other thread has the surplus, so its blocks stay free meanwhile. */
    for (cf_future *batch = surplus; batch; batch = batch->next_batch)
        for (cf_future *f = batch; f; f = cf_load_relaxed(&f->next))
            cf__block_sort_count(sort, f);
    surplus = without_gone(sort, surplus);
    (void)cf__block_sort_give_back(sort);
    cf__depot_return_surplus(sort, surplus);
}
