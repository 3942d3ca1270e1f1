/* SPDX-License-Identifier: MIT */
/*
 * GLib: g_thread_pool_push() of a caller's item. It has neither a future nor
 * a wait for all, so tasks store their result and count themselves.
 */
#include "common/bench.h"
#include "common/latch.h"
#include "common/subject.h"

#include <glib.h>
#include <stdlib.h>

typedef struct item {
    batch *owner;
    uint64_t arg;
    uint64_t *result;
} item;

struct batch {
    item *items;
    latch pending;
};

static GThreadPool *pool;

static void
run_item(gpointer data, gpointer user_data)
{
    item *it = data;

    (void)user_data;
    *it->result = bench_task(it->arg);
    latch_hit(&it->owner->pending);
}

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    pool = g_thread_pool_new(run_item, NULL, workers, TRUE, NULL);
    if (!pool)
        bench_die("g_thread_pool_new failed");
    body(data);
    g_thread_pool_free(pool, FALSE, TRUE);
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = bench_alloc(1, sizeof(*b));

    b->items = bench_alloc(max, sizeof(item));
    latch_init(&b->pending);
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    latch_set(&b->pending, n);
    for (size_t i = 0; i < n; i++) {
        item *it = &b->items[i];
        it->owner = b;
        it->arg = args[i];
        it->result = &results[i];
        if (!g_thread_pool_push(pool, it, NULL))
            bench_die("g_thread_pool_push failed");
    }
}

void
batch_collect(batch *b)
{
    latch_wait(&b->pending);
}

void
batch_destroy(batch *b)
{
    latch_fini(&b->pending);
    free(b->items);
    free(b);
}
