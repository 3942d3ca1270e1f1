/* SPDX-License-Identifier: MIT */
/*
 * The depot: free blocks that no thread's cache has, in batches, under a mutex.
 * README.md, "The memory of futures". For block.c and trim.c; the functions of
 * block.h about trimming and keeping are in depot.c and trim.c, too.
 */
#ifndef CF_LIB_FUTURE_DEPOT_H
#define CF_LIB_FUTURE_DEPOT_H

#include "lib/future/block.h"
#include "lib/future/block_memory.h"

/* The first block of a batch has the size of the batch. */
static inline void
cf__batch_set_size(cf_future *first, unsigned count)
{
    cf_store_relaxed(&first->base, count);
}

/* A batch for a cache, of new blocks if the depot is empty. NULL: no memory. */
cf_future *cf__depot_get(void);

/* Adds a batch. */
void cf__depot_put(cf_future *first);

/* Takes the surplus out, batches linked by next_batch, and begins to sort it.
 * The blocks of free spans beyond a reserve are among them.
 * NULL: a trim would not pay, or there is no memory for it. */
struct cf__block_sort *cf__depot_take_surplus(cf_future **surplus);

/* The end of that: what is left of the surplus comes back. */
void cf__depot_return_surplus(struct cf__block_sort *sort, cf_future *batches);

/* In a fork's child: the depot is whole, or begins with nothing. */
void cf__depot_after_fork(void);

/* Assert that a batch, and the depot, are whole (lib/base/assert.h). */
void cf__batch_check(const cf_future *first);
void cf__depot_check(void);

#endif
