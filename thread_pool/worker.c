/* SPDX-License-Identifier: MIT */
/*
 * A worker's life: what it runs next, running it, and its end, also when a
 * task ends its thread. No locks but in the queue's heap.
 */
#include "thread_pool/pool.h"

#include "lib/base/thread.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STEAL_FIRST_EVERY = 64, /* so that nobody's own tasks wait for ever */
    MISSES_BEFORE_WAIT = 16
};

static cf_future *
steal(struct cf__threads *pool, struct cf__threads_worker *thief)
{
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    for (int i = 1; i < slots; i++) {
        struct cf__threads_worker *victim =
            pool->workers[(thief->base.index + i) % slots];
        cf_future *f = cf__deque_steal(&victim->deque, 0, NULL);
        if (f)
            return f;
    }
    return NULL;
}

/* The oldest task of priority 0, of its own or from outside. */
static cf_future *
take_in_order(struct cf__threads *pool, struct cf__threads_worker *w)
{
    uint32_t place;
    if (!cf__deque_oldest_place(&w->deque, &place))
        return cf__queue_take(&pool->queue);
    /* Tasks from outside that came before it go first. */
    cf_future *f = NULL;
    if ((int32_t)(cf__queue_next_place(&pool->queue) - place) < 0)
        f = cf__queue_take(&pool->queue);
    return f ? f : cf__deque_steal(&w->deque, 0, NULL);
}

/* Takes the next task, pending or not, with its queue's handle. */
static cf_future *
pick(struct cf__threads *pool, struct cf__threads_worker *w)
{
    cf_future *f = cf__queue_take_prioritized(&pool->queue, true);
    if (!f && ++w->picks % STEAL_FIRST_EVERY == 0)
        f = steal(pool, w);
    if (!f)
        f = take_in_order(pool, w);
    if (!f)
        f = steal(pool, w);
    if (!f)
        f = cf__queue_take_prioritized(&pool->queue, false);
    return f;
}

cf_future *
cf__threads_take_any(struct cf__threads *pool)
{
    cf_future *f = cf__queue_take_prioritized(&pool->queue, true);
    if (!f)
        f = cf__queue_take(&pool->queue);
    if (!f)
        f = cf__queue_take_prioritized(&pool->queue, false);
    int slots = cf_load_acquire(&pool->slots); /* pairs with new_worker */
    for (int i = 0; !f && i < slots; i++)
        f = cf__deque_steal(&pool->workers[i]->deque, 0, NULL);
    return f;
}

/* Claims the next task; NULL: the thread shall end. */
static cf_future *
next_task(struct cf__threads *pool, struct cf__threads_worker *w)
{
    for (unsigned misses = 1;; misses++) {
        cf_future *f = pick(pool, w);
        if (!f) {
            if (!cf__threads_wait_for_work(pool, w))
                return NULL;
            pthread_testcancel(); /* it has no task that would fail for it */
            if (misses % MISSES_BEFORE_WAIT == 0)
                cf__queue_await_refill(&pool->queue);
            continue;
        }
        /* pairs with break: why it is broken */
        if (cf_load_acquire(&pool->refuse) == CF_EBROKEN)
            (void)cf__future_refuse(f, pool->broken);
        else if (cf__future_claim(f, w->base.index))
            return f;
        cf__future_drop_stale(f);
    }
}

bool
cf__threads_can_nest(struct cf__threads_worker *w)
{
    if (w->frame->above)
        return true;
    struct cf__frame *frame = calloc(1, sizeof *frame);
    if (!frame)
        return false;
    frame->call.executor = w->base.executor;
    frame->call.worker = w->base.index;
    frame->below = w->frame;
    w->frame->above = frame;
    return true;
}

static inline void
run(struct cf__threads_worker *w, cf_future *f, bool outermost)
{
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    /* pairs with help: entries pushed from now on descend from f */
    cf_store_release(&f->base, cf__deque_base(&w->deque));
    cf_bump(&w->started);
    struct cf__frame *frame = w->frame->above;
    frame->f = f;
    frame->call.worker_data = w->base.data;
    w->frame = frame;
    uint64_t flags = cf__call_run_task(&frame->call, f);
    w->frame = frame->below;
    if (__builtin_expect(flags != 0, 0))
        cf_bump(&w->failed);
    cf_bump_release(&w->done); /* pairs with pool_stats: started */
    if (outermost)
        cf__threads_search_early(pool, w);
    /* The timer was faster: the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_bump(&w->failed);
}

void
cf__threads_run(struct cf__threads_worker *w, cf_future *f)
{
    run(w, f, false);
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
    (void)pthread_setname_np(pthread_self(), name); /* only for people */
}

/* Calls the initializer, if there is one; its failure breaks the pool. */
static void
initialize(struct cf__threads *pool, struct cf__threads_worker *w)
{
    w->base.data = NULL;
    w->phase = CF__PHASE_SERVING;
    if (!pool->options.initializer)
        return;
    w->phase = CF__PHASE_INITIALIZING;
    cf__threads_pause_search(pool, w); /* it may take long */
    struct cf_call call = {.worker = w->base.index};
    cf__call_begin(&call, NULL, 0);
    call.fixed_sink = true; /* it has no result */
    int rc = pool->options.initializer(
        &call, pool->options.init_data, &w->base.data);
    const cf_error *failure = cf__call_end(&call, rc);
    w->phase = failure ? CF__PHASE_FINALIZING : CF__PHASE_SERVING;
    if (!failure) {
        cf__threads_resume_search(pool, w);
        return;
    }
    cf_error why = *failure;
    why.kind = CF_EBROKEN;
    cf__threads_break(pool, &why);
    cf__threads_abandon_search(pool);
    cf__failure_free(failure);
}

/* Calls the finalizer if it is due. */
static void
finalize(struct cf__threads *pool, struct cf__threads_worker *w)
{
    bool due = w->phase == CF__PHASE_SERVING && pool->options.finalizer;
    w->phase = CF__PHASE_FINALIZING;
    if (due && !cf__executor_forked(&pool->base))
        pool->options.finalizer(pool->options.init_data, w->base.data);
}

/* The innermost running task and those that wait below it go with the
 * thread. */
static void
fail_frames(struct cf__threads_worker *w)
{
    while (w->frame != &w->bottom) {
        struct cf__frame *frame = w->frame;
        cf_future *f = frame->f;
        w->frame = frame->below;
        cf__call_died(&frame->call, f);
        cf_bump(&w->failed);
        cf_bump_release(&w->done); /* pairs with pool_stats: started */
        (void)cf__future_finish(f, CF__FAILED, 0, true);
    }
}

/* On the stack of a worker's thread: after it has gone, the worker may be
 * another thread's. */
struct thread {
    struct cf__threads_worker *w;
    bool gone;
};

/* pthread_exit() in a task, or the thread was cancelled. */
static void
died(void *arg)
{
    struct thread *thread = arg;
    struct cf__threads_worker *w = thread->w;
    if (thread->gone)
        return;
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    /* A callback or the finalizer may end it again: on from there. Then this
     * handler is called once more for the outer one. */
    pthread_cleanup_push(died, thread);
    fail_frames(w);
    if (w->phase == CF__PHASE_INITIALIZING) {
        cf_error why = CF_ERROR_INIT;
        why.kind = CF_EBROKEN;
        why.message = "the initializer ended its thread";
        why.worker = w->base.index;
        cf__threads_break(pool, &why);
        cf__threads_abandon_search(pool);
        w->phase = CF__PHASE_FINALIZING;
    }
    finalize(pool, w);
    pthread_cleanup_pop(0);
    cf__thread.worker = NULL;
    thread->gone = true;
    cf__threads_worker_gone(pool, w, true);
}

void *
cf__threads_worker_main(void *worker)
{
    struct cf__threads_worker *w = worker;
    struct cf__threads *pool = cf__threads_of(w->base.executor);
    struct thread thread = {w, false};
    cf__thread.worker = &w->base;
    cf__origin_enter(&pool->base.origin);
    name_thread(pool, w->base.index);
    if (pool->options.pin_workers)
        cf__origin_pin(&pool->base.origin, w->base.index);
    pthread_cleanup_push(died, &thread);
    initialize(pool, w);
    for (cf_future *f; (f = next_task(pool, w)) != NULL;) {
        if (w->searching)
            cf__threads_stop_searching(pool, w);
        run(w, f, true);
    }
    finalize(pool, w);
    pthread_cleanup_pop(0);
    cf__thread.worker = NULL;
    cf__threads_worker_gone(pool, w, false);
    return NULL;
}
