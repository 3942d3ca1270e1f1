/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: they are made, run tasks, and switch to each other. No locks.
 */
#include "event_loop/switch.h"

#include "lib/future/block.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

_Static_assert((uint64_t)CF__STACKS_MAX <= CF__NUMBER_MAX, "woken.h has them");
_Static_assert(offsetof(struct cf__worker, stuck) >= CF_CACHE_LINE,
               "what other threads read is apart");

static void coroutine_main(void *coroutine);

/* --- coroutines ----------------------------------------------------------- */

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
free_coroutine(struct cf__evloop *loop, struct cf__coroutine *self)
{
    self->link = loop->free_coroutines;
    loop->free_coroutines = self;
    loop->free_count++;
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
    self->base.suspend = loop->suspend;
    self->on_stack.worker = &self->base;
    self->base.number = count + 1;
    self->base.links = cf__stack_beside(stacks, count);
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

/* A free one, or a new one. NULL: no memory. */
static inline struct cf__coroutine *
get_coroutine(struct cf__evloop *loop)
{
    struct cf__coroutine *self = loop->free_coroutines;
    if (__builtin_expect(!self, 0))
        return new_coroutine(loop);
    loop->free_coroutines = self->link;
    if (--loop->free_count < loop->least_free)
        loop->least_free = loop->free_count;
    return self;
}

struct cf__coroutine *
cf__coroutine_start_own(struct cf__evloop *loop)
{
    struct cf__coroutine *self = get_coroutine(loop);
    if (!self)
        return NULL;
    if (!cf__task_take_own(loop, self)) {
        free_coroutine(loop, self);
        return NULL;
    }
    enter_active(loop, self);
    return self;
}

/* --- switching ------------------------------------------------------------ */

/* What is ready becomes the batch without the loop's own part of a turn, if
 * that would find nothing. Not for long: deadlines have to be looked at. */
static inline void
begin_round(struct cf__evloop *loop)
{
    if (!loop->ready || loop->rounds_left == 0 || cf__woken_any(&loop->woken) ||
        cf__evloop_has_tasks(loop))
        return;
    loop->rounds_left--;
    loop->batch = loop->ready;
    loop->ready = NULL;
}

/* What runs next: the next coroutine of the batch, else one with the next task;
 * NULL: that is the loop's own stack's to say. */
static inline struct cf__coroutine *
choose(struct cf__evloop *loop)
{
    if (!loop->batch && loop->own)
        return cf__coroutine_start_own(loop);
    if (!loop->batch)
        begin_round(loop);
    struct cf__coroutine *next = loop->batch;
    if (next) {
        loop->batch = next->link;
        cf__coroutine_prefetch(loop->batch);
    }
    return next;
}

/* Inlined where a coroutine ends a task: see context_switch.h. */
static inline __attribute__((always_inline)) void
leave(struct cf__evloop *loop, struct cf__coroutine *self)
{
    struct cf__coroutine *next = choose(loop);
    if (next == self)
        cf__note_switch(loop, self);
    else
        cf__coroutine_switch(loop, self, next);
}

void
cf__coroutine_leave(struct cf__evloop *loop, struct cf__coroutine *self)
{
    leave(loop, self);
}

void
cf__coroutine_run(struct cf__evloop *loop, struct cf__coroutine *first)
{
    cf__note_switch(loop, first);
    loop->root_on_stack = cf__thread.on_stack;
    cf__thread.on_stack = first->on_stack;
    cf__context_switch(&loop->root, &first->context);
}

/* --- running tasks -------------------------------------------------------- */

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
        cf__coroutine_notify(loop, ender->coroutine);
}

static void
run_task(struct cf__evloop *loop, struct cf__coroutine *self)
{
    cf_future *f = cf_load_relaxed(&self->f);
    cf_bump(&loop->started);
    self->call.worker_data = loop->data;
    uint64_t flags = cf__call_run_task(&self->call, f);
    /* What callbacks wait for is not the task's wait. */
    cf__coroutine_drop(loop, self);
    if (self->joiner) { /* which goes on when f is done */
        cf__coroutine_notify(loop, self->joiner);
        self->joiner = NULL;
    }
    if (__builtin_expect(flags != 0, 0))
        cf_bump(&loop->failed);
    cf_bump_release(&loop->done); /* pairs with stats: started */
    /* The timer was faster: the task has failed, whatever it returned. */
    if (!cf__future_finish(f, flags, 0, true) && !flags)
        cf_bump(&loop->failed);
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
            if (!loop->batch && cf__evloop_has_tasks(loop) &&
                !cf__executor_forked(&loop->base))
                (void)cf__task_take(loop, self);
        }
        leave_active(loop, self);
        if (__builtin_expect(loop->enders != NULL, 0))
            tell_enders(loop);
        self->trimmed = false;
        free_coroutine(loop, self);
        leave(loop, self);
    }
}

bool
cf__coroutine_start(struct cf__evloop *loop)
{
    struct cf__coroutine *self = get_coroutine(loop);
    if (!self)
        return cf__task_refuse(loop);
    if (!cf__task_take(loop, self)) {
        free_coroutine(loop, self);
        return false;
    }
    enter_active(loop, self);
    cf__coroutine_run(loop, self);
    return true;
}

int64_t
cf__coroutine_trim_at(struct cf__evloop *loop)
{
    if (loop->trim_at == CF__NEVER &&
        loop->free_count - loop->least_free > loop->options.max_stacks_kept) {
        loop->trim_at = cf__now_ns() + CF__TRIM_NS;
        loop->least_free = loop->free_count;
    }
    return loop->trim_at;
}

void
cf__coroutine_trim(struct cf__evloop *loop)
{
    size_t used = loop->free_count - loop->least_free;
    size_t kept = loop->options.max_stacks_kept, at = 0;
    if (used <= kept)
        loop->least_free = loop->free_count;
    else
        kept = used; /* they are looked at again */
    struct cf__coroutine *self = loop->free_coroutines;
    for (; self; self = self->link, at++) {
        if (at >= kept && !self->trimmed) {
            cf__stack_trim(&loop->stacks, self);
            self->trimmed = true;
        }
    }
    loop->trim_at = CF__NEVER;
}

void
cf__coroutine_fail_all(struct cf__evloop *loop)
{
    while (loop->active) {
        struct cf__coroutine *self = loop->active;
        cf_future *f = cf_load_relaxed(&self->f);
        leave_active(loop, self);
        cf__coroutine_drop(loop, self);
        if (!f)
            continue;
        cf__call_died(&self->call, f);
        cf_bump(&loop->failed);
        cf_bump_release(&loop->done); /* pairs with stats: started */
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
