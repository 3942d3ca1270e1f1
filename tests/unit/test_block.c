/* SPDX-License-Identifier: MIT */
/*
 * lib/block.h: what the caches and the depot believe of the sizes of batches
 * is so, whoever allocated and whoever freed.
 */
#include "lib/block.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { MANY = 10 * CF__BLOCK_BATCH };

static cf_future *blocks[MANY];

static unsigned
length(const cf_future *f)
{
    unsigned count = 0;
    for (; f; f = atomic_load_explicit(&f->next, memory_order_relaxed))
        count++;
    return count;
}

/* The calling thread's cache has as many blocks as it counts. */
static void
check_cache(void)
{
    unsigned count = length(cf__thread.free_blocks);
    cr_assert(count == cf__thread.free_count,
              "%u blocks, %u counted",
              count,
              cf__thread.free_count);
}

static void
allocate(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        blocks[i] = cf__block_alloc();
        cr_assert_not_null(blocks[i]);
    }
    check_cache();
}

static void
release(size_t n)
{
    for (size_t i = 0; i < n; i++)
        cf__block_free(blocks[i]);
    check_cache();
}

/* --- threads, one after the other ----------------------------------------- */

static void *
only_allocate(void *n)
{
    allocate(*(size_t *)n);
    return NULL;
}

static void *
only_release(void *n)
{
    release(*(size_t *)n);
    return NULL;
}

static void
in_thread(void *(*fn)(void *), size_t n)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, fn, &n) == 0);
    cr_assert(pthread_join(thread, NULL) == 0);
}

Test(block, a_thread_counts_what_it_has)
{
    for (size_t n = 1; n <= MANY; n += 1 + n / 3) {
        allocate(n);
        release(n);
    }
}

Test(block, what_an_ended_thread_had_is_counted_by_the_next)
{
    for (size_t n = 1; n <= MANY; n += 1 + n / 3) {
        in_thread(only_allocate, n);
        in_thread(only_release, n);
    }
}

Test(block, batches_are_full_however_short_the_ones_before_were)
{
    for (int i = 0; i < 20; i++) {
        in_thread(only_allocate, 1);
        in_thread(only_release, 1); /* leaves a short one */
    }
    allocate(MANY);
    release(MANY);
    cr_assert(length(cf__thread.free_batch) == CF__BLOCK_BATCH,
              "%u blocks",
              length(cf__thread.free_batch));
}
