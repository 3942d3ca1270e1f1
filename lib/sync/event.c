/* SPDX-License-Identifier: MIT */
/* An event: see cfutures/event.h, and README.md. */
#include <cfutures/event.h>

#include "lib/base/einval.h"
#include "lib/base/observer.h"
#include "lib/executor/budget.h"
#include "lib/future/callback.h"
#include "lib/sync/line.h"

struct cf_event {
    struct cf__meeting meeting;
    /* Atomic. Writers: under the meeting's lock (release). Readers: any
     * (acquire): they see what the setter did before. */
    atomic_bool set;
};

cf_err
cf_event_create(cf_event **out)
{
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_event *event = cf__meeting_new(sizeof *event);
    if (!event)
        return CF_ENOMEM;
    atomic_init(&event->set, false);
    *out = event;
    return CF_OK;
}

void
cf_event_destroy(cf_event *event)
{
    if (event)
        cf__meeting_destroy(&event->meeting,
                            "cf_event_destroy(): someone waits for the event");
}

cf_err
cf_event_set(cf_event *event)
{
    if (!event)
        return cf__einval(__func__, "event is NULL");
    cf__meeting_enter(&event->meeting);
    cf__observer_release(&event->meeting); /* a look takes no lock */
    cf_store_release(&event->set, true);   /* pairs with every look */
    cf__line_wake_all(&event->meeting, &event->meeting.lines[0], CF_OK);
    cf__meeting_leave(&event->meeting);
    return CF_OK;
}

cf_err
cf_event_clear(cf_event *event)
{
    if (!event)
        return cf__einval(__func__, "event is NULL");
    cf__meeting_enter(&event->meeting);
    cf_store_release(&event->set, false); /* as in cf_event_set() */
    cf__meeting_leave(&event->meeting);
    return CF_OK;
}

bool
cf_event_is_set(const cf_event *event)
{
    if (!event || !cf_load_acquire(&event->set)) /* pairs with set */
        return false;
    cf__observer_acquire(&event->meeting);
    return true;
}

cf_err
cf_event_wait(cf_event *event, int64_t timeout_ns)
{
    if (!event || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !event ? "event is NULL" : CF__BAD_TIMEOUT);
    if (timeout_ns == 0)
        return cf_event_is_set(event) ? CF_OK : CF_ETIMEDOUT;
    if (cf_event_is_set(event)) {
        cf__budget_spend();
        return CF_OK;
    }
    int64_t deadline_ns = cf__deadline(timeout_ns);
    struct cf__in_line self = {.item = NULL};
    struct cf__due *due = cf__callbacks_pause();
    cf_err err = CF_OK;
    cf__meeting_enter(&event->meeting);
    if (!cf_load_relaxed(&event->set)) /* locked */
        err = cf__line_wait(
            &event->meeting, &event->meeting.lines[0], &self, deadline_ns);
    cf__meeting_leave(&event->meeting);
    cf__callbacks_resume(due);
    return err;
}
