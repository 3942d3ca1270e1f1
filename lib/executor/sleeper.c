/* SPDX-License-Identifier: MIT */
/* Sleeping until another thread wakes this one: see sleeper.h. No locks. */
#include "lib/executor/sleeper.h"

#include "lib/base/forked.h"
#include "lib/base/spin.h"
#include "lib/base/worker.h"
#include "lib/executor/scope.h"
#include "lib/executor/server.h"
#include "lib/executor/stop.h"

void
cf__sleeper_init(struct cf__sleeper *self)
{
    self->worker = cf__thread.worker ? cf__thread.worker : cf__scope_sleeper();
    self->generation = cf__generation;
    atomic_init(&self->woken, 0);
}

static bool
is_woken(struct cf__sleeper *self)
{
    /* pairs with wake: sees what the waker did */
    return cf_load_acquire(&self->woken) != 0;
}

/* A coroutine lets other coroutines run instead of spinning. */
static bool
spin(struct cf__sleeper *self, int64_t deadline_ns)
{
    if (self->worker && self->worker->suspend)
        return is_woken(self);
    struct cf__spin turns = cf__spin_begin();
    bool woken = is_woken(self);
    while (!woken && cf__spin_on(&turns, deadline_ns))
        woken = is_woken(self);
    cf__spin_learn(&turns);
    return woken;
}

cf_err
cf__sleeper_wait(struct cf__sleeper *self, int64_t deadline_ns, bool firmly)
{
    bool late = false;
    if (spin(self, firmly ? deadline_ns : cf__stop_at(deadline_ns)))
        return CF_OK;
    while (!is_woken(self)) {
        if (self->generation != cf__generation_now())
            return CF_EFORKED;
        if (!firmly && cf__told_to_stop(cf__thread.worker, NULL, late))
            return CF_EINTERRUPTED;
        int64_t until = firmly ? deadline_ns : cf__stop_at(deadline_ns);
        late = self->worker ? !cf__worker_park(self->worker, until)
                            : !cf__sleep(&self->woken, 0, until);
        if (late && until == deadline_ns && !is_woken(self))
            return CF_ETIMEDOUT;
    }
    return CF_OK;
}

void
cf__sleeper_wake(struct cf__sleeper *sleeper)
{
    struct cf__worker *worker = sleeper->worker;
    cf_store_release(&sleeper->woken, 1); /* pairs with is_woken */
    if (worker)
        cf__worker_unpark(worker);
    else
        cf__futex_wake(&sleeper->woken, 1);
}
