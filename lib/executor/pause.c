/* SPDX-License-Identifier: MIT */
/*
 * A task that pauses without waiting for a future. An interrupt unparks a
 * worker (README.md, "Waits that an interrupt ends"). A task that runs on no
 * worker, or belongs to an executor that is not the worker's, is told by a flag
 * only: it looks at the flag now and then. No locks.
 */
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/executor/call.h"
#include "lib/executor/scope.h"
#include "lib/executor/server.h"
#include "lib/executor/stop.h"
#include "lib/future/callback.h"

#include <sched.h>

#define LOOK_NS CF__MS(10)

static cf_err
sleep_until(const cf_call *call, int64_t deadline_ns)
{
    struct cf__worker *worker = cf__thread.worker;
    const bool by_flag =
        call && (!worker || call->executor != worker->executor);
    struct cf__worker *sleeper = worker ? worker : cf__scope_sleeper();
    _Atomic uint32_t word = 0; /* no thread wakes it */
    bool late = false;
    do {
        if (cf__told_to_stop(worker, call, late))
            return CF_EINTERRUPTED;
        int64_t until = cf__stop_at(deadline_ns);
        if (by_flag)
            until = cf__sooner(until, cf__now_ns() + LOOK_NS);
        late = sleeper ? !cf__worker_park(sleeper, until)
                       : !cf__sleep(&word, 0, until);
    } while (cf__now_ns() < deadline_ns);
    return CF_OK;
}

cf_err
cf_sleep(cf_call *call, int64_t duration_ns)
{
    if (!cf__timeout_valid(duration_ns))
        return cf__einval(__func__, CF__BAD_TIMEOUT);
    if (duration_ns == 0)
        return cf_yield(call);
    int64_t deadline_ns = cf__deadline(duration_ns);
    struct cf__due *due = cf__callbacks_pause();
    cf_err err = sleep_until(call, deadline_ns);
    cf__callbacks_resume(due);
    return err;
}

cf_err
cf_yield(cf_call *call)
{
    struct cf__worker *worker = cf__thread.worker;
    if (cf__told_to_stop(worker, call, true))
        return CF_EINTERRUPTED;
    struct cf__due *due = cf__callbacks_pause();
    if (worker && worker->suspend)
        worker->suspend->yield(worker);
    else
        sched_yield();
    cf__callbacks_resume(due);
    return CF_OK;
}
