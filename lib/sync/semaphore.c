/* SPDX-License-Identifier: MIT */
/* A semaphore: see cfutures/semaphore.h, and README.md. */
#include <cfutures/semaphore.h>

#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/budget.h"
#include "lib/future/callback.h"
#include "lib/sync/line.h"

enum { HANDED_AT_A_TIME = 32 };

struct cf_semaphore {
    struct cf__meeting meeting;
    size_t count; /* units that are free. Guarded by the meeting's lock */
};

cf_err
cf_semaphore_create(size_t count, cf_semaphore **out)
{
    if (!out)
        return cf__einval(__func__, "out is NULL");
    if (count > CF__SIZE_MAX)
        return CF_ETOOBIG;
    cf_semaphore *semaphore = cf__meeting_new(sizeof *semaphore);
    if (!semaphore)
        return CF_ENOMEM;
    semaphore->count = count;
    *out = semaphore;
    return CF_OK;
}

void
cf_semaphore_destroy(cf_semaphore *semaphore)
{
    if (semaphore) {
        cf__meeting_destroy(
            &semaphore->meeting,
            "cf_semaphore_destroy(): someone waits for the semaphore");
    }
}

static struct cf__line *
line_of(cf_semaphore *semaphore)
{
    return &semaphore->meeting.lines[0];
}

/* A newcomer does not pass those that wait. */
static bool
take_locked(cf_semaphore *semaphore)
{
    if (semaphore->count == 0 || cf__line_first(line_of(semaphore)))
        return false;
    semaphore->count--;
    return true;
}

cf_err
cf_semaphore_try_acquire(cf_semaphore *semaphore)
{
    if (!semaphore)
        return cf__einval(__func__, "semaphore is NULL");
    cf__meeting_enter(&semaphore->meeting);
    bool taken = take_locked(semaphore);
    cf__meeting_leave(&semaphore->meeting);
    return taken ? CF_OK : CF_EAGAIN;
}

cf_err
cf_semaphore_acquire(cf_semaphore *semaphore, int64_t timeout_ns)
{
    if (!semaphore || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__,
                          !semaphore ? "semaphore is NULL" : CF__BAD_TIMEOUT);
    int64_t deadline_ns = cf__deadline(timeout_ns);
    struct cf__in_line self = {.item = NULL};
    struct cf__due *due = timeout_ns ? cf__callbacks_pause() : NULL;
    cf_err err = CF_OK;
    cf__meeting_enter(&semaphore->meeting);
    bool taken = take_locked(semaphore);
    if (!taken) {
        err = timeout_ns ? cf__line_wait(&semaphore->meeting,
                                         line_of(semaphore),
                                         &self,
                                         deadline_ns)
                         : CF_ETIMEDOUT;
    }
    cf__meeting_leave(&semaphore->meeting);
    cf__callbacks_resume(due);
    if (taken && timeout_ns)
        cf__budget_spend();
    return err;
}

/* The first of the line get what is free, one unit each. */
static void
hand_out_locked(cf_semaphore *semaphore)
{
    struct cf__in_line *first;
    for (int handed = 1; semaphore->count > 0 &&
                         (first = cf__line_first(line_of(semaphore))) != NULL;
         handed++) {
        semaphore->count--;
        cf__line_wake(first, CF_OK);
        if (handed % HANDED_AT_A_TIME == 0)
            cf__meeting_give_way(&semaphore->meeting);
    }
}

cf_err
cf_semaphore_release(cf_semaphore *semaphore, size_t count)
{
    if (!semaphore)
        return cf__einval(__func__, "semaphore is NULL");
    cf_err err = CF_OK;
    cf__meeting_enter(&semaphore->meeting);
    if (count > CF__SIZE_MAX - semaphore->count)
        err = CF_ETOOBIG;
    else
        semaphore->count += count;
    hand_out_locked(semaphore);
    cf__meeting_leave(&semaphore->meeting);
    return err;
}
