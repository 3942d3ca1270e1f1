/* SPDX-License-Identifier: MIT */
/*
 * Which task starts next: README.md, "Turns". No locks: but for what the queue
 * and the bound have.
 */
#include "event_loop/loop.h"

#include "lib/executor/pending.h"

/* The next task to start: of the highest priority, the oldest one. */
static cf_future *
pick(struct cf__evloop *loop)
{
    struct cf__queue *queue = &loop->queue;
    cf_future *f = NULL;
    if (cf__queue_has_prioritized(queue, true)) /* few have */
        f = cf__queue_take_prioritized(queue, true);
    if (!f)
        f = cf__evloop_take_own(loop);
    if (!f)
        f = cf__queue_take(queue);
    if (!f && cf__queue_has_prioritized(queue, false))
        f = cf__queue_take_prioritized(queue, false);
    return f;
}

/* self is to run f, which was taken from a list. false: it is no longer
 * pending, and the list's handle is dropped. */
static inline bool
claim(struct cf__coroutine *self, cf_future *f)
{
    /* Before the claim: who sees that f runs finds self. pairs with
     * cf__coroutine_of_task */
    cf_store_release(&f->base, self->base.number);
    if (__builtin_expect(cf__future_claim(f, 0), 1)) {
        cf_store_release(&self->f, f); /* pairs with the watchdog: f is whole */
        return true;
    }
    cf__future_drop_stale(f);
    return false;
}

/* As claim(), but nothing is to begin any more. */
static void
turn_away(struct cf__evloop *loop, cf_future *f)
{
    /* pairs with the breaking of the loop: why it is broken */
    bool broken = cf_load_acquire(&loop->refuse) == CF_EBROKEN;
    cf__future_turn_away(f, broken ? loop->broken : NULL);
}

/* What is pending is to be cancelled, or fails. */
static inline bool
starts_no_more(struct cf__evloop *loop)
{
    if (cf__executor_runs_no_more(&loop->base))
        return true;
    /* pairs with the breaking of the loop, and with shutdown */
    return __builtin_expect(cf_load_acquire(&loop->refuse) != CF_OK, 0) &&
           (cf_load_acquire(&loop->refuse) == CF_EBROKEN ||
            cf_load_acquire(&loop->cancels_pending));
}

bool
cf__task_take(struct cf__evloop *loop, struct cf__coroutine *self)
{
    cf_future *f;
    while (loop->starts_left > 0 && (f = pick(loop)) != NULL) {
        loop->starts_left--;
        if (starts_no_more(loop))
            turn_away(loop, f);
        else if (claim(self, f))
            return true;
    }
    return false;
}

bool
cf__task_take_own(struct cf__evloop *loop, struct cf__coroutine *self)
{
    if (loop->starts_left == 0 || starts_no_more(loop) ||
        cf__queue_has_prioritized(&loop->queue, true))
        return false;
    loop->starts_left--;
    return claim(self, cf__evloop_take_own(loop));
}

bool
cf__task_refuse(struct cf__evloop *loop)
{
    cf_future *f = pick(loop);
    if (!f)
        return false;
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_ENOMEM;
    error.message = "no memory for the task's stack (or the process has "
                    "vm.max_map_count mappings)";
    cf__future_turn_away(f, &error);
    return true;
}
