/* SPDX-License-Identifier: MIT */
/*
 * Stretches of code that can be told to stop: scopes, which have a time limit
 * or are cancelled, and shields, which keep that from code that cleans up. They
 * work in tasks of every executor, in callbacks and in plain threads.
 *
 *     cf_scope *scope;
 *     cf_err err = cf_scope_begin(call, CF_SECONDS(2), &scope);
 *     if (err)
 *         return err;
 *     err = fetch(call, url, &page);        // waits as often as it likes
 *     cf_err struck = cf_scope_end(scope);  // CF_ETIMEDOUT: 2 s were too short
 *
 * A scope strikes when its time has passed or when it is cancelled. From then
 * on until it ends, each wait inside that would sleep returns CF_EINTERRUPTED,
 * the next one and all that follow: code that drops one error meets the next
 * one. A wait that need not sleep succeeds, and a wait whose own time runs out
 * first still returns CF_ETIMEDOUT. cf_call_canceled() is true.
 *
 * The waits are those that an interrupt ends too: cf_future_wait(),
 * cf_future_result(), cf_wait(), cf_as_completed_next(), cf_results_next(),
 * cf_map_array(), cf_parallel_for(), cf_sleep(), cf_yield(), those of event.h,
 * semaphore.h and channel.h, and a submit that waits for room in a queue. A
 * wait for an executor is not.
 *
 * Scopes and shields nest: the one that has begun last ends first. They belong
 * to the task (or callback, or thread) that begins them; a task that runs on
 * top of its waiting submitter has none of the submitter's. Who returns inside
 * of one ends the program with a sentence that says so; a thread that ends
 * inside of one (pthread_exit()) need not end it.
 */
#ifndef CFUTURES_SCOPE_H
#define CFUTURES_SCOPE_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/**
 * Begins a scope.
 *
 * @param call        The task's own call; NULL outside of tasks.
 * @param timeout_ns  After so many nanoseconds it strikes: 0 at once,
 *                    CF_FOREVER never. If it is 500 ms or more, it counts
 *                    from the first wait inside that sleeps, or call of
 *                    cf_call_canceled(); but it is never extended by more than
 *                    50 ms so.
 * @param[out] out    The scope; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  out is NULL, or timeout_ns is below -1.
 * @retval CF_ENOMEM  No scope has begun.
 *
 * Ownership: *out is the caller's; cf_scope_end() it.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      a scope is in the child too, for the task or thread that forked.
 * Python:    asyncio.timeout(), anyio.CancelScope, trio.move_on_after().
 */
CF_API CF_NODISCARD cf_err cf_scope_begin(cf_call *call,
                                          int64_t timeout_ns,
                                          cf_scope **out);

/**
 * Ends a scope, and says whether it has stopped what was inside.
 *
 * If its time has passed, but neither a wait nor cf_call_canceled() inside has
 * said so, then all went well, and it returns CF_OK.
 *
 * @param scope  The one that the caller has begun last.
 *
 * @retval CF_OK            Nothing was told to stop.
 * @retval CF_ETIMEDOUT     Its time has passed, and code inside was told.
 * @retval CF_ECANCELED     It has been cancelled.
 * @retval CF_EINTERRUPTED  Code inside was told to stop by another cause: a
 *                          scope around this one has struck, or the task has
 *                          been interrupted.
 * @retval CF_EINVAL        It is not the innermost scope of the caller, or it
 *                          has a shield that has not ended. Nothing changed.
 *
 * Ownership: the scope is gone, unless CF_EINVAL.
 * Threads:   the one that has begun it.
 * Blocks:    no longer than a cf_scope_cancel() that is under way.
 * Ordering:  after CF_ECANCELED, what the canceller did before is visible.
 * Fork:      works in a child.
 * Python:    leaving the block; CF_ETIMEDOUT: TimeoutError.
 */
CF_API cf_err cf_scope_end(cf_scope *scope);

/**
 * Strikes a scope now, and wakes the wait inside, if there is one.
 *
 * Any thread or task may call it that is sure of one thing: if this call did
 * not come, the scope would still be open. It need not care that the scope may
 * end as soon as this call has struck.
 *
 * @param scope  NULL is fine. If it has struck already, nothing happens.
 *
 * Ownership: nothing changes hands.
 * Threads:   any, also the one that has begun it; not another process.
 * Blocks:    no.
 * Ordering:  who is told inside sees what the caller did before.
 * Fork:      in a child, only scopes of the thread that forked can be
 *            cancelled.
 * Python:    CancelScope.cancel().
 */
CF_API void cf_scope_cancel(cf_scope *scope);

/**
 * Gives a scope another time limit, which counts from now.
 *
 * @param scope       Any of the scopes that the caller is in.
 * @param timeout_ns  As for cf_scope_begin(); it may also be a shorter one.
 *
 * @retval CF_OK
 * @retval CF_ETIMEDOUT, CF_ECANCELED  Code inside has been told that it has
 *                                     struck: it stays so.
 * @retval CF_EINVAL  The caller is not in that scope, or timeout_ns is below
 *                    -1.
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that has begun it.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    Timeout.reschedule().
 */
CF_API cf_err cf_scope_extend(cf_scope *scope, int64_t timeout_ns);

/**
 * Begins a shield: what is inside is not told to stop.
 *
 * Neither by the scopes around it, nor by an interrupt, the task's own timeout
 * or cf_executor_terminate(): waits inside work, and cf_call_canceled() is
 * false. What has come meanwhile is told after the shield's end. A scope that
 * begins inside of the shield counts as everywhere. Keep it short: it is for
 * clean-up. A worker process that has to go is killed all the same.
 *
 * @param call  As for cf_scope_begin().
 *
 * Ownership: nothing changes hands.
 * Threads:   any.
 * Blocks:    no. It needs no memory and cannot fail.
 * Ordering:  none.
 * Fork:      as cf_scope_begin().
 * Python:    anyio.CancelScope(shield=True).
 */
CF_API void cf_shield_begin(cf_call *call);

/**
 * Ends the shield that has begun last. A scope that has begun inside of it has
 * ended before. Else, or without a shield, it ends the program with a sentence.
 *
 * @param call  As for cf_scope_begin().
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that has begun it.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      as cf_scope_begin().
 * Python:    leaving the block.
 */
CF_API void cf_shield_end(cf_call *call);

CF_END_DECLS

#endif
