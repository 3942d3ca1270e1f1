/* SPDX-License-Identifier: MIT */
/*
 * The loop: turns, and the life of the thread that runs it. README.md,
 * "Turns". loop->lock guards whether the thread has left.
 */
#include "event_loop/embed.h"
#include "event_loop/engine.h"

#include "lib/base/cancel.h"
#include "lib/base/cpu_time.h"
#include "lib/base/prefetch.h"
#include "lib/executor/pending.h"
#include "lib/executor/scope.h"
#include "lib/future/failure.h"
#include "lib/future/sole.h"

#include <stdlib.h>

enum { STARTS_PER_TURN = 64, ROUNDS_PER_TURN = 32 };

#define TIMER_OWNER(timer_)                                                    \
    ((struct cf__coroutine *)(void *)((char *)(timer_)-offsetof(               \
        struct cf__coroutine, timer)))

static inline uint32_t *
below(const struct cf__evloop *loop, uint32_t entry)
{
    struct cf__links *links =
        cf__stack_beside(&loop->stacks, cf__woken_number(entry) - 1);
    return &links->below[entry & CF__DELIVERED];
}

/* The entries that come next mostly have numbers that are a bit lower or
 * higher. */
static inline void
prefetch_near(const uint32_t *link)
{
    for (ptrdiff_t lines = -2; lines <= 2; lines++)
        cf__prefetch_to_write((const char *)link + lines * CF_CACHE_LINE);
}

static inline void
open_woken(struct cf__evloop *loop, uint32_t entry)
{
    struct cf__coroutine *self =
        cf__stacks_at(&loop->stacks, cf__woken_number(entry) - 1);
    if (entry & CF__DELIVERED) {
        /* It goes on soon, and reads the result. */
        __builtin_prefetch(self->sole, 1);
        __builtin_prefetch((char *)self->sole + CF_CACHE_LINE, 1);
        self->sole = NULL;
    } else {
        /* pairs with unpark: what all did that unparked it so far; and the link
         * has been read */
        (void)cf_exchange_acq_rel(&self->base.parker, 0);
    }
    cf__coroutine_notify(loop, self);
}

/* What other threads have unparked, or wait for what they have done, may go on,
 * in the order of that. */
static void
take_woken(struct cf__evloop *loop)
{
    if (!cf__woken_any(&loop->woken))
        return;
    loop->outside_stirs = true;
    uint32_t entry = cf__woken_take(&loop->woken), above = 0;
    while (!(entry & CF__LAST)) { /* turns the links round */
        uint32_t *link = below(loop, entry), next = *link;
        prefetch_near(link);
        *link = above;
        above = entry;
        entry = next;
    }
    open_woken(loop, entry);
    while ((entry = above)) {
        above = *below(loop, entry); /* an entry that is open may be pushed */
        open_woken(loop, entry);
    }
}

/* Coroutines whose deadline has passed become ready. One that goes on for
 * another reason already has its timer set until it does. */
static void
expire(struct cf__evloop *loop)
{
    if (!loop->timers.count)
        return;
    int64_t now = cf__now_ns();
    while (cf__timer_heap_next(&loop->timers) <= now) {
        struct cf__loop_timer *timer = loop->timers.entries[0].timer;
        struct cf__coroutine *self = TIMER_OWNER(timer);
        cf__timer_heap_clear(&loop->timers, timer);
        if (!self->parked)
            continue;
        self->parked = false;
        self->timed_out = true;
        cf__coroutine_ready(loop, self);
    }
}

static void
run_batch(struct cf__evloop *loop)
{
    struct cf__coroutine *first = loop->ready;
    if (!first)
        return;
    loop->ready = NULL;
    loop->batch = first->link;
    cf__coroutine_run(loop, first);
}

bool
cf__evloop_is_over(struct cf__evloop *loop)
{
    /* pairs with refuse: the queue is closed, and what it took is in it */
    return loop->active_count == 0 && cf_load_acquire(&loop->refuse) != CF_OK &&
           !cf__evloop_has_work(loop);
}

/* Ctrl-C: ctrl_c.c. */
static void
interrupt_first(struct cf__evloop *loop)
{
    cf_store_relaxed(&loop->ctrl_c, false); /* its handler runs once */
    (void)cf_future_interrupt(loop->first);
}

bool
cf__evloop_work(struct cf__evloop *loop)
{
    if (__builtin_expect(cf_load_acquire(&loop->ctrl_c), 0)) /* pairs: tell */
        interrupt_first(loop);
    if (cf__engine_is_busy(loop->engine))
        cf__engine_look(loop->engine);
    take_woken(loop);
    expire(loop);
    loop->starts_left = STARTS_PER_TURN;
    loop->rounds_left = ROUNDS_PER_TURN;
    run_batch(loop);
    bool any = false;
    while (loop->starts_left > 0 && !cf__executor_forked(&loop->base) &&
           cf__evloop_has_tasks(loop) && cf__coroutine_start(loop))
        any = true;
    return any;
}

static void
turn(struct cf__evloop *loop)
{
    if (cf__evloop_work(loop) || cf__executor_forked(&loop->base))
        return;
    if (!cf__evloop_has_work(loop))
        cf__evloop_sleep(loop);
    else if (!loop->ready && !cf__woken_any(&loop->woken))
        cf__queue_await_refill(&loop->queue);
}

/* --- the thread ----------------------------------------------------------- */

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

/* A task has ended the thread: runs on the thread's own stack. */
static void
died(void *arg)
{
    struct cf__evloop *loop = arg;
    const struct cf__worker *worker = cf__thread.worker;
    if (worker && worker != loop->root_on_stack.worker && worker->suspend)
        cf__context_unwound_to(&loop->root);
    cf__thread.due = NULL;
    cf__thread.caller_run = NULL;
    cf__thread.inline_frames = NULL;
    cf__scopes_drop();
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
    cf__watchdog_end(loop);
    if (loop->inside)
        *loop->inside = NULL;
    end_thread(loop);
}

/* What comes before the loop's first turn, in its thread. */
static void
begin_thread(struct cf__evloop *loop)
{
    cf__context_adopt(&loop->root);
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
}

void
cf__evloop_run_thread(struct cf__evloop *loop)
{
    int former = cf__cancel_disable(); /* else it would hit any of its tasks */
    cf_executor *outer = cf__thread.root_of;
    pthread_cleanup_push(died, loop);
    cf__thread.root_of = &loop->base;
    begin_thread(loop);
    while (!cf__executor_forked(&loop->base) && !cf__evloop_is_over(loop))
        turn(loop);
    finalize(loop);
    pthread_cleanup_pop(0);
    cf__sigpipe_restore(&loop->sigpipe);
    cf__thread.root_of = outer;
    cf__cancel_restore(former);
    if (!cf__executor_forked(&loop->base))
        end_thread(loop);
}

static void
take_some_turns(struct cf__evloop *loop, int rounds)
{
    do
        (void)cf__evloop_work(loop);
    while (--rounds > 0 && !cf__executor_forked(&loop->base) &&
           !cf__evloop_is_over(loop) && cf__evloop_has_work(loop));
}

bool
cf__evloop_take_turns(struct cf__evloop *loop, int rounds)
{
    int former = cf__cancel_disable();
    cf_executor *outer = cf__thread.root_of;
    pthread_cleanup_push(died, loop);
    cf__thread.root_of = &loop->base;
    if (!loop->entered) {
        loop->entered = true;
        begin_thread(loop);
    }
    cf__watchdog_work(loop);
    take_some_turns(loop, rounds);
    cf__watchdog_rest(loop);
    pthread_cleanup_pop(0);
    cf__thread.root_of = outer;
    cf__cancel_restore(former);
    return !cf__executor_forked(&loop->base);
}

void
cf__evloop_finish(struct cf__evloop *loop)
{
    int former = cf__cancel_disable();
    finalize(loop);
    *loop->inside = NULL;
    cf__sigpipe_restore(&loop->sigpipe);
    end_thread(loop);
    cf__cancel_restore(former);
}

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
