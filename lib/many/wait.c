/* SPDX-License-Identifier: MIT */
/*
 * cf_wait(). To wait for all futures it waits for one after the other, which
 * needs no memory. To wait for the first of them it uses an iterator.
 */
#include <cfutures/wait.h>

#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/budget.h"
#include "lib/many/future_set.h"

#include <pthread.h>
#include <stdlib.h>

static bool
failed(cf_future *f)
{
    return cf_future_error(f) != NULL;
}

/* Counts the different futures that are done. */
static cf_err
count_done(cf_future *const *futures, size_t count, size_t *done)
{
    struct cf__future_set set = {0};
    cf_err err = count ? cf__future_set_reserve(&set, count) : CF_OK;
    if (!err) {
        *done = 0;
        for (size_t i = 0; i < count; i++)
            if (cf_future_done(futures[i]))
                *done += cf__future_set_add(&set, futures[i]);
    }
    cf__future_set_fini(&set);
    return err;
}

static cf_err
wait_all(cf_future *const *futures, size_t count, int64_t deadline_ns)
{
    bool waited = false;
    for (size_t i = 0; i < count; i++) {
        if (cf_future_done(futures[i]))
            continue;
        waited = true;
        cf_err err = cf_future_wait(futures[i], cf__time_left(deadline_ns));
        if (err)
            return err;
    }
    if (!waited && deadline_ns != 0)
        cf__budget_spend();
    return CF_OK;
}

static void
drop_iterator(void *it)
{
    cf_as_completed_destroy(it);
}

static cf_err
wait_first(cf_future *const *futures,
           size_t count,
           bool only_errors,
           int64_t deadline_ns)
{
    for (size_t i = 0; i < count; i++) {
        if (only_errors ? failed(futures[i]) : cf_future_done(futures[i])) {
            if (deadline_ns != 0)
                cf__budget_spend();
            return CF_OK;
        }
    }
    cf_as_completed *it;
    cf_err err = cf_as_completed_create(futures, count, &it);
    if (err)
        return err;
    /* A task that runs in this wait may end the thread. */
    pthread_cleanup_push(drop_iterator, it);
    cf_future *f;
    do {
        err = cf_as_completed_next(it, cf__time_left(deadline_ns), &f);
    } while (!err && only_errors && !failed(f));
    pthread_cleanup_pop(1);
    return err == CF_EDONE ? CF_OK : err;
}

cf_err
cf_wait(cf_future *const *futures,
        size_t count,
        cf_return_when when,
        int64_t timeout_ns,
        size_t *done)
{
    const char *why = !futures && count ? "futures is NULL"
                      : (unsigned)when > CF_ALL_COMPLETED
                          ? "when is no cf_return_when"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (!cf__array_fits(count, sizeof *futures))
        return CF_ETOOBIG;
    for (size_t i = 0; i < count; i++)
        if (!futures[i])
            return cf__einval(__func__, "one of the futures is NULL");
    int64_t deadline_ns = cf__deadline(timeout_ns);
    cf_err err =
        when == CF_ALL_COMPLETED
            ? wait_all(futures, count, deadline_ns)
            : wait_first(futures, count, when == CF_FIRST_ERROR, deadline_ns);
    if (done && (!err || err == CF_ETIMEDOUT || err == CF_EDEADLK ||
                 err == CF_EINTERRUPTED)) {
        cf_err counted = count_done(futures, count, done);
        if (counted)
            err = counted;
    }
    return err;
}
