/* SPDX-License-Identifier: MIT */
/*
 * The event: a flag that one task or thread sets and others wait for.
 */
#ifndef CFUTURES_EVENT_H
#define CFUTURES_EVENT_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/*
 * Events, semaphores (semaphore.h) and channels (channel.h) are for the tasks
 * of all executors that share memory (threads, event loops, inline), and for
 * plain threads, in any mix.
 *
 * A task that waits in an event loop lets the others run. On a thread pool it
 * holds its worker, as it does when it waits for a future that is completed by
 * hand: if all workers wait, and only a queued task would end one of the waits,
 * none ends. So tasks that wait for each other need a worker each, or an event
 * loop. A wait for a task's result has no such limit (cf_future_wait()).
 */

/**
 * Makes an event, which is not set.
 *
 * @param[out] out  Untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  out is NULL.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_event_destroy() it.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child has a copy of its own, as it was at the fork. Waits of the
 *            parent are not in it.
 * Python:    asyncio.Event(), threading.Event().
 */
CF_API CF_NODISCARD cf_err cf_event_create(cf_event **out);

/**
 * Frees an event.
 *
 * Calls that are under way may still be returning, such as the set that ended
 * the caller's wait. But if a task or a thread waits for the event, that
 * aborts the program.
 *
 * @param event  NULL is fine.
 *
 * Ownership: the event is gone.
 * Threads:   one; no call on the event begins afterwards.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child frees its copy.
 * Python:    del event.
 */
CF_API void cf_event_destroy(cf_event *event);

/**
 * Sets the event: ends all waits for it, and those that come later, until
 * cf_event_clear().
 *
 * Those that wait at this moment go on, also if the event is cleared at once.
 *
 * @retval CF_OK      Set now, or it was already.
 * @retval CF_EINVAL  event is NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  what the caller did before is visible to those whose wait this
 *            ends, and to those that see the event set.
 * Fork:      as cf_event_create().
 * Python:    Event.set().
 */
CF_API cf_err cf_event_set(cf_event *event);

/**
 * Clears the event: later waits begin to wait.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  event is NULL.
 *
 * The rest as cf_event_set(). Python: Event.clear().
 */
CF_API cf_err cf_event_clear(cf_event *event);

/**
 * Tells whether the event is set; false for NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  as cf_event_set().
 * Fork:      as cf_event_create().
 * Python:    Event.is_set().
 */
CF_API bool cf_event_is_set(const cf_event *event);

/**
 * Waits until the event is set.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK            It is set, or has been set during the wait.
 * @retval CF_EINVAL        event is NULL or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT     It was not set in time.
 * @retval CF_EINTERRUPTED  Called from a task that has been told to stop, as
 *                          cf_future_wait(). It would have had to wait.
 * @retval CF_EFORKED       A callback that ran during the wait has forked, and
 *                          this is the child.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    up to timeout_ns; see the top of this file. Outside of event loops
 *            it first spins for as long as cf_future_wait().
 * Ordering:  as cf_event_set().
 * Fork:      as cf_event_create().
 * Python:    await Event.wait(), wait_for(event.wait(), timeout).
 */
CF_API cf_err cf_event_wait(cf_event *event, int64_t timeout_ns);

CF_END_DECLS

#endif
