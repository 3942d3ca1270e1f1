/* SPDX-License-Identifier: MIT */
/*
 * GLib: each task pushes its item to a GAsyncQueue, from which the submitting
 * thread pops.
 */
#include "as_completed/as_completed.h"

#include "common/bench.h"
#include "common/echo.h"

#include <glib.h>
#include <stdlib.h>

typedef struct item {
    uint64_t arg;
    uint64_t result;
} item;

static GThreadPool *pool;
static GAsyncQueue *finished;

static void
run_item(gpointer data, gpointer user_data)
{
    item *it = data;

    (void)user_data;
    it->result = echo_task(it->arg);
    g_async_queue_push(finished, it);
}

void
as_completed_open(int workers)
{
    finished = g_async_queue_new();
    pool = g_thread_pool_new(run_item, NULL, workers, TRUE, NULL);
    if (!pool)
        bench_die("g_thread_pool_new failed");
}

void
as_completed_close(void)
{
    g_thread_pool_free(pool, FALSE, TRUE);
    g_async_queue_unref(finished);
}

as_completed_times
as_completed_round(const uint64_t *args, uint64_t *came, size_t n)
{
    static item *items;
    static size_t room;

    if (room < n) {
        free(items);
        items = bench_alloc(n, sizeof(*items));
        room = n;
    }
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < n; i++) {
        items[i].arg = args[i];
        if (!g_thread_pool_push(pool, &items[i], NULL))
            bench_die("g_thread_pool_push failed");
    }
    for (size_t i = 0; i < n; i++) {
        const item *it = g_async_queue_pop(finished);
        came[i] = it->result;
    }
    double took = (double)(bench_now_ns() - start);
    return (as_completed_times){took, NO_DRAIN};
}
