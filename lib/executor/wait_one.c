/* SPDX-License-Identifier: MIT */
/*
 * Waiting for one future, outside of tasks. (In a task: wait_in_task.c.)
 *
 * A thread first spins (spin.h) and then sleeps. It sets CF__SLEEPER by a
 * compare-and-swap of the word, which the completer swaps, too: either the
 * completer sees the bit and wakes the thread, or the thread's swap fails and
 * it sees that the future is done. No locks.
 */
#include "lib/executor/wait_one.h"

#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/futex.h"
#include "lib/base/spin.h"
#include "lib/base/worker.h"
#include "lib/executor/ask.h"
#include "lib/executor/budget.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/remote.h"
#include "lib/executor/scope.h"
#include "lib/executor/server.h"
#include "lib/executor/stop.h"
#include "lib/executor/wait_in_task.h"
#include "lib/future/callback.h"
#include "lib/future/future.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#define NAP_NS CF__MS(100)
enum {
    REMOTE_LOOK = 5,
    PAUSES = 4,      /* for each result that was found done */
    PAUSES_MAX = 128 /* some microseconds */
};

/* A thread that collects the outcome of a remote task may be in a callback that
 * waits for this thread. So this thread looks itself now and then. */
static int64_t
nap_end(uint64_t word, int64_t deadline_ns)
{
    return word & CF__REMOTE ? cf__sooner(deadline_ns, cf__now_ns() + NAP_NS)
                             : deadline_ns;
}

/* Sleeps until f is done, or for no reason; false: the deadline has passed. */
static bool
sleep_on(cf_future *f, uint64_t word, int64_t deadline_ns)
{
    uint64_t asleep = word | CF__SLEEPER;
    if (word != asleep && !cf_cas_weak_acq_rel(&f->word, &word, asleep))
        return true;
    cf__remote_expect(f);
    return cf__sleep(cf__futex_word(f), (uint32_t)asleep, deadline_ns);
}

/* Sleeps until f is done, or something ends the wait: a callback may fork, and
 * this is the child. */
static cf_err
sleep_until_done(cf_future *f, int64_t deadline_ns, bool firmly)
{
    struct cf__worker *sleeper = firmly ? NULL : cf__scope_sleeper();
    bool late = false;
    for (;;) {
        uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
        if (cf__is_done(word))
            return CF_OK;
        if (cf__forked(f))
            return CF_EFORKED;
        if (!firmly && cf__told_to_stop(NULL, NULL, late))
            return cf_future_done(f) ? CF_OK : CF_EINTERRUPTED;
        int64_t end = firmly ? deadline_ns : cf__stop_at(deadline_ns);
        int64_t until = nap_end(word, end);
        late = sleeper ? !cf__park_on(sleeper, f, until)
                       : !sleep_on(f, word, until);
        if (late && cf_future_done(f))
            return CF_OK;
        if (late && until == deadline_ns)
            return cf__forked(f) ? CF_EFORKED : CF_ETIMEDOUT;
    }
}

/* A thread that reads many results, one after the other, comes up to the task
 * that runs. If it looked at that one until it is done, and then at the next
 * one, it would take each future's cache lines from the worker when the worker
 * needs them. So it lets the worker get ahead: the longer, the more results it
 * has found done since its last wait. */
static void
fall_behind(int64_t deadline_ns)
{
    int pauses = cf__budget_since(cf__thread.budget_at_wait) * PAUSES;
    if (deadline_ns != CF__NEVER || cf__thread.yields_early)
        return;
    for (int i = 0; i < pauses && i < PAUSES_MAX; i++)
        cf_relax();
}

static cf_err
wait_outside(cf_future *f, int64_t deadline_ns, bool firmly)
{
    if (deadline_ns == 0)
        return CF_ETIMEDOUT;
    fall_behind(deadline_ns);
    struct cf__spin spin = cf__spin_begin();
    bool done = false;
    /* A look at a remote future takes as long as REMOTE_LOOK plain looks. */
    if (cf_load_relaxed(&f->word) & CF__REMOTE)
        spin.spins = CF__SPINS_BEFORE_YIELD * (REMOTE_LOOK - 1) / REMOTE_LOOK;
    while (!done && cf__spin_on(&spin, deadline_ns))
        done = cf_future_done(f);
    cf_err err = done ? CF_OK : sleep_until_done(f, deadline_ns, firmly);
    cf__spin_learn(&spin);
    cf__thread.budget_at_wait = cf__thread.budget;
    return err;
}

static cf_err
wait_for(cf_future *f, int64_t timeout_ns, bool firmly)
{
    if (cf_future_done(f))
        return CF_OK;
    cf__future_expect(f, "cf_future_wait(): the future is gone");
    if (cf__forked(f))
        return CF_EFORKED;
    int64_t deadline_ns = cf__deadline(timeout_ns);
    struct cf__due *due = cf__callbacks_pause();
    struct cf__worker *worker = cf__thread.worker;
    cf_err err = CF_OK;
    bool ran = timeout_ns != 0 && cf__caller_run_pending(f);
    if (!ran && (!due || !cf_future_done(f))) {
        if (!firmly && timeout_ns != 0 && cf__holds_up(f->executor))
            err = CF_EDEADLK;
        else
            err = worker ? cf__in_task_wait(worker, f, deadline_ns, firmly)
                         : wait_outside(f, deadline_ns, firmly);
    }
    cf__callbacks_resume(due);
    if (!err)
        cf__observed_seen(f);
    return err;
}

/* The short ways of a wait in a task, which is the common case: f is run here,
 * or the backend of a coroutine has one. true: f is done. */
static inline bool
wait_shortly(cf_future *f, int64_t timeout_ns)
{
    struct cf__worker *worker = cf__thread.worker;
    if (!worker || timeout_ns == 0 || cf__thread.due)
        return false;
    if (cf__in_task_run(worker, f))
        return true;
    if (!worker->suspend || timeout_ns != CF_FOREVER || cf__in_scopes() ||
        !worker->suspend->join(worker, f))
        return false;
    cf__observed_seen(f); /* which may have run in another thread */
    return true;
}

/* Not inlined, as what follows. */
__attribute__((cold, noinline)) static cf_err
refuse(const char *call, const cf_future *f)
{
    return cf__einval(call, !f ? "f is NULL" : CF__BAD_TIMEOUT);
}

cf_err
cf_future_wait(cf_future *f, int64_t timeout_ns)
{
    if (!f || !cf__timeout_valid(timeout_ns))
        return refuse(__func__, f);
    if (timeout_ns != 0 && cf_future_done(f)) {
        cf__budget_spend();
        return CF_OK;
    }
    return wait_shortly(f, timeout_ns) ? CF_OK : wait_for(f, timeout_ns, false);
}

cf_err
cf__future_wait_firmly(cf_future *f)
{
    return wait_for(f, CF_FOREVER, true);
}

static inline cf_err
outcome(const cf_future *f, uint64_t word, cf_bytes *out)
{
    const uint64_t common = CF__PHASE | CF__FAILED;
    const unsigned outside = CF__RESULT_HEAP | CF__RESULT_LENT | CF__OBSERVED;
    if ((word & common) != CF_FINISHED || f->owned & outside || !out)
        return cf__future_outcome(f, word, out);
    *out = (cf_bytes){f->result, f->result_size};
    return CF_OK;
}

/* The rare ways of cf_future_result() are functions of their own, not inlined:
 * so the common way has no registers to save. */
__attribute__((noinline)) static cf_err
wait_for_result(cf_future *f, int64_t timeout_ns, cf_bytes *out)
{
    if (!wait_shortly(f, timeout_ns)) {
        cf_err err = wait_for(f, timeout_ns, false);
        if (err)
            return err;
    }
    /* pairs with finish */
    return outcome(f, cf_load_acquire(&f->word), out);
}

__attribute__((noinline)) static cf_err
spend_for_result(const cf_future *f, uint64_t word, cf_bytes *out)
{
    cf__budget_spent();
    return outcome(f, word, out);
}

cf_err
cf_future_result(cf_future *f, int64_t timeout_ns, cf_bytes *out)
{
    if (!f || !cf__timeout_valid(timeout_ns))
        return refuse(__func__, f);
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    if (__builtin_expect(!cf__is_done(word), 0))
        return wait_for_result(f, timeout_ns, out);
    if (timeout_ns != 0 && cf__budget_count())
        return spend_for_result(f, word, out);
    return outcome(f, word, out);
}
