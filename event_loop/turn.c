/* SPDX-License-Identifier: MIT */
/*
 * The loop: turns. README.md, "Turns". No locks.
 */
#include "event_loop/embed.h"
#include "event_loop/engine.h"

#include "lib/base/prefetch.h"
#include "lib/executor/pending.h"
#include "lib/future/sole.h"

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

void
cf__evloop_turn(struct cf__evloop *loop)
{
    if (cf__evloop_work(loop) || cf__executor_forked(&loop->base))
        return;
    if (!cf__evloop_has_work(loop))
        cf__evloop_sleep(loop);
    else if (!loop->ready && !cf__woken_any(&loop->woken))
        cf__queue_await_refill(&loop->queue);
}
