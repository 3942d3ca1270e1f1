/* SPDX-License-Identifier: MIT */
/*
 * How coroutines wait, and are woken. README.md has the protocol of the parker,
 * and "Joins". No locks.
 */
#include "event_loop/switch.h"

#include "lib/base/spin.h"
#include "lib/future/sole.h"

static inline bool
is_done(const cf_future *f)
{
    return cf__is_done(cf_load_acquire(&f->word)); /* pairs with its finish */
}

/* Of what the loop's own tasks do, nothing happens meanwhile. */
static bool
look_on(struct cf__worker *worker, const cf_future *f)
{
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    if (is_done(f))
        return true;
    if (!f->executor || f->executor == &loop->base || loop->batch ||
        cf__evloop_has_work(loop)) /* before the clock is read */
        return false;
    struct cf__spin spin = cf__spin_begin();
    while (spin.spins < CF__SPINS_BEFORE_YIELD &&
           cf__spin_on(&spin, CF__NEVER)) {
        if (is_done(f)) {
            cf__spin_learn(&spin);
            return true;
        }
        if (cf__evloop_has_work(loop))
            return false;
    }
    return false;
}

static bool
park(struct cf__worker *worker, int64_t deadline_ns)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    if (self->hopeless)
        return false;
    if (self->notified) {
        self->notified = false;
        return true;
    }
    self->timed_out = false;
    self->parked = true;
    if (deadline_ns != CF__NEVER)
        cf__timer_heap_set(&loop->timers, &self->timer, deadline_ns);
    cf__coroutine_leave(loop, self);
    cf__timer_heap_clear(&loop->timers, &self->timer);
    if (self->timed_out)
        return false;
    self->notified = false;
    return !self->hopeless;
}

/* The thread that has finished f is about to deliver it, and uses self until
 * then. */
static void
await_delivery(struct cf__evloop *loop, struct cf__coroutine *self)
{
    while (self->sole) {
        self->parked = true;
        cf__coroutine_leave(loop, self);
    }
}

static bool
park_on(struct cf__worker *worker,
        cf_future *f,
        int64_t deadline_ns,
        bool *in_time)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    if (f->executor == worker->executor || !cf__sole_publish(f, worker))
        return false;
    self->sole = f;
    *in_time = park(worker, deadline_ns);
    if (self->sole && cf__sole_retract(f)) {
        self->sole = NULL;
        return true;
    }
    await_delivery(cf__evloop_of(worker->executor), self);
    (void)cf__sole_take(f);
    return true;
}

/* Another thread has a reason for the loop's, which is worker's. If that does
 * not sleep in libuv, the push is the last that is touched. */
static void
push_woken(struct cf__worker *worker, uint32_t kind)
{
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    uint32_t mark = cf__woken_push(
        &loop->woken, cf__woken_entry(worker->number, kind), worker->links);
    cf__evloop_rouse(loop, mark);
}

static void
deliver(struct cf__worker *worker, cf_future *f)
{
    (void)f; /* the coroutine knows it */
    push_woken(worker, CF__DELIVERED);
}

/* self's task has been told to stop, or cannot wait now. */
static inline bool
must_not_join(const struct cf__evloop *loop, const struct cf__coroutine *self)
{
    const uint64_t told = CF__INTERRUPT | CF__COMPLETING;
    const cf_future *own = cf_load_relaxed(&self->f);
    return self->notified || self->hopeless || cf__thread.forking || !own ||
           cf_load_relaxed(&own->word) & told || /* hints */
           cf_load_relaxed(&loop->base.terminated);
}

/* f is another executor's. */
static bool
join_outside(struct cf__evloop *loop, struct cf__coroutine *self, cf_future *f)
{
    struct cf__awaited awaited = {&awaited, &awaited, f};
    const uint64_t others = CF__WAITERS | CF__SOLE | CF__REMOTE;
    bool in_time;
    /* The word is a hint. A submit below on this stack may have to run f. */
    if (cf_load_relaxed(&f->word) & others || cf__thread.caller_run)
        return false;
    if (look_on(&self->base, f))
        return true;
    self->base.awaited = &awaited; /* for a debugger */
    loop->outside_waits++;
    loop->outside_stirs = true;
    (void)park_on(&self->base, f, CF__NEVER, &in_time);
    loop->outside_waits--;
    self->base.awaited = NULL;
    return is_done(f);
}

/* Only its coroutine ends a task that runs, if it has no timeout. So a note
 * with the coroutine is as good as one with the future, and needs no lock.
 * If the task is the next one to start, it is what runs next. */
static bool
join(struct cf__worker *worker, cf_future *f)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    struct cf__coroutine *runner, *next = NULL;
    if (must_not_join(loop, self))
        return false;
    if (f->executor != &loop->base)
        return f->executor && join_outside(loop, self, f);
    if (f->attributes)
        return false;
    if (f == loop->own)
        runner = next = cf__coroutine_start_own(loop);
    else if (cf__evloop_closes_circle(self, f))
        return false;
    else
        runner = cf__evloop_runner_of(loop, f);
    if (!runner || runner->joiner)
        return false;
    struct cf__awaited awaited = {&awaited, &awaited, f};
    worker->awaited = &awaited;
    self->forever = true;
    runner->joiner = self;
    self->parked = true;
    if (next)
        cf__coroutine_switch(loop, self, next);
    else
        cf__coroutine_leave(loop, self);
    self->notified = false;
    if (runner->joiner == self) /* its task goes on */
        runner->joiner = NULL;
    self->forever = self->hopeless = false;
    worker->awaited = NULL;
    return is_done(f);
}

static void
unpark(struct cf__worker *worker)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    /* no other list is needed */
    if (cf__is_own_worker(&loop->base) || cf__evloop_is_here(loop)) {
        cf__coroutine_notify(loop, self);
        if (__builtin_expect(loop->inside != NULL, 0))
            cf__evloop_wake(loop); /* perhaps no turn would come */
        return;
    }
    /* pairs with take_woken: self sees why, whichever thread has pushed it */
    if (cf_exchange_acq_rel(&worker->parker, 1) == 0)
        push_woken(worker, 0);
}

static void
yield(struct cf__worker *worker)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    cf__coroutine_ready(loop, self);
    cf__coroutine_leave(loop, self);
}

static bool
enter_wait(struct cf__worker *worker, struct cf__awaited *awaited, bool forever)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    const bool chooses = awaited->next != awaited;
    worker->awaited = awaited;
    if (!chooses && cf__evloop_closes_circle(self, awaited->f))
        return true;
    const cf_executor *runner = awaited->f->executor;
    self->outside = runner && runner != &loop->base;
    loop->outside_waits += self->outside;
    loop->outside_stirs |= self->outside;
    self->forever = forever;
    self->chooses = forever && chooses;
    if (self->chooses) {
        self->prev_chooser = NULL;
        self->next_chooser = loop->choosers;
        if (loop->choosers)
            loop->choosers->prev_chooser = self;
        loop->choosers = self;
    }
    return false;
}

static bool
leave_wait(struct cf__worker *worker)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    bool hopeless = self->hopeless;
    if (self->chooses) {
        if (self->prev_chooser)
            self->prev_chooser->next_chooser = self->next_chooser;
        else
            loop->choosers = self->next_chooser;
        if (self->next_chooser)
            self->next_chooser->prev_chooser = self->prev_chooser;
    }
    loop->outside_waits -= self->outside;
    self->hopeless = self->forever = self->chooses = self->outside = false;
    return hopeless;
}

const struct cf__suspend_ops cf__coroutine_ops = {.park = park,
                                                  .park_on = park_on,
                                                  .deliver = deliver,
                                                  .unpark = unpark,
                                                  .join = join,
                                                  .look_on = look_on,
                                                  .yield = yield,
                                                  .enter = enter_wait,
                                                  .leave = leave_wait};
