/* SPDX-License-Identifier: MIT */
/*
 * Tasks that will never run are taken out of the pool: the queue's, and the
 * calling worker's own. w->sweeping is held while entries are withdrawn.
 * README.md, "Sweeping", has the protocol.
 */
#include "thread_pool/pool.h"

#include "lib/executor/pending.h"
#include "lib/future/life.h"

#include "thread_pool/watch.h"

#include <stddef.h>

enum { SWEEP_LEAST = 256 }; /* entries of a deque that are worth a look */

/* The index at which the entries of frame's task begin: the task's base, made
 * 64 bits long by the present bottom. */
static uint64_t
base_of(const struct cf__frame *frame, uint64_t bottom)
{
    uint32_t base = cf_load_relaxed(&frame->f->base); /* its only writer */
    /* The base may be above bottom, which a pop may have lowered. */
    return bottom - (uint64_t)(int64_t)(int32_t)((uint32_t)bottom - base);
}

static void
set_base(const struct cf__frame *frame, uint64_t index)
{
    uint32_t base = (uint32_t)index;
    /* pairs with cf__threads_help: a helper that reads this base finds no entry
     * before the release */
    cf_store_release(&frame->f->base, base ? base : 1);
}

/* Takes the entries whose tasks will never run out of the deque. Returns these
 * tasks as a list, each with its entry's handle. */
static cf_future *
take_stale_locked(struct cf__threads_worker *w)
{
    struct cf__deque *deque = &w->deque;
    cf_future *stale = NULL;
    uint64_t begin, end;
    if (!cf__deque_withdraw(deque, &begin, &end))
        return NULL;
    uint64_t to = begin;
    /* The frames, from the outermost task inwards: the entries of each begin
     * where the deque ended when the task began. */
    struct cf__frame *frame = w->frame == &w->bottom ? NULL : w->bottom.above;
    for (uint64_t i = begin; i <= end; i++) {
        while (frame && (i == end || base_of(frame, end) <= i)) {
            if (base_of(frame, end) > begin)
                set_base(frame, to);
            frame = frame == w->frame ? NULL : frame->above;
        }
        if (i == end)
            break;
        struct cf__slot *slot = cf__deque_slot(deque, i);
        cf_future *f = cf_load_relaxed(&slot->f);
        if (cf__is_stale(f)) {
            cf_store_relaxed(&f->next, stale); /* only this thread has f */
            stale = f;
            continue;
        }
        struct cf__slot *kept = cf__deque_slot(deque, to++);
        cf_store_relaxed(&kept->f, f);
        cf_store_relaxed(&kept->place, cf_load_relaxed(&slot->place));
    }
    cf__assert(begin <= to && to <= end);
    cf__deque_release(deque, to);
    return stale;
}

/* Takes out those of the calling worker's own tasks that will never run, and
 * tells sleepers and watchers that the others are back in reach. Returns them,
 * as take_stale_locked() does. */
static cf_future *
sweep_own(struct cf__threads_worker *w)
{
    cf__lock(&w->sweeping);
    cf_future *stale = take_stale_locked(w);
    cf__unlock(&w->sweeping);
    /* The entries were out of reach, if only for a moment. */
    cf__threads_tell_of_entries(cf__threads_of(w->base.executor), w);
    return stale;
}

void
cf__threads_make_room(struct cf__deque *deque)
{
    char *worker = (char *)deque - offsetof(struct cf__threads_worker, deque);
    cf__future_unref_list(
        sweep_own((struct cf__threads_worker *)(void *)worker));
}

cf_future *
cf__threads_tidy(cf_executor *ex, uint64_t canceled)
{
    struct cf__threads *pool = cf__threads_of(ex);
    cf_future *swept = cf__queue_tidy(&pool->queue, canceled);
    if (!cf__is_own_worker(ex))
        return swept;
    struct cf__threads_worker *w = cf__threads_worker_of(cf__thread.worker);
    /* A sweep is due when half as many tasks have been cancelled since the last
     * one as there are entries. The number may be negative: this thread may be
     * late, and the last sweep may have known of more cancellations. */
    int64_t entries = (int64_t)(cf_load_relaxed(&w->deque.bottom) -
                                cf_load_relaxed(&w->deque.top));
    int64_t since = (int64_t)(canceled - w->swept_at);
    if (entries < SWEEP_LEAST || since * 2 < entries)
        return swept;
    w->swept_at = canceled;
    return cf__future_link_lists(sweep_own(w), swept);
}
