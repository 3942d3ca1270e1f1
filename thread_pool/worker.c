/* SPDX-License-Identifier: MIT */
/*
 * A worker's life: the main function of its thread, and the thread's end, also
 * when a task ends it. pool->lock guards the threads' coming and going.
 * README.md, "Threads that end".
 */
#include "thread_pool/pool.h"

#include "lib/base/cpu_time.h"
#include "lib/base/thread.h"
#include "lib/executor/pending.h"
#include "lib/executor/scope.h"
#include "lib/future/failure.h"
#include "thread_pool/end.h"
#include "thread_pool/frame.h"
#include "thread_pool/jobs.h"
#include "thread_pool/tasks.h"

#include <stdio.h>

/* A worker that so often saw tasks and could take none waits for the thread
 * that moves them. */
enum { MISSES_BEFORE_WAIT = 16 };

/* Takes and claims the next task. NULL: the thread is to end. */
static cf_future *
next_task(struct cf__threads *pool, struct cf__threads_worker *w)
{
    for (unsigned misses = 1;; misses++) {
        cf_future *f = cf__threads_pick_at_once(pool, w);
        if (__builtin_expect(!f, 0))
            f = cf__threads_pick(pool, w);
        if (!f) {
            cf__jobs_expect_none(&w->jobs);
            if (!cf__threads_wait_for_work(pool, w))
                return NULL;
            pthread_testcancel(); /* no task would fail with the thread */
            if (misses % MISSES_BEFORE_WAIT == 0)
                cf__queue_await_refill(&pool->queue);
            continue;
        }
        /* pairs with refuse_locked: pool->broken */
        if (__builtin_expect(cf_load_acquire(&pool->refuse) == CF_EBROKEN, 0))
            cf__future_turn_away(f, pool->broken);
        else if (cf__executor_runs_no_more(&pool->base))
            cf__future_turn_away(f, NULL);
        else if (cf__future_claim(f, w->base.index))
            return f;
        else
            cf__future_drop_stale(f);
    }
}

static void
name_thread(const struct cf__threads *pool, int index)
{
    char number[CF__NAME_SIZE], name[CF__NAME_SIZE];
    int digits = snprintf(number, sizeof number, "_%d", index);
    size_t prefix =
        strnlen(pool->name_prefix, CF__NAME_SIZE - 1 - (size_t)digits);
    memcpy(name, pool->name_prefix, prefix);
    memcpy(name + prefix, number, (size_t)digits + 1);
    (void)pthread_setname_np(pthread_self(), name); /* people read it */
}

/* Calls the initializer, if there is one. If it fails, the pool is broken. */
static void
initialize(struct cf__threads *pool, struct cf__threads_worker *w)
{
    w->base.data = NULL;
    w->phase = CF__PHASE_TASKS;
    if (!pool->options.initializer)
        return;
    w->phase = CF__PHASE_INITIALIZING;
    cf__threads_pause_search(pool, w); /* it may take long */
    struct cf_call call = {.worker = w->base.index};
    int rc = cf__call_initializer(&call,
                                  pool->options.initializer,
                                  pool->options.init_data,
                                  &w->base.data);
    const cf_error *failure = cf__call_end(&call, rc);
    w->phase = failure ? CF__PHASE_FINALIZING : CF__PHASE_TASKS;
    if (!failure) {
        cf__threads_resume_search(pool, w);
        return;
    }
    cf__threads_abandon_search(pool, w); /* the break runs callbacks */
    cf__threads_break(pool, cf__failure_turn(failure, CF_EBROKEN));
}

/* Calls the finalizer if it is due. */
static void
finalize(struct cf__threads *pool, struct cf__threads_worker *w)
{
    bool due = w->phase == CF__PHASE_TASKS && pool->options.finalizer;
    w->phase = CF__PHASE_FINALIZING;
    if (due && !cf__executor_forked(&pool->base))
        pool->options.finalizer(pool->options.init_data, w->base.data);
}

/* There is work, but no worker that serves, and no thread could be started. The
 * worker has come back to break the pool, and leaves again. Returns whether the
 * caller frees the pool. */
static bool
break_without_thread(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf_error why = CF_ERROR_INIT;
    why.kind = CF_EBROKEN;
    why.message = "no thread could be started for a worker that died";
    cf__threads_break(pool, cf__failure_new(&why));
    pthread_mutex_lock(&pool->lock);
    (void)cf__threads_leave_locked(pool, w, false);
    bool last = pool->orphan && pool->alive == 0;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    return last;
}

/* The thread leaves the pool, and sees to what follows from that. The last
 * thing that the thread does: the pool may be gone afterwards. died: a task has
 * ended the thread. */
static void
end_thread(struct cf__threads *pool, struct cf__threads_worker *w, bool died)
{
    cf_err err = CF_OK;
    /* A task may have been pushed just before the pool broke.
     * pairs with refuse_locked: pool->broken */
    if (cf_load_acquire(&pool->refuse) == CF_EBROKEN)
        cf__threads_empty(pool, pool->broken);
    pthread_mutex_lock(&pool->lock);
    pool->cpu_ns += cf__cpu_time(cf_load_relaxed(&w->cpu_clock)); /* ours */
    cf_store_relaxed(&w->cpu_clock, CF__NO_CPU_CLOCK);
    bool replace = cf__threads_leave_locked(pool, w, died);
    bool last = pool->orphan && pool->alive == 0 && !replace;
    if (replace || last)
        pthread_detach(pthread_self()); /* w is reused or freed: no join */
    else
        w->to_join = true;
    if (replace)
        err = cf__threads_start(pool); /* then w may be another thread's */
    bool stuck = err && pool->serving == 0;
    if (stuck) { /* keeps the pool while it is being broken */
        w->alive = true;
        pool->alive++;
        cf__threads_set_startable_locked(pool, 0);
    }
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (stuck)
        last = break_without_thread(pool, w);
    if (last)
        cf__threads_free(pool);
}

/* On the stack of a worker's thread. When the thread has left, the worker may
 * be another thread's. */
struct thread {
    struct cf__threads_worker *w;
    bool ended;
};

/* User code has called pthread_exit(), or the thread was cancelled. */
static void
died(void *arg)
{
    struct thread *thread = arg;
    struct cf__threads_worker *w = thread->w;
    if (thread->ended)
        return;
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    /* A callback or the finalizer may end the thread again: the inner handler
     * goes on from there, and the outer one finds nothing to do. */
    pthread_cleanup_push(died, thread);
    cf__jobs_expect_none(&w->jobs); /* they were on the stack */
    cf__scopes_drop();
    cf__threads_fail_frames(w);
    if (w->phase == CF__PHASE_INITIALIZING) {
        cf_error why = CF_ERROR_INIT;
        why.kind = CF_EBROKEN;
        why.message = "the initializer ended its thread";
        why.worker = w->base.index;
        w->phase = CF__PHASE_FINALIZING;
        cf__threads_abandon_search(pool, w); /* as in initialize() */
        cf__threads_break(pool, cf__failure_new(&why));
    }
    finalize(pool, w);
    pthread_cleanup_pop(0);
    cf__thread.worker = NULL;
    thread->ended = true;
    end_thread(pool, w, true);
}

/* Runs tasks until the thread is to end. Not inlined: beside the cleanup
 * handler of its caller, no variable would be in a register. */
__attribute__((noinline)) static void
serve(struct cf__threads *pool, struct cf__threads_worker *w)
{
    for (cf_future *f; (f = next_task(pool, w)) != NULL;) {
        if (__builtin_expect(w->searching, 0))
            cf__threads_stop_searching(pool, w);
        cf__threads_run(w, f, true);
    }
}

void *
cf__threads_worker_main(void *worker)
{
    struct cf__threads_worker *w = worker;
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    struct thread thread = {w, false};
    /* for statistics, which may see it late */
    cf_store_relaxed(&w->cpu_clock, cf__cpu_clock_of_this_thread());
    w->base.callbacks_begin = cf__threads_callbacks_begin;
    cf__thread.worker = &w->base;
    cf__origin_enter(&pool->base.origin);
    w->deque.make_room = cf__threads_make_room;
    cf__threads_init_jobs(w);
    name_thread(pool, w->base.index);
    if (pool->options.pin_workers)
        cf__origin_pin(&pool->base.origin, w->base.index);
    pthread_cleanup_push(died, &thread);
    initialize(pool, w);
    serve(pool, w);
    finalize(pool, w);
    pthread_cleanup_pop(0);
    cf__thread.worker = NULL;
    end_thread(pool, w, false);
    return NULL;
}
