/* SPDX-License-Identifier: MIT */
/*
 * The future: one task's outcome, waited for, cancelled, or called back on.
 */
#ifndef CFUTURES_FUTURE_H
#define CFUTURES_FUTURE_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/*
 * PENDING -> RUNNING -> FINISHED, or PENDING -> CANCELED, or, for a future
 * completed by hand, PENDING -> FINISHED. RUNNING means that a worker has
 * really taken the task; everything before that can be cancelled.
 */
typedef enum cf_state {
    CF_PENDING,
    CF_RUNNING,
    CF_CANCELED,
    CF_FINISHED
} cf_state;

/* Called once when a future is done: see cf_future_on_done(). */
typedef void cf_done_fn(cf_future *f, void *data);

/**
 * Takes one more handle on a future.
 *
 * @param f  NULL gives NULL.
 * @return   f.
 *
 * Ownership: the new handle is the caller's; cf_future_unref() it. At most
 *            2^32 - 1 handles.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      fine in a child, whose copy of a task's future never completes.
 * Python:    another reference.
 */
CF_API cf_future *cf_future_ref(cf_future *f);

/**
 * Gives up one handle; with the last one the future and its result go. That
 * runs the destructors which the user gave: of a result, of a failure's object.
 *
 * Dropping the last handle of a pending or running task cancels nothing: the
 * task runs detached. A handle too many aborts the program.
 *
 * @param f  NULL is fine.
 *
 * Ownership: the handle is gone, and everything that the future lent.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      fine in a child.
 * Python:    del future.
 */
CF_API void cf_future_unref(cf_future *f);

/**
 * Returns where the task stands at this moment.
 *
 * @param f  NULL gives CF_PENDING.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  once it says FINISHED or CANCELED, everything the task did is
 *            visible.
 * Fork:      in a child, the state at the time of the fork.
 * Python:    Future.running(), cancelled(), done().
 */
CF_API cf_state cf_future_state(const cf_future *f);

/**
 * Returns the name of a state, such as "pending"; total, a static string.
 *
 * Threads:   any, at any time.
 * Blocks:    no.
 * Python:    repr(future).
 */
CF_API const char *cf_state_name(cf_state state);

/**
 * Tells whether the future is FINISHED or CANCELED; false for NULL.
 *
 * The rest as cf_future_state(). Python: Future.done().
 */
CF_API bool cf_future_done(const cf_future *f);

/**
 * Cancels a task that no worker has taken yet.
 *
 * Every waiter learns of it at once and the callbacks run before this
 * returns, in this thread; in a callback they run after that one, as
 * cf_future_on_done() says.
 *
 * @retval true   The task will never run: cancelled now or before.
 * @retval false  It is running or finished, or f is NULL.
 *
 * Ownership: the handle stays the caller's; the task's argument is freed now.
 * Threads:   any number of callers, also from tasks and callbacks.
 * Blocks:    no, but runs the callbacks.
 * Ordering:  as a completion.
 * Fork:      in a child: false, nothing happens.
 * Python:    Future.cancel().
 */
CF_API bool cf_future_cancel(cf_future *f);

/**
 * Cancels a pending task, or asks a running one to stop.
 *
 * A running task sees cf_call_canceled() become true, and a wait inside it that
 * would sleep returns CF_EINTERRUPTED: the one that it is in, and all later
 * ones. A wait for what is there succeeds as ever. If the task then fails, that
 * is CF_ECANCELED; if it succeeds, the success stands. (A process worker that
 * has not finished after kill_grace_ns is killed.)
 *
 * This ends waits for futures, for events, semaphores and channels, cf_sleep(),
 * and submits that wait for room. It does not end cf_executor_wait_idle() or
 * cf_executor_shutdown(), nor a map that waits for room (cf_map()). It ends no
 * wait in a task of a process pool or of the inline executor, nor in one that
 * its submitter runs (CF_QUEUE_CALLER_RUNS).
 *
 * @retval true   Cancelled, or the running task was asked.
 * @retval false  The future was finished already, or f is NULL.
 *
 * Ownership: the handle stays the caller's.
 * Threads:   any number of callers.
 * Blocks:    no; when it cancels it runs the callbacks.
 * Ordering:  none while the task runs.
 * Fork:      in a child: false, nothing happens.
 * Python:    none.
 */
CF_API bool cf_future_interrupt(cf_future *f);

/**
 * Waits until the future is done.
 *
 * Inside a task of the same pool the wait cannot deadlock the pool: a task
 * that has not started is run here, by the waiter; while it runs elsewhere
 * the waiter may run tasks that descend from it, never unrelated work.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK         Done: finished, failed or cancelled.
 * @retval CF_EINVAL     f is NULL or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT  Not done in time; nothing else changed. A task that
 *                       the waiter took over is finished first, even if that
 *                       takes longer.
 * @retval CF_EDEADLK    Called from a task that f itself waits for, directly
 *                       or over others of this pool: it could never end. A
 *                       task that waits for one it descends from gets this
 *                       too, if it runs on top of it. Or f is a task of an
 *                       event loop, and this is the loop's thread, but no task.
 * @retval CF_EINTERRUPTED  Called from a task that has been told to stop: by
 *                       cf_future_interrupt(), its timeout or
 *                       cf_executor_terminate(); or in a scope that has
 *                       struck. It would have had to sleep.
 * @retval CF_EFORKED    f is not done and this process is a fork of the one
 *                       that submitted it.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    up to timeout_ns. Outside tasks it spins for about as long as
 *            two wake-ups take (50 microseconds on a quick machine, 400 at
 *            most) and then sleeps.
 * Ordering:  everything the task did is visible after CF_OK.
 * Fork:      see CF_EFORKED.
 * Python:    concurrent.futures.wait([f], timeout).
 */
CF_API cf_err cf_future_wait(cf_future *f, int64_t timeout_ns);

/**
 * Waits for the task's result.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 * @param[out] out    The bytes; untouched unless CF_OK. May be NULL.
 *
 * @retval CF_OK  The task succeeded.
 * @retval CF_ETASK, CF_EWORKERDIED, CF_EDEADLINE, CF_EBROKEN, CF_ESHUTDOWN
 *                The task failed so; cf_future_error() has the details.
 * @retval CF_ECANCELED  It was cancelled, or failed after an interrupt.
 * @retval CF_EINVAL, CF_ETIMEDOUT, CF_EDEADLK, CF_EINTERRUPTED, CF_EFORKED
 *                As cf_future_wait(): the wait failed, not the task.
 *
 * Ownership: the bytes are lent: valid as long as the caller holds a handle,
 *            aligned as malloc's. Not to be written to.
 * Threads:   any number of callers, any number of times.
 * Blocks:    as cf_future_wait().
 * Ordering:  as cf_future_wait().
 * Fork:      as cf_future_wait().
 * Python:    Future.result(timeout).
 */
CF_API cf_err cf_future_result(cf_future *f, int64_t timeout_ns, cf_bytes *out);

/**
 * Returns how the task failed.
 *
 * @return  NULL unless f is a future that is FINISHED and failed. (A cancelled
 *          future has no error: its state says CANCELED.)
 *
 * Ownership: lent: valid as long as the caller holds a handle.
 * Threads:   any number of callers.
 * Blocks:    no: cf_future_wait() first.
 * Ordering:  as cf_future_state().
 * Fork:      in a child, as at the time of the fork.
 * Python:    Future.exception(timeout=0).
 */
CF_API const cf_error *cf_future_error(cf_future *f);

/**
 * Returns a sentence about the future, whatever its state: for people.
 *
 * @param f  NULL gives the text of CF_EINVAL.
 * @return   Of a task that failed its message, or the text of the error's kind
 *           if the message is empty. Of one that was cancelled or succeeded,
 *           cf_strerror(CF_ECANCELED) or (CF_OK). Before that, whether it has
 *           begun. Never NULL, never empty.
 *
 * Ownership: lent: valid as long as the caller holds a handle.
 * Threads:   any number of callers.
 * Blocks:    no: cf_future_wait() first.
 * Ordering:  as cf_future_state().
 * Fork:      in a child, as at the time of the fork.
 * Python:    str(Future.exception()).
 */
CF_API const char *cf_future_message(cf_future *f);

/**
 * Returns the user_data of the cf_task that the future was submitted with.
 *
 * @return  NULL if it has none, or was completed by hand, or f is NULL.
 *
 * Ownership: nothing changes hands; the library does not use it.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none: it never changes.
 * Fork:      fine in a child.
 * Python:    an attribute of the future.
 */
CF_API void *cf_future_user_data(const cf_future *f);

/**
 * Calls a function once, when the future is done.
 *
 * Waiters learn of the completion first; then the callbacks run in the order
 * they were added, in the thread that completes or cancels the future, with
 * no lock held. On a future already done fn runs at once, in the caller,
 * perhaps before earlier callbacks have finished.
 *
 * No callback runs inside another one. What a callback completes, cancels or
 * adds to a future already done is called back in the same thread when that
 * callback and those before have returned, in the order in which it became
 * due: chains of any length need no more stack. A call that may wait (for a
 * future, an iterator, an executor, room in a queue), made in a callback, runs
 * what is due first, up to 64 such calls inside of each other.
 *
 * After a task's own timeout the callbacks run in the executor's timer thread,
 * whose other deadlines wait for them. Those of a process pool's tasks run in a
 * thread of the pool; while one blocks there without waiting for a future,
 * queued tasks may wait for it if no call waits for them. A callback may
 * submit, wait, cancel, shut down and drop the caller's handle; it must not
 * longjmp or end its thread.
 *
 * @param fn    Gets f, lent for the call even if fn drops the last handle, and
 *              data.
 * @param data  Passed on untouched.
 *
 * @retval CF_OK      fn has been called or will be, exactly once.
 * @retval CF_EINVAL  f or fn is NULL.
 * @retval CF_ENOMEM  fn will not be called.
 *
 * Ownership: data stays the caller's.
 * Threads:   any number of callers.
 * Blocks:    no, but may run fn.
 * Ordering:  everything the task did is visible to fn.
 * Fork:      in a child, callbacks of unfinished tasks never run; those of a
 *            future completed by hand run where its copy is completed.
 * Python:    Future.add_done_callback(fn).
 */
CF_API cf_err cf_future_on_done(cf_future *f, cf_done_fn *fn, void *data);

/**
 * Creates a future that the caller completes itself: the promise side, for
 * I/O libraries and other executors.
 *
 * @param[out] out  Pending, with two uses: hand it out (cf_future_ref()) and
 *                  complete it. Untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  out is NULL.
 * @retval CF_ENOMEM
 *
 * Ownership: *out holds one handle, the caller's.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      fine in a child. Each process completes its own copy of a future
 *            that was pending at the fork.
 * Python:    Future().
 */
CF_API CF_NODISCARD cf_err cf_future_create(cf_future **out);

/**
 * Moves a future of cf_future_create() from PENDING to RUNNING.
 *
 * @retval true   It runs now and can no longer be cancelled.
 * @retval false  It was cancelled, or f is NULL: drop the work.
 *
 * On a future that is running or finished, or that belongs to an executor,
 * this is a bug in the caller and aborts the program.
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that will complete it.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      fine.
 * Python:    Future.set_running_or_notify_cancel().
 */
CF_API bool cf_future_start(cf_future *f);

/**
 * Completes a future of cf_future_create() with a copy of some bytes.
 *
 * @param data  May be NULL when size is 0.
 * @param size  Bytes.
 *
 * @retval CF_OK      Done; waiters woken, callbacks run (in a callback: due,
 *                    see cf_future_on_done()).
 * @retval CF_EINVAL  f is NULL, data is NULL with a size, or f belongs to an
 *                    executor.
 * @retval CF_ESTATE  Already finished or cancelled; nothing changed.
 * @retval CF_ENOMEM  Nothing changed.
 * @retval CF_ETOOBIG  No object has so many bytes; nothing changed.
 *
 * Ownership: data and the handle stay the caller's.
 * Threads:   any; of several at once exactly one wins.
 * Blocks:    no, but runs the callbacks.
 * Ordering:  what the caller wrote before is visible to a thread that sees it
 *            done.
 * Fork:      fine.
 * Python:    Future.set_result().
 */
CF_API cf_err cf_future_set_result(cf_future *f, const void *data, size_t size);

/**
 * Completes a future of cf_future_create() with an object, which is moved into
 * the future's memory and destroyed with the future.
 *
 * @param ops     How it is moved and destroyed; outlives the call.
 * @param object  Moved from after CF_OK; else untouched.
 *
 * @retval CF_EINVAL   As cf_future_set_result(), or ops or object is NULL, or
 *                     ops->size is 0.
 *
 * The rest as cf_future_set_result(). Python: Future.set_result().
 */
CF_API cf_err cf_future_set_object(cf_future *f,
                                   const cf_object_ops *ops,
                                   void *object);

/**
 * Completes a future of cf_future_create() with a failure.
 *
 * @param error  Copied, message and file included. kind must be one of those
 *               that cf_error lists; message NULL counts as empty. After CF_OK
 *               the object is the future's; without memory for the record it
 *               has been freed.
 *
 * @retval CF_EINVAL   As cf_future_set_result(), or error is NULL, or its size
 *                     or its kind is none.
 * @retval CF_ETOOBIG  error->size says fields this library does not know, and
 *                     they are not zero.
 *
 * The rest as cf_future_set_result(). Python: Future.set_exception().
 */
CF_API cf_err cf_future_set_error(cf_future *f, const cf_error *error);

CF_END_DECLS

#endif
