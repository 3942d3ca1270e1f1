/* SPDX-License-Identifier: MIT */
/*
 * Waits of coroutines that could never end: README.md, "Waits that could never
 * end". No locks: what runs and waits in a loop changes in its thread only. An
 * awaited future is alive, as its waiter holds it.
 */
#include "event_loop/loop.h"

struct cf__coroutine *
cf__evloop_runner_of(const struct cf__evloop *loop, const cf_future *f)
{
    if (f->executor != &loop->base)
        return NULL;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with its claim */
    struct cf__coroutine *runner =
        cf__state(word) == CF_RUNNING ? cf__coroutine_of_task(f) : NULL;
    return runner && cf_load_relaxed(&runner->f) == f ? runner : NULL;
}

/* What self waits for without a deadline, if that is one future; else NULL. */
static const cf_future *
awaited_by(const struct cf__coroutine *self)
{
    const struct cf__awaited *awaited = self->base.awaited;
    return awaited && self->forever && awaited->next == awaited ? awaited->f
                                                                : NULL;
}

/* The last coroutine of the chain of waits that begins with f; NULL: f, or
 * something on the way, does not run in the loop. stop, which may be NULL,
 * is the last one wherever it is. */
static struct cf__coroutine *
end_of_chain(const struct cf__evloop *loop,
             const cf_future *f,
             const struct cf__coroutine *stop)
{
    for (;;) {
        struct cf__coroutine *runner = cf__evloop_runner_of(loop, f);
        if (!runner || runner == stop)
            return runner;
        const cf_future *next = awaited_by(runner);
        if (!next)
            return runner;
        f = next;
    }
}

bool
cf__evloop_closes_circle(const struct cf__coroutine *self, const cf_future *f)
{
    const struct cf__evloop *loop = cf__evloop_of(self->base.executor);
    return end_of_chain(loop, f, self) == self;
}

/* f can be done without a chooser that is not known to go on. */
static bool
can_be_done(const struct cf__evloop *loop, const cf_future *f)
{
    const struct cf__coroutine *end = end_of_chain(loop, f, NULL);
    bool chooses = end && end->base.awaited && end->forever;
    return !chooses || end->possible;
}

/* One of what self waits for can be done. It is where the next look begins. */
static bool
can_go_on(const struct cf__evloop *loop, struct cf__coroutine *self)
{
    struct cf__awaited *at = self->base.awaited;
    do {
        if (can_be_done(loop, at->f)) {
            self->base.awaited = at;
            return true;
        }
        at = at->next;
    } while (at != self->base.awaited);
    return false;
}

bool
cf__evloop_search(struct cf__evloop *loop)
{
    bool found = false;
    for (struct cf__coroutine *c = loop->choosers; c; c = c->next_chooser)
        c->possible = false;
    for (bool changed = true; changed;) {
        changed = false;
        for (struct cf__coroutine *c = loop->choosers; c; c = c->next_chooser) {
            if (!c->possible && can_go_on(loop, c))
                c->possible = changed = true;
        }
    }
    for (struct cf__coroutine *c = loop->choosers; c; c = c->next_chooser) {
        if (!c->possible)
            c->hopeless = found = true;
    }
    return found;
}

static bool
ends(const struct cf__evloop *loop, const struct cf__coroutine *self)
{
    const struct cf__ender *ender = loop->enders;
    while (ender && ender->coroutine != self)
        ender = ender->next;
    return ender != NULL;
}

size_t
cf__evloop_held_up(const struct cf__evloop *loop)
{
    size_t count = 0;
    for (const struct cf__coroutine *c = loop->active; c; c = c->next_active) {
        const cf_future *f = ends(loop, c) ? NULL : awaited_by(c);
        const struct cf__coroutine *end =
            f ? end_of_chain(loop, f, NULL) : NULL;
        count += end && ends(loop, end);
    }
    return count;
}
