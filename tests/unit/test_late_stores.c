/* SPDX-License-Identifier: MIT */
/*
 * Pushes whose stores other threads see late (thread_pool/README.md,
 * "Orderings"; process_pool/README.md, "A push without a fence"). A processor
 * may keep what it stores to itself until another thread makes a heavy fence,
 * but no longer. Here it does so each time: the next cf__fence_heavy() makes
 * the stores of a push visible, and nothing else does. The pusher has looked
 * for sleepers before, and has seen none. So the sleeper has to see the task.
 */
#include <cfutures/process_pool.h>
#include <cfutures/thread_pool.h>
#include <criterion/criterion.h>

#include "lib/executor/pending.h"
#include "lib/executor/submit.h"
#include "lib/future/life.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"
#include "thread_pool/tasks.h"
#include "thread_pool/watch.h"

static cf_executor *ex;
static cf_future *late; /* the task that is pushed */

/* Of this thread. */
static _Thread_local void (*late_stores)(void);
static _Thread_local int fences; /* heavy ones */

void __real_cf__fence_heavy(void);
void __wrap_cf__fence_heavy(void);

void
__wrap_cf__fence_heavy(void)
{
    void (*stores)(void) = late_stores;
    late_stores = NULL;
    fences++;
    __real_cf__fence_heavy();
    if (stores)
        stores();
}

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

/* Has a handle for the entry, and one of ours. */
static cf_future *
new_task(void)
{
    cf_future *f = NULL;
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    cr_assert(cf__submit_prepare(ex, &task, 2, false, NULL, &f) == CF_OK);
    return f;
}

/* A push to a queue. The exchange that it begins with is seen at once. */
static void
begin_push(struct cf__queue *q, void (*rest)(void))
{
    late = new_task();
    cf__lock(&q->inbox.lock);
    late_stores = rest;
}

static void
end_push(struct cf__queue *q)
{
    cf__unlock(&q->inbox.lock);
    cr_assert(cf__queue_push(q, late, 1) == CF_OK);
}

/* --- the thread pool ------------------------------------------------------ */

static struct cf__threads *threads;

/* Two workers whose threads have left: this thread plays their roles. */
static void
open_threads(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_stats stats = {0};
    options.max_workers = 2;
    options.idle_timeout_ns = CF__MS(1);
    cr_assert(cf_thread_pool_create(&options, &ex) == CF_OK);
    threads = cf__threads_of(ex);
    pthread_mutex_lock(&threads->lock);
    for (int i = 0; i < 2; i++)
        cr_assert(cf__threads_start(threads) == CF_OK);
    pthread_mutex_unlock(&threads->lock);
    do
        cr_assert(cf_executor_stats(ex, &stats) == CF_OK);
    while (stats.workers > 0);
    cf__queue_open(&threads->queue);
}

static void
close_threads(void)
{
    for (cf_future *f; (f = cf__threads_take_any(threads)) != NULL;) {
        cr_assert(cf__future_cancel_now(f));
        cf__future_drop_stale(f);
        cf_future_unref(f); /* new_task()'s */
    }
    cf_executor_destroy(ex);
}

#define THREADS_TEST(name)                                                     \
    Test(late_stores, name, .init = open_threads, .fini = close_threads)

static void
end_push_to_threads(void)
{
    end_push(&threads->queue);
}

static void
push_to_second(void)
{
    late = new_task();
    cr_assert(cf__deque_push(&threads->workers[1]->deque, late, 0));
}

THREADS_TEST(a_worker_that_stops_searching_sees_a_push_to_the_queue)
{
    begin_push(&threads->queue, end_push_to_threads);
    cr_assert(cf__threads_missed_work(threads));
    cr_assert(fences == 1);
}

THREADS_TEST(a_worker_that_sleeps_sees_a_push_to_the_queue)
{
    begin_push(&threads->queue, end_push_to_threads);
    cr_assert(cf__threads_missed_work_anywhere(threads));
}

THREADS_TEST(a_worker_that_sleeps_sees_a_push_to_a_deque)
{
    cf_store_seq_cst(&threads->nested, true); /* as the first such push does */
    late_stores = push_to_second;
    cr_assert(cf__threads_missed_work_anywhere(threads));
    cr_assert(fences == 1);
}

THREADS_TEST(no_fence_is_made_where_no_push_is_under_way)
{
    cr_assert_not(cf__threads_missed_work(threads));
    cr_assert_not(cf__threads_missed_work_anywhere(threads));
    cr_assert(fences == 0);
}

THREADS_TEST(a_worker_that_watches_sees_a_push_to_a_deque)
{
    struct cf__threads_worker *watcher = threads->workers[0],
                              *runner = threads->workers[1];
    cf_future *awaited = new_task();
    cr_assert(cf__future_claim_word(awaited, 1));
    cf_store_relaxed(&awaited->base, cf__deque_base(&runner->deque));
    cf_store_relaxed(&watcher->base.parker, 0);
    late_stores = push_to_second;
    cf__threads_watch(&watcher->base, awaited);
    cr_assert(cf_load_relaxed(&watcher->base.parker) == 1);
    cf__threads_unwatch(&watcher->base);
    (void)cf__future_finish(awaited, 0, 0, true);
    cf_future_unref(awaited);
}

/* --- the process pool ----------------------------------------------------- */

static struct cf__processes *processes;

static void
end_push_to_processes(void)
{
    end_push(&processes->queue);
}

Test(late_stores, a_dispatch_sees_a_push_to_the_queue)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    options.max_workers = 1;
    cr_assert(cf_process_pool_create(&options, &ex) == CF_OK);
    processes = cf__processes_of(ex);
    cf__processes_lock(processes);
    begin_push(&processes->queue, end_push_to_processes);
    cf__processes_serve_locked(processes);
    cr_assert(fences == 1);
    cr_assert_not(cf__queue_has_work(&processes->queue), "it is in a lane");
    cf__processes_unlock_serving(processes);
    cr_assert(cf_future_result(late, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(late);
    cf_executor_destroy(ex);
}
