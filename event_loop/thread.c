/* SPDX-License-Identifier: MIT */
/*
 * The life of the thread that runs a loop, from its begin to its end, and how
 * that is brought about. README.md, "Turns" and "The end". loop->lock
 * guards whether the thread has left.
 */
#include "event_loop/embed.h"
#include "event_loop/engine.h"
#include "event_loop/switch.h"

#include "lib/base/cancel.h"
#include "lib/base/cpu_time.h"
#include "lib/base/forked.h"
#include "lib/executor/pending.h"
#include "lib/executor/scope.h"
#include "lib/future/block.h"
#include "lib/future/failure.h"

#include <stdlib.h>

void
cf__evloop_empty(struct cf__evloop *loop, const cf_error *why)
{
    struct cf__queue *queue = &loop->queue;
    const bool own = cf__evloop_is_here(loop);
    while (cf__queue_has_work(queue) || (own && loop->own)) {
        cf_future *f = cf__queue_take_prioritized(queue, true);
        if (!f && own)
            f = cf__evloop_take_own(loop);
        if (!f)
            f = cf__queue_take(queue);
        if (!f)
            f = cf__queue_take_prioritized(queue, false);
        if (!f) {
            cf__queue_await_refill(queue);
            continue;
        }
        cf__future_turn_away(f, why);
    }
}

void
cf__evloop_refuse(struct cf__evloop *loop, cf_err why)
{
    pthread_mutex_lock(&loop->lock);
    cf__queue_close(&loop->queue);
    if (cf_load_relaxed(&loop->refuse) == CF_OK || why == CF_EBROKEN) {
        /* pairs with is_over: the queue is closed; with take: broken */
        cf_store_release(&loop->refuse, (int)why);
        if (loop->base.bound)
            cf__bound_close(loop->base.bound, why);
    }
    pthread_mutex_unlock(&loop->lock);
}

/* The record is the loop's from here on. */
static void
break_loop(struct cf__evloop *loop, const cf_error *record)
{
    pthread_mutex_lock(&loop->lock);
    if (!loop->broken) {
        loop->broken = record;
        record = NULL;
    }
    pthread_mutex_unlock(&loop->lock);
    cf__failure_free(record);
    cf__evloop_refuse(loop, CF_EBROKEN);
    cf__evloop_empty(loop, loop->broken);
}

/* false: it failed, and the loop is broken. */
static bool
initialize(struct cf__evloop *loop)
{
    if (!loop->options.initializer)
        return true;
    struct cf_call call = {.worker = 0};
    int rc = cf__call_initializer(
        &call, loop->options.initializer, loop->options.init_data, &loop->data);
    const cf_error *failure = cf__call_end(&call, rc);
    if (!failure)
        return true;
    break_loop(loop, cf__failure_turn(failure, CF_EBROKEN));
    return false;
}

/* What follows the loop's last turn, in its thread. */
static void
end_thread(struct cf__evloop *loop)
{
    if (loop->inside)
        *loop->inside = NULL;
    if (loop->engine)
        cf__engine_free(loop->engine);
    loop->engine = NULL;
    cf_store_relaxed(&loop->owner, 0); /* no thread's name */
    pthread_mutex_lock(&loop->lock);
    bool orphan = loop->orphan;
    const bool own = !loop->in_caller && !loop->inside; /* the thread */
    if (orphan && own)
        pthread_detach(pthread_self());
    loop->to_join = own && !orphan;
    loop->cpu_ns = cf__cpu_time(loop->cpu_clock) - loop->cpu_begun;
    loop->cpu_clock = CF__NO_CPU_CLOCK;
    loop->ended = true;
    pthread_cond_broadcast(&loop->changed);
    pthread_mutex_unlock(&loop->lock);
    if (orphan && !loop->in_caller)
        cf__evloop_free(loop); /* a task has destroyed it */
}

/* A task, or what else the program has in the loop, has ended the thread: runs
 * on the thread's own stack. In a fork's child the loop is the parent's, and
 * what is shared with that, libuv's epoll set, too. */
static void
died(void *arg)
{
    struct cf__evloop *loop = arg;
    if (cf_load_relaxed(&loop->running)) { /* a coroutine: this thread's */
        cf__note_switch(loop, NULL);
        cf__context_unwound_to(&loop->root);
    }
    cf__thread.due = NULL;
    cf__thread.caller_run = NULL;
    cf__thread.inline_frames = NULL;
    cf__scopes_drop();
    cf__notice_fork();
    if (cf__executor_forked(&loop->base))
        return;
    cf_error why = CF_ERROR_INIT;
    why.kind = CF_EBROKEN;
    why.message = loop->initialized ? "a task ended the event loop's thread"
                                    : "the initializer ended its thread";
    why.worker = 0;
    loop->lost = loop->active_count > 0;
    cf__coroutine_fail_all(loop);
    break_loop(loop, cf__failure_new(&why));
    cf__thread.worker = loop->root_on_stack.worker;
    cf__thread.root_of = NULL; /* the thread ends */
    /* It may have ended in a callback of libuv, and so in a sleep. */
    cf__evloop_unmark(loop);
    cf__block_stop_keeping(&loop->keeper);
    cf__watchdog_end(loop);
    end_thread(loop);
}

/* What comes before the loop's first turn, in its thread. */
static void
begin_thread(struct cf__evloop *loop)
{
    cf__context_adopt(&loop->root);
    loop->root_on_stack = cf__thread.on_stack;
    cf__watchdog_begin(loop);
    cf__sigpipe_block(&loop->sigpipe);
    cf_store_relaxed(&loop->owner, pthread_self()); /* before the first task */
    pthread_mutex_lock(&loop->lock);
    loop->cpu_clock = cf__cpu_clock_of_this_thread();
    loop->cpu_begun = cf__cpu_time(loop->cpu_clock);
    pthread_mutex_unlock(&loop->lock);
    loop->keeper.executor = &loop->base;
    loop->keeper.suspend = &cf__evloop_keeper_ops;
    loop->initialized = initialize(loop);
}

/* ... and what comes after its last one, but for end_thread(). */
static void
finalize(struct cf__evloop *loop)
{
    if (loop->initialized && loop->options.finalizer &&
        !cf__executor_forked(&loop->base))
        loop->options.finalizer(loop->options.init_data, loop->data);
    cf__watchdog_end(loop);
    cf__sigpipe_restore(&loop->sigpipe);
}

/* Runs a part of the thread's life; n is that part's. A cancellation would hit
 * any of the tasks, so it waits. */
static void
run_part(struct cf__evloop *loop,
         void (*part)(struct cf__evloop *loop, int64_t n),
         int64_t n)
{
    int former = cf__cancel_disable();
    cf_executor *outer = cf__thread.root_of;
    pthread_cleanup_push(died, loop);
    cf__thread.root_of = &loop->base;
    part(loop, n);
    pthread_cleanup_pop(0);
    cf__thread.root_of = outer;
    cf__cancel_restore(former);
}

/* ... which is the last one. The loop may have been freed then. */
static void
run_last_part(struct cf__evloop *loop,
              void (*part)(struct cf__evloop *loop, int64_t none))
{
    int former = cf__cancel_disable();
    run_part(loop, part, 0);
    if (!cf__executor_forked(&loop->base))
        end_thread(loop);
    cf__cancel_restore(former);
}

static void
live(struct cf__evloop *loop, int64_t none)
{
    (void)none;
    begin_thread(loop);
    while (!cf__executor_forked(&loop->base) && !cf__evloop_is_over(loop))
        cf__evloop_turn(loop);
    finalize(loop);
}

void
cf__evloop_run_thread(struct cf__evloop *loop)
{
    run_last_part(loop, live);
}

/* --- a loop inside of another one ----------------------------------------- */

static void
take_some_turns(struct cf__evloop *loop, int64_t rounds)
{
    if (!loop->entered) {
        loop->entered = true;
        begin_thread(loop);
    }
    cf__watchdog_work(loop);
    do
        (void)cf__evloop_work(loop);
    while (--rounds > 0 && !cf__executor_forked(&loop->base) &&
           !cf__evloop_is_over(loop) && cf__evloop_has_work(loop));
    cf__watchdog_rest(loop);
}

bool
cf__evloop_take_turns(struct cf__evloop *loop, int rounds)
{
    run_part(loop, take_some_turns, rounds);
    return !cf__executor_forked(&loop->base);
}

static void
sleep_in_engine(struct cf__evloop *loop, int64_t deadline_ns)
{
    cf__engine_sleep(loop->engine, deadline_ns);
}

void
cf__evloop_sleep_in_engine(struct cf__evloop *loop, int64_t deadline_ns)
{
    run_part(loop, sleep_in_engine, deadline_ns);
}

static void
finish(struct cf__evloop *loop, int64_t none)
{
    (void)none;
    finalize(loop);
}

void
cf__evloop_finish(struct cf__evloop *loop)
{
    run_last_part(loop, finish);
}

/* --- the main function, and the memory ------------------------------------ */

void *
cf__evloop_main(void *arg)
{
    struct cf__evloop *loop = arg;
    cf__origin_enter(&loop->base.origin);
    (void)pthread_setname_np(pthread_self(), loop->name); /* for people */
    cf__evloop_run_thread(loop);
    return NULL;
}

/* Loops that stay for the life of the process. A search for leaks finds them
 * here. */
static _Atomic(struct cf__evloop *) lost_loops;

static void
keep_for_ever(struct cf__evloop *loop)
{
    loop->next_lost = cf_load_relaxed(&lost_loops); /* the swap checks it */
    while (!cf_cas_weak_acq_rel(&lost_loops, &loop->next_lost, loop))
        continue;
}

void
cf__evloop_free(struct cf__evloop *loop)
{
    cf__executor_fini(&loop->base);
    cf__queue_fini(&loop->queue);
    cf__failure_free(loop->broken);
    if (loop->lost) { /* others may still unpark what waits on those stacks */
        keep_for_ever(loop);
        return;
    }
    cf__coroutine_free_all(loop);
    cf__timer_heap_fini(&loop->timers);
    pthread_cond_destroy(&loop->changed);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
