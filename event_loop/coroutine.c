/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: they run tasks, are suspended in waits, and are woken. README.md
 * has the protocol of the parker. No locks.
 */
#include "event_loop/loop.h"

#include "lib/executor/pending.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

/* --- switching ------------------------------------------------------------ */

/* next goes on; NULL: the loop's own stack does. */
static inline void
note(struct cf__evloop *loop, struct cf__coroutine *next)
{
    cf_store_relaxed(&loop->running, next);
    cf_bump_release(&loop->switches); /* pairs with the watchdog: running */
}

/* What is ready becomes the batch without the loop's own part of a turn, if
 * that would find nothing. Not for long: deadlines have to be looked at. */
static inline void
begin_round(struct cf__evloop *loop)
{
    if (!loop->ready || loop->rounds_left == 0 ||
        cf_load_relaxed(&loop->woken) || cf__queue_has_work(&loop->queue))
        return;
    loop->rounds_left--;
    loop->batch = loop->ready;
    loop->ready = NULL;
}

/* Leaves self for the next coroutine of the batch, or for the loop's own stack.
 * Returns when self is gone on with. */
static void
leave(struct cf__evloop *loop, struct cf__coroutine *self)
{
    if (!loop->batch)
        begin_round(loop);
    struct cf__coroutine *next = loop->batch;
    if (next)
        loop->batch = next->link;
    note(loop, next);
    if (next == self)
        return;
    self->on_stack = cf__thread.on_stack;
    cf__thread.on_stack = next ? next->on_stack : loop->root_on_stack;
    cf__context_switch(&self->context, next ? &next->context : &loop->root);
}

void
cf__coroutine_run(struct cf__evloop *loop, struct cf__coroutine *first)
{
    note(loop, first);
    loop->root_on_stack = cf__thread.on_stack;
    cf__thread.on_stack = first->on_stack;
    cf__context_switch(&loop->root, &first->context);
}

/* --- waiting -------------------------------------------------------------- */

static bool
park(struct cf__worker *worker, int64_t deadline_ns)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    if (self->hopeless)
        return false;
    if (!self->notified) {
        self->timed_out = false;
        self->parked = true;
        if (deadline_ns != CF__NEVER)
            cf__timer_heap_set(&loop->timers, &self->timer, deadline_ns);
        leave(loop, self);
        cf__timer_heap_clear(&loop->timers, &self->timer);
        if (self->timed_out)
            return false;
    }
    self->notified = false;
    return !self->hopeless;
}

void
cf__coroutine_unpark(struct cf__worker *worker)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    if (cf__evloop_is_here(loop)) { /* no other list is needed */
        cf__coroutine_notify(loop, self);
        return;
    }
    /* pairs with take_woken: self sees why, whoever has pushed it */
    if (cf_exchange_acq_rel(&worker->parker, 1) == 1)
        return;
    struct cf__coroutine *former = cf_load_relaxed(&loop->woken);
    do {
        self->woken_link = former;
        /* pairs with take_woken: woken_link */
    } while (!cf_cas_weak_acq_rel(&loop->woken, &former, self));
    cf__evloop_wake(loop);
}

static void
yield(struct cf__worker *worker)
{
    struct cf__coroutine *self = cf__coroutine_of(worker);
    struct cf__evloop *loop = cf__evloop_of(worker->executor);
    cf__coroutine_ready(loop, self);
    leave(loop, self);
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
    self->hopeless = self->forever = self->chooses = false;
    return hopeless;
}

static const struct cf__suspend_ops suspend_ops = {.park = park,
                                                   .unpark =
                                                       cf__coroutine_unpark,
                                                   .yield = yield,
                                                   .enter = enter_wait,
                                                   .leave = leave_wait};

/* --- running tasks -------------------------------------------------------- */

static cf_future *
pick(struct cf__queue *queue)
{
    cf_future *f = NULL;
    if (cf__queue_has_prioritized(queue, true)) /* few have */
        f = cf__queue_take_prioritized(queue, true);
    if (!f)
        f = cf__queue_take(queue);
    if (!f && cf__queue_has_prioritized(queue, false))
        f = cf__queue_take_prioritized(queue, false);
    return f;
}

/* The next task is self's. */
static bool
take(struct cf__evloop *loop, struct cf__coroutine *self)
{
    cf_future *f;
    while (loop->starts_left > 0 && (f = pick(&loop->queue)) != NULL) {
        loop->starts_left--;
        /* Before the claim: who sees that f runs finds self. pairs with
         * cf__coroutine_of_task */
        cf_store_release(&f->base, self->index + 1);
        /* pairs with the breaking of the loop: why it is broken */
        if (cf_load_acquire(&loop->refuse) == CF_EBROKEN)
            (void)cf__future_refuse(f, loop->broken);
        else if (cf__executor_runs_no_more(&loop->base))
            (void)cf__future_cancel_now(f);
        else if (cf__future_claim(f, 0)) {
            /* pairs with the watchdog: f is whole */
            cf_store_release(&self->f, f);
            return true;
        }
        cf__future_drop_stale(f);
    }
    return false;
}

static void
enter_active(struct cf__evloop *loop, struct cf__coroutine *self)
{
    self->prev_active = NULL;
    self->next_active = loop->active;
    if (loop->active)
        loop->active->prev_active = self;
    loop->active = self;
    loop->active_count++;
}

static void
leave_active(struct cf__evloop *loop, struct cf__coroutine *self)
{
    if (self->prev_active)
        self->prev_active->next_active = self->next_active;
    else
        loop->active = self->next_active;
    if (self->next_active)
        self->next_active->prev_active = self->prev_active;
    loop->active_count--;
}

/* In a shutdown of their own loop they wait for the others. */
static void
tell_enders(struct cf__evloop *loop)
{
    for (struct cf__ender *ender = loop->enders; ender; ender = ender->next)
        cf__coroutine_unpark(&ender->coroutine->base);
}

static void
run_task(struct cf__evloop *loop, struct cf__coroutine *self)
{
    cf_future *f = cf_load_relaxed(&self->f);
    cf_bump(&loop->started);
    self->call.worker_data = loop->data;
    uint64_t flags = cf__call_run_task(&self->call, f);
    if (__builtin_expect(flags != 0, 0))
        cf_bump(&loop->failed);
    cf_bump_release(&loop->done); /* pairs with stats: started */
    /* What callbacks wait for is not the task's wait. */
    cf__coroutine_drop(loop, self);
    /* The timer was faster: the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_bump(&loop->failed);
}

static void
free_coroutine(struct cf__evloop *loop, struct cf__coroutine *self)
{
    self->link = loop->free_coroutines;
    loop->free_coroutines = self;
}

/* What a coroutine does for as long as the loop lives. */
static void
coroutine_main(void *coroutine)
{
    struct cf__coroutine *self = coroutine;
    struct cf__evloop *loop = cf__evloop_of(self->base.executor);
    for (;;) {
        while (cf_load_relaxed(&self->f)) {
            run_task(loop, self);
            if (__builtin_expect(loop->enders != NULL, 0))
                tell_enders(loop);
            if (!loop->batch && !cf__executor_forked(&loop->base))
                (void)take(loop, self);
        }
        leave_active(loop, self);
        if (__builtin_expect(loop->enders != NULL, 0))
            tell_enders(loop);
        self->trimmed = false;
        free_coroutine(loop, self);
        leave(loop, self);
    }
}

static struct cf__coroutine *
new_coroutine(struct cf__evloop *loop)
{
    struct cf__stacks *stacks = &loop->stacks;
    uint32_t count = cf_load_relaxed(&stacks->count); /* this thread's */
    /* A coroutine waits with one deadline at a time: so no wait needs
     * memory. */
    if (!cf__timer_heap_reserve(&loop->timers, (size_t)count + 1))
        return NULL;
    struct cf__coroutine *self = cf__stacks_new(stacks);
    if (!self)
        return NULL;
    self->base.executor = &loop->base;
    self->base.suspend = &suspend_ops;
    self->on_stack.worker = &self->base;
    self->index = count;
    self->call.executor = &loop->base;
    cf__context_make(&self->context,
                     &loop->root,
                     cf__stack_bottom(stacks, self),
                     cf__stack_room(stacks, self),
                     coroutine_main,
                     self);
    cf__stacks_count_in(stacks);
    return self;
}

/* There is no memory for the stack of the next task. */
static bool
refuse_next(struct cf__evloop *loop)
{
    cf_future *f = pick(&loop->queue);
    if (!f)
        return false;
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_ENOMEM;
    error.message = "no memory for the task's stack (or the process has "
                    "vm.max_map_count mappings)";
    (void)cf__future_refuse(f, &error);
    cf__future_drop_stale(f);
    return true;
}

bool
cf__coroutine_start(struct cf__evloop *loop)
{
    struct cf__coroutine *self = loop->free_coroutines;
    if (self)
        loop->free_coroutines = self->link;
    else
        self = new_coroutine(loop);
    if (!self)
        return refuse_next(loop);
    if (!take(loop, self)) {
        free_coroutine(loop, self);
        return false;
    }
    enter_active(loop, self);
    cf__coroutine_run(loop, self);
    return true;
}

void
cf__coroutine_trim(struct cf__evloop *loop)
{
    struct cf__coroutine *self = loop->free_coroutines;
    for (size_t kept = 0; self; self = self->link, kept++) {
        if (kept >= loop->options.max_stacks_kept && !self->trimmed) {
            cf__stack_trim(&loop->stacks, self);
            self->trimmed = true;
        }
    }
}

void
cf__coroutine_fail_all(struct cf__evloop *loop)
{
    while (loop->active) {
        struct cf__coroutine *self = loop->active;
        cf_future *f = cf_load_relaxed(&self->f);
        leave_active(loop, self);
        if (!f)
            continue;
        cf__call_died(&self->call, f);
        cf_bump(&loop->failed);
        cf_bump_release(&loop->done); /* pairs with stats: started */
        cf__coroutine_drop(loop, self);
        (void)cf__future_finish(f, CF__FAILED, 0, true);
    }
}

void
cf__coroutine_free_all(struct cf__evloop *loop)
{
    uint32_t count = cf_load_relaxed(&loop->stacks.count);
    for (uint32_t i = 0; i < count; i++) {
        struct cf__coroutine *self = cf__stacks_at(&loop->stacks, i);
        cf__context_fini(&self->context);
    }
    cf__stacks_fini(&loop->stacks);
}
