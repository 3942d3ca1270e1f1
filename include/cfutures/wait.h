/* SPDX-License-Identifier: MIT */
/*
 * Waiting for many futures: cf_wait() and the cf_as_completed iterator.
 */
#ifndef CFUTURES_WAIT_H
#define CFUTURES_WAIT_H

#include <cfutures/future.h>

CF_BEGIN_DECLS

typedef enum cf_return_when {
    CF_FIRST_COMPLETED, /* any future is done */
    CF_FIRST_ERROR,     /* any has failed (cancelled is not failed), or all
                           are done */
    CF_ALL_COMPLETED    /* all are done */
} cf_return_when;

/**
 * Waits for one, the first failed, or all of some futures.
 *
 * A cancelled future is done. The same future given twice counts once.
 *
 * @param futures     count handles, none NULL; borrowed for the call.
 * @param count       0 returns at once.
 * @param when        What to wait for.
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 * @param[out] done   How many different futures are done; also set on
 *                    CF_ETIMEDOUT, CF_EDEADLK and CF_EINTERRUPTED. May be
 *                    NULL. Ask each future for its own state.
 *
 * @retval CF_OK         What was waited for has happened.
 * @retval CF_ETIMEDOUT  It had not in time.
 * @retval CF_EINVAL     A NULL future, a bad when or timeout_ns.
 * @retval CF_ETOOBIG    No array has count futures; nothing was read.
 * @retval CF_ENOMEM     No memory for the wait; nothing changed.
 * @retval CF_EDEADLK    Called in a task that the futures wait for.
 * @retval CF_EINTERRUPTED  As cf_future_wait().
 * @retval CF_EFORKED    This process is a fork of the futures' own.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers, also on the same futures.
 * Blocks:    up to timeout_ns; inside a task as cf_future_wait().
 * Ordering:  everything the done tasks did is visible.
 * Fork:      see CF_EFORKED.
 * Python:    concurrent.futures.wait().
 */
CF_API cf_err cf_wait(cf_future *const *futures,
                      size_t count,
                      cf_return_when when,
                      int64_t timeout_ns,
                      size_t *done);

/**
 * Makes an iterator over futures in the order in which they finish.
 *
 * Costs O(1) per future. Futures that are done already come first, in the
 * order given. The same future given twice comes out once.
 *
 * @param futures   count handles, none NULL. The iterator takes its own
 *                  handle on each and drops it when it has handed it out.
 * @param count     0 is fine: cf_as_completed_add() follows.
 * @param[out] out  The iterator; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   A NULL future or out.
 * @retval CF_ETOOBIG  No array has so many places as count futures need.
 * @retval CF_ENOMEM
 * @retval CF_EFORKED  One is not done, and belongs to the process that forked
 *                     this one: it never will be.
 *
 * Ownership: *out is the caller's; cf_as_completed_destroy() it.
 * Threads:   one at a time uses an iterator; any uses the futures.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      in a child the futures that were done at the fork still come
 *            out; then cf_as_completed_next() is CF_EFORKED, as is adding.
 *            Destroying it there frees the child's copy and does nothing else:
 *            the number of a descriptor stays open.
 * Python:    concurrent.futures.as_completed().
 */
CF_API CF_NODISCARD cf_err cf_as_completed_create(cf_future *const *futures,
                                                  size_t count,
                                                  cf_as_completed **out);

/**
 * Adds a future, also while iterating and after CF_EDONE.
 *
 * @param f  Borrowed; the iterator takes a handle of its own, so the caller may
 *           drop its handle at once. A future that is in the iterator already
 *           is not counted twice; one that came out may be added again, and
 *           comes out again.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   it or f is NULL.
 * @retval CF_ENOMEM   Not added.
 * @retval CF_EFORKED  As cf_as_completed_create(), or it was made by the
 *                     process that forked this one. Not added.
 *
 * Ownership: the handle stays the caller's.
 * Threads:   the one that uses the iterator.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      as cf_as_completed_create().
 * Python:    none.
 */
CF_API cf_err cf_as_completed_add(cf_as_completed *it, cf_future *f);

/**
 * Hands out the next future that is done. Costs O(1), however many are
 * pending, in a task too.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 * @param[out] out    Finished or cancelled: the pointer that was given to the
 *                    iterator. Untouched unless CF_OK.
 *
 * @retval CF_OK
 * @retval CF_EDONE      All futures are out (cf_as_completed_add() may still
 *                       bring more).
 * @retval CF_ETIMEDOUT  None was done in time; cf_as_completed_remaining()
 *                       says how many are missing.
 * @retval CF_EINVAL     it or out is NULL, or timeout_ns is below -1.
 * @retval CF_EDEADLK, CF_EINTERRUPTED  As cf_wait().
 * @retval CF_EFORKED    As cf_wait().
 *
 * Ownership: *out is lent until the next call on the iterator; cf_future_ref()
 *            it to keep it.
 * Threads:   the one that uses the iterator.
 * Blocks:    up to timeout_ns; inside a task as cf_future_wait().
 * Ordering:  everything the task did is visible.
 * Fork:      as cf_as_completed_create().
 * Python:    next(as_completed(...)).
 */
CF_API cf_err cf_as_completed_next(cf_as_completed *it,
                                   int64_t timeout_ns,
                                   cf_future **out);

/**
 * Tells how many futures have not been handed out yet, done or not; 0 for NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that uses the iterator.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      as cf_as_completed_create().
 * Python:    the numbers in as_completed()'s TimeoutError.
 */
CF_API size_t cf_as_completed_remaining(const cf_as_completed *it);

/**
 * Returns a descriptor that is readable while cf_as_completed_next() would
 * not block, for epoll, libuv or GLib: level-triggered; poll it, never read
 * it. An iterator with nothing left is readable too (CF_EDONE).
 *
 * @return  An eventfd (non-blocking, close-on-exec), the same on every call;
 *          -1 with errno set if there is none to be had, or it is NULL (EPERM
 *          in a fork's child: it would be the parent's).
 *
 * Ownership: the iterator's; cf_as_completed_destroy() closes it.
 * Threads:   the call: the one that uses the iterator; polling: any.
 * Blocks:    no.
 * Ordering:  none: cf_as_completed_next() gives it.
 * Fork:      as cf_as_completed_create().
 * Python:    none.
 */
CF_API int cf_as_completed_fd(cf_as_completed *it);

/**
 * Ends the iteration, at any time.
 *
 * Cancels nothing. Drops the handles on all futures not handed out.
 *
 * @param it  NULL is fine.
 *
 * Ownership: the iterator is gone, and the future it lent last.
 * Threads:   the one that uses the iterator.
 * Blocks:    no longer than a completion that is under way.
 * Ordering:  none.
 * Fork:      as cf_as_completed_create().
 * Python:    generator.close().
 */
CF_API void cf_as_completed_destroy(cf_as_completed *it);

CF_END_DECLS

#endif
