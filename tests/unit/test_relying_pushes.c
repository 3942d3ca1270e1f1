/* SPDX-License-Identifier: MIT */
/*
 * A push that finds a worker searching wakes no other one: it relies on that
 * worker (thread_pool/README.md, "Sleeping and waking"). Here each push comes
 * when the worker has searched for the last time: between its last look and W1,
 * or between a task that it has found and S1. The worker stops there until the
 * push is over. If its later look is missing, the task is never run.
 */
#include <cfutures/thread_pool.h>
#include <criterion/criterion.h>
#include <semaphore.h>

#include "thread_pool/activity.h"
#include "thread_pool/idle.h"
#include "thread_pool/tasks.h"

static cf_executor *ex;
static struct cf__threads *pool;

static sem_t reached, go_on; /* a worker is there; it may go on */
static atomic_bool stops_before_sleep, stops_with_task;

static void
await(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue;
}

static void
stop_here(atomic_bool *stops)
{
    if (!atomic_exchange(stops, false))
        return;
    sem_post(&reached);
    await(&go_on);
}

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
void __real_cf__threads_stop_searching(struct cf__threads *,
                                       struct cf__threads_worker *);
void __wrap_cf__threads_stop_searching(struct cf__threads *,
                                       struct cf__threads_worker *);

/* A searcher that has found nothing takes the lock for W1. */
int
__wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    struct cf__worker *self = cf__thread.worker;
    if (pool && lock == &pool->lock && self &&
        cf__threads_worker_of(self)->searching && !cf__threads_has_work(pool))
        stop_here(&stops_before_sleep);
    return __real_pthread_mutex_lock(lock);
}

/* It has found a task. */
void
__wrap_cf__threads_stop_searching(struct cf__threads *of,
                                  struct cf__threads_worker *w)
{
    stop_here(&stops_with_task);
    __real_cf__threads_stop_searching(of, w);
}

static void
open_pool(int workers)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = workers;
    sem_init(&reached, 0, 0);
    sem_init(&go_on, 0, 0);
    cr_assert(cf_thread_pool_create(&options, &ex) == CF_OK);
    pool = cf__threads_of(ex);
}

static void
close_pool(void)
{
    cr_assert(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
    cf_executor_destroy(ex);
    pool = NULL;
}

static int
task_posts(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)size;
    sem_post((sem_t *)(uintptr_t)arg);
    return 0;
}

static sem_t done;

static void
submit(int priority)
{
    cf_task task = CF_TASK_INIT;
    task.fn = task_posts;
    task.arg = &done;
    task.priority = priority;
    cr_assert(cf_submit_task(ex, &task, NULL) == CF_OK);
}

/* The push comes between the worker's last look and W1. */
static void
push_before_sleep(int priority)
{
    sem_init(&done, 0, 0);
    open_pool(1);
    for (int round = 0; round < 10; round++) {
        cr_assert(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
        atomic_store(&stops_before_sleep, true);
        submit(0); /* after which the worker searches */
        await(&done);
        await(&reached);
        submit(priority);
        sem_post(&go_on);
        await(&done);
    }
    close_pool();
}

Test(relying_pushes, to_a_worker_that_is_about_to_sleep)
{
    push_before_sleep(0);
}

Test(relying_pushes, of_a_high_priority)
{
    push_before_sleep(1);
}

Test(relying_pushes, of_a_low_priority)
{
    push_before_sleep(-1);
}

/* --- from inside ---------------------------------------------------------- */

static sem_t push_now, pushed;

/* Keeps its worker until another one has run what it pushes. */
static int
task_pushes(cf_call *call, const void *arg, size_t size)
{
    (void)arg, (void)size;
    await(&push_now);
    cf_err err = cf_submit(cf_call_executor(call), task_posts, &done, 0, NULL);
    sem_post(&pushed);
    await(&done);
    return (int)err;
}

Test(relying_pushes, to_a_deque)
{
    sem_init(&done, 0, 0);
    sem_init(&push_now, 0, 0);
    sem_init(&pushed, 0, 0);
    open_pool(2);
    for (int round = 0; round < 10; round++) { /* the first one sets nested */
        cf_future *f;
        cr_assert(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
        atomic_store(&stops_before_sleep, true);
        cr_assert(cf_submit(ex, task_pushes, NULL, 0, &f) == CF_OK);
        submit(0); /* after which the other worker searches */
        await(&done);
        await(&reached);
        sem_post(&push_now);
        await(&pushed);
        sem_post(&go_on);
        cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(f);
    }
    close_pool();
}

/* --- to a worker that has found a task ------------------------------------ */

static int
task_awaits(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)size;
    await((sem_t *)(uintptr_t)arg);
    return 0;
}

Test(relying_pushes, to_the_last_worker_that_searches)
{
    sem_init(&done, 0, 0);
    open_pool(2);
    for (int round = 0; round < 10; round++) {
        cf_future *f;
        cr_assert(cf_executor_wait_idle(ex, CF_FOREVER) == CF_OK);
        atomic_store(&stops_with_task, true);
        cr_assert(cf_submit(ex, task_awaits, &done, 0, &f) == CF_OK);
        await(&reached);
        submit(0);
        sem_post(&go_on);
        cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(f);
    }
    close_pool();
}
