/* SPDX-License-Identifier: MIT */
/*
 * Waits inside tasks: a worker that waits runs the awaited task itself, or one
 * that descends from it (leapfrogging). README.md, "Waiting inside a task". No
 * locks.
 */
#include "thread_pool/pool.h"

#include "lib/executor/pending.h"

#include "thread_pool/frame.h"
#include "thread_pool/jobs.h"
#include "thread_pool/watch.h"

/* The task that waits has hidden jobs. They are shared before f begins, as they
 * do not descend from it; or not before it has ended. */
__attribute__((noinline)) static void
run_over_jobs(struct cf__threads_worker *w, cf_future *f)
{
    cf__threads_share_all(w);
    struct cf__jobs_aside aside = cf__jobs_set_aside(&w->jobs);
    cf__threads_run(w, f, false);
    cf__jobs_put_back(&w->jobs, aside);
}

/* An initializer may wait, too. While it does, its worker counts as away, but
 * not while a task runs there: the pool is not idle then. */
static void
run_nested(struct cf__threads_worker *w, cf_future *f)
{
    const bool in_initializer = w->in_initializer;
    if (__builtin_expect(in_initializer, 0))
        cf__threads_abandon_search(cf__threads_of(w->base.executor), w);
    if (__builtin_expect(cf__jobs_hidden(&w->jobs), 0))
        run_over_jobs(w, f);
    else
        cf__threads_run(w, f, false);
    if (__builtin_expect(in_initializer, 0))
        cf__threads_pause_search(cf__threads_of(w->base.executor), w);
}

bool
cf__threads_run_pending(struct cf__worker *self, cf_future *f)
{
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    if (!cf__threads_can_nest(w))
        return false;
    enum cf__pop pop = cf__deque_pop_if(&w->deque, f, self->index);
    /* If it was not the newest, its entry stays: the thread that takes that
     * will find it stale. */
    if (pop == CF__POP_NOT_CLAIMED && !cf__future_claim_word(f, self->index))
        return false;
    if (self->executor->bound)
        cf__bound_release(self->executor->bound, 1);
    /* Without the entry's handle the run gets one of its own. If f ends the
     * thread, a cleanup handler of the waiting task may drop the handle that
     * the task waits with. */
    if (pop != CF__POP_CLAIMED_ENTRY)
        (void)cf_future_ref(f);
    run_nested(w, f);
    return true;
}

bool
cf__threads_help(struct cf__worker *self, cf_future *f)
{
    struct cf__threads_worker *w = cf__threads_worker_of(self);
    /* It comes here before it sleeps, too. */
    cf__threads_share_all(w);
    /* pairs with the claim, which writes the runner into the word */
    struct cf__threads_worker *runner =
        cf__threads_runner_of(self, cf_load_acquire(&f->word));
    if (!runner || cf__deque_empty(&runner->deque) || !cf__threads_can_nest(w))
        return false;
    uint32_t base = cf_load_acquire(&f->base); /* pairs with cf__threads_run */
    if (base == 0)
        return false;
    cf_future *g = cf__deque_steal(&runner->deque, base, f);
    if (!g)
        return false;
    if (cf__future_claim(g, self->index))
        run_nested(w, g);
    else
        cf__future_drop_stale(g);
    return true;
}
