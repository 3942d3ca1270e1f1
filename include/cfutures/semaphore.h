/* SPDX-License-Identifier: MIT */
/*
 * The semaphore: so many tasks or threads at a time. event.h says where it may
 * be used, and what a wait on a thread pool holds.
 */
#ifndef CFUTURES_SEMAPHORE_H
#define CFUTURES_SEMAPHORE_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/**
 * Makes a semaphore. With one unit it is a lock that may be held across waits.
 *
 * @param count     Units that are free. 0: each acquire waits for a release.
 * @param[out] out  Untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  out is NULL.
 * @retval CF_ETOOBIG count is above PTRDIFF_MAX.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_semaphore_destroy() it.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child has a copy of its own, as it was at the fork: units that
 *            threads of the parent have stay taken. Waits of the parent are not
 *            in it.
 * Python:    asyncio.Semaphore(count), asyncio.Lock().
 */
CF_API CF_NODISCARD cf_err cf_semaphore_create(size_t count,
                                               cf_semaphore **out);

/**
 * Frees a semaphore, whatever its count. Other calls that are under way may
 * still be returning. But if a task or a thread waits for a unit, that aborts
 * the program.
 *
 * @param semaphore  NULL is fine.
 *
 * Ownership: the semaphore is gone.
 * Threads:   one; no call on the semaphore begins afterwards.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a child frees its copy.
 * Python:    del semaphore.
 */
CF_API void cf_semaphore_destroy(cf_semaphore *semaphore);

/**
 * Takes one unit, and waits for it if none is free.
 *
 * Those that wait get units in the order in which they came, and no call
 * passes them. A call that returns an error has taken nothing: a unit that was
 * handed to it at that moment makes it return CF_OK.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK            The caller has one unit more.
 * @retval CF_EINVAL        semaphore is NULL or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT     None was to be had in time.
 * @retval CF_EINTERRUPTED, CF_EFORKED  As cf_event_wait().
 *
 * Ownership: the unit is the caller's, until any thread releases it.
 * Threads:   any number of callers.
 * Blocks:    as cf_event_wait().
 * Ordering:  what was done before the release of the unit is visible.
 * Fork:      as cf_semaphore_create().
 * Python:    await Semaphore.acquire().
 */
CF_API cf_err cf_semaphore_acquire(cf_semaphore *semaphore, int64_t timeout_ns);

/**
 * Takes one unit if one is free and none waits for it.
 *
 * @retval CF_OK      The caller has one unit more.
 * @retval CF_EAGAIN  There is none now.
 * @retval CF_EINVAL  semaphore is NULL.
 *
 * Blocks:    no.
 *
 * The rest as cf_semaphore_acquire(). Python: Semaphore.locked().
 */
CF_API cf_err cf_semaphore_try_acquire(cf_semaphore *semaphore);

/**
 * Gives back units, or adds new ones. They go to those that wait, one each,
 * then to the count.
 *
 * @param count  0 does nothing.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   semaphore is NULL.
 * @retval CF_ETOOBIG  More than PTRDIFF_MAX would be free. Nothing changed.
 *
 * Ownership: the units are the semaphore's.
 * Threads:   any number of callers, also such that never acquired.
 * Blocks:    no.
 * Ordering:  see cf_semaphore_acquire().
 * Fork:      as cf_semaphore_create().
 * Python:    Semaphore.release().
 */
CF_API cf_err cf_semaphore_release(cf_semaphore *semaphore, size_t count);

CF_END_DECLS

#endif
