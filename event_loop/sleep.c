/* SPDX-License-Identifier: MIT */
/*
 * How the loop's thread sleeps when it has nothing to do. README.md, "Sleeping
 * and waking". loop->lock guards who asks whether it is idle.
 */
#include "event_loop/embed.h"
#include "event_loop/engine.h"

#include "lib/base/spin.h"
#include "lib/future/block.h"

/* Says so to the threads in wait_idle(). */
static void
answer(struct cf__evloop *loop)
{
    unsigned asked = cf_load_acquire(&loop->asked); /* pairs with wait_idle */
    if (cf__evloop_has_tasks(loop))
        return;
    pthread_mutex_lock(&loop->lock);
    if (loop->answered != asked) {
        loop->answered = asked;
        pthread_cond_broadcast(&loop->changed);
    }
    pthread_mutex_unlock(&loop->lock);
}

/* Wakes those that wait for each other. */
static bool
wake_hopeless(struct cf__evloop *loop)
{
    if (!loop->choosers || loop->timers.count ||
        cf__engine_is_busy(loop->engine) || !cf__evloop_search(loop))
        return false;
    for (struct cf__coroutine *c = loop->choosers; c; c = c->next_chooser)
        if (c->hopeless)
            cf__coroutine_notify(loop, c);
    return true;
}

/* Until the deadline, or until something happens. false: it has passed. */
static bool
rest(struct cf__evloop *loop, uint32_t how, int64_t deadline_ns)
{
    if (how == CF__ASLEEP)
        return cf__futex_wait(&loop->woken.word, CF__ASLEEP, deadline_ns);
    cf__engine_sleep(loop->engine, deadline_ns);
    return cf_load_relaxed(&loop->woken.word) != how ||
           cf__evloop_has_work(loop) || cf__now_ns() < deadline_ns;
}

/* Memory of a burst, of futures and of stacks, is given back when nothing has
 * come for a while: to have it again costs more than to keep it for that long.
 * And the loop may be the one that is told when others have freed much. */
static void
doze(struct cf__evloop *loop, uint32_t how)
{
    const int64_t next = cf__timer_heap_next(&loop->timers);
    int64_t blocks_at = CF__NEVER;
    if (cf__block_may_trim())
        blocks_at = cf__now_ns() + CF__TRIM_NS;
    for (;;) {
        int64_t stacks_at = cf__coroutine_trim_at(loop);
        int64_t trim_at = cf__sooner(blocks_at, stacks_at);
        int64_t until = cf__sooner(next, trim_at);
        bool keeps = blocks_at == CF__NEVER && cf__block_keep(&loop->keeper);
        bool woken = rest(loop, how, until);
        if (keeps)
            cf__block_stop_keeping(&loop->keeper);
        if (woken || until != trim_at || trim_at == CF__NEVER ||
            cf__executor_forked(&loop->base))
            return;
        if (trim_at == stacks_at) {
            cf__coroutine_trim(loop);
        } else {
            cf__block_trim();
            blocks_at = CF__NEVER; /* once is enough */
        }
    }
}

/* It has to look at what has been freed: the sleep is over, and the next one is
 * short. */
static void
wake_keeper(struct cf__worker *keeper)
{
    cf__evloop_wake(cf__evloop_of(keeper->executor));
}

const struct cf__suspend_ops cf__evloop_keeper_ops = {.unpark = wake_keeper};

/* For a short time before a sleep: what a task waits for may be done by another
 * executor before the thread would be asleep, or awake again. Of what libuv
 * waits for, only a call of the kernel can tell: that is as long as a yield,
 * and comes as often. true: there is work. */
static bool
look_on(struct cf__evloop *loop, struct cf__spin *spin)
{
    int64_t next = cf__timer_heap_next(&loop->timers);
    while (!cf__evloop_has_work(loop)) {
        if (!cf__spin_on(spin, next))
            return false;
        if (spin->yield_at && cf__engine_is_busy(loop->engine))
            cf__engine_look(loop->engine);
    }
    return true;
}

void
cf__evloop_be_idle(struct cf__evloop *loop)
{
    if (loop->active_count == 0)
        answer(loop);
}

void
cf__evloop_unmark(struct cf__evloop *loop)
{
    if (loop->marked && cf__woken_unmark(&loop->woken) == 0)
        loop->engine->owed++;
    loop->marked = false;
}

/* With the mark in woken. */
static void
sleep_marked(struct cf__evloop *loop, uint32_t how)
{
    loop->marked = how == CF__ASLEEP_IN_ENGINE;
    cf__fence_full(); /* pairs with cf__evloop_wake */
    cf__evloop_be_idle(loop);
    bool over = loop->active_count == 0 &&
                cf_load_acquire(&loop->refuse) != CF_OK; /* pairs with refuse */
    if (!over && !cf__evloop_has_work(loop)) {
        cf__watchdog_rest(loop);
        doze(loop, how);
        cf__watchdog_work(loop);
    }
    if (how == CF__ASLEEP_IN_ENGINE)
        cf__evloop_unmark(loop);
    else
        (void)cf__woken_unmark(&loop->woken);
}

void
cf__evloop_sleep(struct cf__evloop *loop)
{
    if (wake_hopeless(loop))
        return;
    /* An answer may come soon if a question was asked just now, or another one
     * has been answered. */
    const bool looks = loop->outside_waits > 0 && loop->outside_stirs;
    loop->outside_stirs = false;
    struct cf__spin spin = {0};
    if (looks) {
        spin = cf__spin_begin();
        if (look_on(loop, &spin)) {
            cf__spin_learn(&spin);
            return;
        }
    }
    uint32_t how =
        cf__engine_is_busy(loop->engine) ? CF__ASLEEP_IN_ENGINE : CF__ASLEEP;
    if (cf__woken_mark(&loop->woken, how))
        sleep_marked(loop, how);
    if (looks)
        cf__spin_learn(&spin);
}
