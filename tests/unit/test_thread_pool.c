/* SPDX-License-Identifier: MIT */
/* The thread pool's check operation, what its steps assert, and steps that are
 * rare unless a test arranges them. */
#include <cfutures/thread_pool.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>

#include "lib/executor/check.h"
#include "lib/executor/submit.h"
#include "thread_pool/watch.h"

enum { THREADS = 3, MAX_WORKERS = 5, TASKS = 300 };

static cf_executor *ex;
static struct cf__threads *pool;
static pthread_barrier_t all;

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

static int
task_meets_others(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    pthread_barrier_wait(&all);
    return 0;
}

static int
task_submits(cf_call *call, const void *arg, size_t size)
{
    cf_future *f[TASKS];
    (void)arg, (void)size;
    for (int i = 0; i < TASKS; i++) {
        if (cf_submit(cf_call_executor(call), task_nothing, NULL, 0, &f[i]))
            return 1;
        cf__executor_check(ex);
    }
    for (int i = TASKS - 1; i >= 0; i--) {
        (void)cf_future_wait(f[i], CF_FOREVER);
        cf_future_unref(f[i]);
    }
    return 0;
}

static void
open_pool(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = MAX_WORKERS;
    cr_assert(cf_thread_pool_create(&options, &ex) == CF_OK);
    pool = cf__threads_of(ex);
}

/* Some of the workers have threads, and these are asleep. */
static void
open_sleeping_pool(void)
{
    open_pool();
    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        cr_assert(cf_submit(ex, task_meets_others, NULL, 0, NULL) == CF_OK);
    cr_assert(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
    pthread_mutex_lock(&pool->lock);
    struct cf__activity at = cf__threads_activity_relaxed(pool);
    cr_assert(cf__activity_sleeping(at) == THREADS);
    cr_assert(cf__activity_startable(at) == MAX_WORKERS - THREADS);
    pthread_mutex_unlock(&pool->lock);
}

static void
close_pool(void)
{
    cf__executor_check(ex);
    cr_assert(cf_executor_shutdown(ex, 0, CF_FOREVER) == CF_OK);
    cf__executor_check(ex);
    cf_executor_destroy(ex);
}

Test(thread_pool, is_whole_at_each_step, .init = open_pool, .fini = close_pool)
{
    cf_future *f[TASKS];
    cf__executor_check(ex);
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf_submit(ex, task_nothing, NULL, 0, &f[i]) == CF_OK);
        cf__executor_check(ex);
    }
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf_future_wait(f[i], CF_FOREVER) == CF_OK);
        cf__executor_check(ex);
        cf_future_unref(f[i]);
    }
    cr_assert(cf_submit(ex, task_submits, NULL, 0, &f[0]) == CF_OK);
    while (cf_future_wait(f[0], 0) == CF_ETIMEDOUT)
        cf__executor_check(ex);
    cr_assert(cf_future_result(f[0], CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(f[0]);
}

Test(thread_pool,
     is_whole_while_it_sleeps,
     .init = open_sleeping_pool,
     .fini = close_pool)
{
    cf__executor_check(ex);
}

/* --- what seldom happens -------------------------------------------------- */

/* How often the worker has looked for a task. */
static unsigned
picks(struct cf__threads_worker *w)
{
    return *(volatile unsigned *)&w->picks;
}

static void
set_heap_count(size_t count)
{
    pthread_mutex_lock(&pool->queue.heap_lock);
    pool->queue.heap.count = count;
    pthread_mutex_unlock(&pool->queue.heap_lock);
}

static void
await_no_thread(void)
{
    cf_stats stats = {0};
    do
        cr_assert(cf_executor_stats(ex, &stats) == CF_OK);
    while (stats.workers > 0);
}

/* A pool with two workers whose threads have left. */
static void
open_pool_without_threads(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 2;
    options.idle_timeout_ns = CF__MS(1);
    cr_assert(cf_thread_pool_create(&options, &ex) == CF_OK);
    pool = cf__threads_of(ex);
    pthread_barrier_init(&all, NULL, 2);
    for (int i = 0; i < 2; i++)
        cr_assert(cf_submit(ex, task_meets_others, NULL, 0, NULL) == CF_OK);
    await_no_thread();
}

/* The push comes between the worker's last look and the closing of the queue:
 * it is in the heap, but was not seen. */
Test(thread_pool,
     a_worker_goes_on_if_a_push_comes_with_its_time_out,
     .init = open_pool_without_threads,
     .fini = close_pool)
{
    set_heap_count(1);
    cr_assert(cf_submit(ex, task_nothing, NULL, 0, NULL) == CF_OK);
    struct cf__threads_worker *w = pool->workers[0];
    for (unsigned before = picks(w); picks(w) - before < 10;)
        sched_yield();
    set_heap_count(0);
    await_no_thread();
}

/* The runner has pushed, but seen no watcher. */
Test(thread_pool,
     a_watcher_sees_a_push_that_did_not_see_it,
     .init = open_pool_without_threads,
     .fini = close_pool)
{
    struct cf__threads_worker *w = pool->workers[0], *runner = pool->workers[1];
    cf_future f = {0}, child = {0};
    atomic_init(&f.word, CF__HANDLE | CF_PENDING);
    atomic_init(&child.word, 2 * CF__HANDLE | CF_PENDING);
    cr_assert(cf__future_claim_word(&f, 1));
    atomic_store(&f.base, cf__deque_base(&runner->deque));
    atomic_store(&w->base.parker, 0);
    cf__threads_watch(&w->base, &f);
    cr_assert(atomic_load(&w->base.parker) == 0, "there is nothing yet");
    cf__executor_check(ex);
    cr_assert(cf__deque_push(&runner->deque, &child, 0));
    cf__threads_watch(&w->base, &f);
    cr_assert(atomic_load(&w->base.parker) == 1);
    cr_assert(atomic_load(&runner->watchers) == 1);
    cf__executor_check(ex);
    cf__threads_unwatch(&w->base);
    cr_assert(atomic_load(&runner->watchers) == 0);
    cr_assert(cf__deque_steal(&runner->deque, 0, NULL) == &child);
}

static int
task_waits(cf_call *call, const void *arg, size_t size)
{
    cf_future *f = *(cf_future *const *)arg;
    (void)call, (void)size;
    return (int)cf_future_wait(f, CF_FOREVER);
}

static sem_t child_ran;

static int
task_posts(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    sem_post(&child_ran);
    return 0;
}

/* Pushes when another worker watches. Only that one can run the child. */
static int
task_pushes_to_watcher(cf_call *call, const void *arg, size_t size)
{
    const struct cf__threads_worker *self =
        cf__threads_worker_of(cf__thread.worker);
    (void)arg, (void)size;
    while (cf_load_relaxed(&self->watchers) == 0)
        sched_yield();
    cf_err err = cf_submit(cf_call_executor(call), task_posts, NULL, 0, NULL);
    while (!err && sem_wait(&child_ran) != 0)
        continue;
    return (int)err;
}

Test(thread_pool,
     a_push_wakes_the_worker_that_watches,
     .init = open_pool_without_threads,
     .fini = close_pool)
{
    sem_init(&child_ran, 0, 0);
    for (int round = 0; round < 10; round++) {
        cf_future *f, *waits;
        cr_assert(cf_submit(ex, task_pushes_to_watcher, NULL, 0, &f) == CF_OK);
        while (cf_future_state(f) != CF_RUNNING)
            sched_yield();
        cr_assert(cf_submit(ex, task_waits, &f, sizeof f, &waits) == CF_OK);
        cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
        cr_assert(cf_future_result(waits, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(f);
        cf_future_unref(waits);
    }
}

/* Workers that were about to sleep have found nothing, as entries were out of
 * reach. This thread plays the owner of the deque, which sleeps. */
Test(thread_pool,
     a_sweep_wakes_sleepers,
     .init = open_sleeping_pool,
     .fini = close_pool)
{
    struct cf__deque *deque = &pool->workers[0]->deque;
    cf_future *f[TASKS];
    cf_task task = CF_TASK_INIT;
    task.fn = task_nothing;
    cf_store_seq_cst(&pool->nested, true);
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf__submit_prepare(ex, &task, 2, false, NULL, &f[i]) ==
                  CF_OK);
        cr_assert(cf__deque_push(deque, f[i], 0));
    }
    cf__threads_make_room(deque);
    for (int i = 0; i < TASKS; i++) {
        cr_assert(cf_future_result(f[i], CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(f[i]);
    }
}

/* --- cf__executor_check() ------------------------------------------------- */

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. No worker looks: all
 * sleep. */
#define BROKEN(what, statement)                                                \
    Test(thread_pool,                                                          \
         broken_##what,                                                        \
         .init = open_sleeping_pool,                                           \
         .signal = SIGABRT)                                                    \
    {                                                                          \
        statement;                                                             \
        cf__executor_check(ex);                                                \
    }

BROKEN(by_a_thread_that_is_not_counted, pool->alive--)
BROKEN(by_a_worker_that_is_counted_twice, pool->serving++)
BROKEN(by_a_worker_that_serves_without_a_thread,
       pool->workers[1]->alive = false)
BROKEN(by_a_sleeper_that_does_not_serve, pool->workers[1]->serving = false)
BROKEN(by_a_thread_to_join_that_has_not_left, pool->workers[1]->to_join = true)
BROKEN(by_a_wrong_index, pool->workers[1]->base.index = 2)
BROKEN(by_a_sleeper_that_is_not_in_the_list,
       pool->sleepers = pool->sleepers->next_sleeper)
BROKEN(by_one_in_the_list_that_does_not_sleep, pool->sleepers->asleep = false)
BROKEN(by_a_list_that_goes_in_a_circle,
       pool->sleepers->next_sleeper = pool->sleepers)
BROKEN(by_a_sleeper_that_searches, pool->sleepers->searching = true)
BROKEN(by_a_sleeper_that_is_not_counted,
       atomic_fetch_sub(&pool->activity, CF__ONE_SLEEPING))
BROKEN(by_a_searcher_that_does_not_serve,
       atomic_fetch_add(&pool->activity, CF__ONE_SEARCHING - CF__ONE_STARTABLE))
BROKEN(by_more_workers_in_the_counts_than_there_are,
       atomic_fetch_add(&pool->activity, MAX_WORKERS *CF__ONE_AWAY))
BROKEN(by_a_worker_that_is_not_startable,
       atomic_fetch_sub(&pool->activity, CF__ONE_STARTABLE))
BROKEN(by_a_watcher_that_watches_no_worker,
       atomic_store(&pool->workers[1]->watchers, 1))
BROKEN(by_a_watcher_that_is_not_counted,
       pool->workers[1]->watching = pool->workers[2])
BROKEN(by_fewer_in_shutdown_than_none, pool->shutting_down = -1)
BROKEN(by_fewer_waiters_than_none, atomic_store(&pool->idle_waiters, -1))
BROKEN(without_a_reason, atomic_store(&pool->refuse, CF_EBROKEN))
BROKEN(by_a_deque, atomic_fetch_add(&pool->workers[1]->deque.top, 2))
BROKEN(by_its_queue, atomic_fetch_add(&pool->queue.ring_top, 1))

/* Steps that assert at once. */
BROKEN(by_a_count_below_0, cf__threads_change(pool, 0, CF__ONE_AWAY))
BROKEN(by_counts_that_are_too_large,
       cf__threads_change(pool, MAX_WORKERS *CF__ONE_SEARCHING, 0))
BROKEN(by_one_that_stops_searching_and_did_not,
       cf__threads_stop_searching(pool, pool->workers[1]))
BROKEN(by_one_that_leaves_and_serves,
       (void)cf__threads_leave_locked(pool, pool->workers[1], false))

#endif
