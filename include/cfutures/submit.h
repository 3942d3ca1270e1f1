/* SPDX-License-Identifier: MIT */
/*
 * Submitting: what one task is, and how it, or many, or one that waits for
 * others, gets to an executor.
 */
#ifndef CFUTURES_SUBMIT_H
#define CFUTURES_SUBMIT_H

#include <cfutures/future.h>
#include <cfutures/task.h>

CF_BEGIN_DECLS

/* Everything about one task; zero is the default of every field but fn, and
 * size, which CF_TASK() and CF_TASK_INIT set: 0 is CF_EINVAL. */
typedef struct cf_task {
    size_t size;     /* sizeof(cf_task) */
    cf_task_fn *fn;  /* what to run */
    const void *arg; /* its argument, see arg_size */
    size_t arg_size; /* bytes: copied at submit (up to 32 into the future
                        itself). 0: only the pointer arg travels: the same
                        memory in a thread; in a process pool, memory of
                        cf_shared_alloc() or the snapshot at its creation */
    void (*arg_free)(void *arg); /* arg_size 0 only: called exactly once with
                        arg when it is no longer needed: after the run, or
                        when an accepted task is cancelled or refused later.
                        Not called if the submit itself fails */
    const char *name;   /* for errors and traces; must outlive the task */
    int priority;       /* higher starts first; FIFO among equals */
    int64_t timeout_ns; /* 0 or CF_FOREVER: none. Running longer: the future
                           fails with CF_EDEADLINE at that moment; a process
                           worker is killed for it; a thread task goes on until
                           it notices cf_call_canceled(), and what it returns
                           then is dropped */
    const cf_object_ops *arg_ops; /* arg is an object: moved into the task's
                           memory (up to 24 bytes into the future itself), and
                           destroyed once: right after the run, or when the task
                           is cancelled or refused later. The task gets the
                           object's address, and may change it. arg_size is 0 or
                           arg_ops->size; no arg_free. arg_ops must live on.
                           If the submit fails, the object has been moved back:
                           arg is as before. CF_ENOTSUP in a process pool */
    void *user_data;  /* for cf_future_user_data(): which request was this? */
    int64_t delay_ns; /* from the submit; then it is queued, in the order of
                           these times. Before, it is PENDING, can be cancelled,
                           and takes no place in a bounded queue. 0: none. In
                           cf_group_submit_task(): CF_ENOTSUP */
    unsigned flags;   /* 0, or CF_WHEN_ANYWAY for cf_submit_when() */
} cf_task;

enum {
    CF_WHEN_ANYWAY = 1 << 0 /* run the task also if an input has failed */
};

#define CF_TASK_INIT                                                           \
    {                                                                          \
        sizeof(cf_task), NULL, NULL, 0, NULL, NULL, 0, 0, NULL, NULL, 0, 0     \
    }
#ifndef __cplusplus
#define CF_TASK(...) CF_WITH_SIZE(cf_task, __VA_ARGS__)
#endif

/**
 * Schedules a task and returns a future for its outcome.
 *
 * @param ex        Where to run; borrowed for the call.
 * @param fn        What to run.
 * @param arg       Its argument.
 * @param arg_size  Bytes to copy from arg; 0: only the pointer travels, and
 *                  its target must outlive the task.
 * @param[out] out  The future; untouched on error. NULL: the task runs
 *                  detached.
 *
 * @retval CF_OK         Accepted: fn runs at most once (never, if cancelled or
 *                       the pool breaks first).
 * @retval CF_EINVAL     ex or fn is NULL, or arg is NULL with a size.
 * @retval CF_ETOOBIG    No object has so many bytes as arg_size.
 * @retval CF_EBROKEN    The initializer failed; permanent.
 * @retval CF_ESHUTDOWN  cf_executor_shutdown() has begun.
 * @retval CF_EAGAIN     The bounded queue is full (CF_QUEUE_REJECT).
 * @retval CF_EINTERRUPTED  Called from a task that has been told to stop, as
 *                       cf_future_wait(). It would have had to wait for room
 *                       (CF_QUEUE_BLOCK).
 * @retval CF_EFORKED    This process is a fork of the executor's own.
 * @retval CF_ESYS       The first worker could not be started (errno).
 * @retval CF_ENOMEM
 *                       With every error nothing was queued.
 *
 * Ownership: *out holds one handle, the caller's; cf_future_unref() it.
 * Threads:   any number of callers, also from tasks and callbacks.
 * Blocks:    no, but for a full queue with CF_QUEUE_BLOCK (in an event loop
 *            other tasks run meanwhile), and on the inline executor and with
 *            CF_QUEUE_CALLER_RUNS for the task itself.
 * Ordering:  writes before the call are visible to fn. Tasks of equal
 *            priority start in submission order (a process pool: nearly;
 *            cf_process_pool_create() says how).
 * Fork:      see CF_EFORKED.
 * Python:    Executor.submit().
 */
CF_API cf_err cf_submit(cf_executor *ex,
                        cf_task_fn *fn,
                        const void *arg,
                        size_t arg_size,
                        cf_future **out);

/**
 * Schedules a task with a name, a priority, a timeout, a delay or an argument
 * to free.
 *
 * @param task  Copied; may live on the stack.
 *
 * @retval CF_EINVAL   As cf_submit(), or a timeout below -1, or a delay below
 *                     0, or unknown flags, or arg_free with an arg_size, or
 *                     task is NULL, or task->size is no size; or, with
 *                     arg_ops, arg is NULL, arg_ops->size is 0, there is an
 *                     arg_free, or arg_size is another size.
 * @retval CF_ENOTSUP  arg_ops, and tasks of ex run in other processes. Or a
 *                     delay, in a task in a worker process, on that task's
 *                     executor.
 * @retval CF_ETOOBIG  As cf_submit(), or task->size says fields that this
 *                     library does not know, and they are not zero.
 *
 * The rest as cf_submit(). Python: Executor.submit().
 */
CF_API cf_err cf_submit_task(cf_executor *ex,
                             const cf_task *task,
                             cf_future **out);

/**
 * Schedules a task that waits for others, its inputs: it is queued when all of
 * them are done. No thread waits meanwhile. Graphs of tasks are made of this.
 *
 * Until then the task is PENDING and can be cancelled, and takes no place in a
 * bounded queue; when its turn comes, it goes over the bound. If task->delay_ns
 * is set, it is queued when that time, too, has passed since this call.
 *
 * If an input fails or is cancelled, the task does not run: it fails at once,
 * with an error that is the input's, but for the message, which names the
 * input: "not run: input 'compile' failed: ...". (The error of a cancelled
 * input is CF_ECANCELED.) So do those that wait for it, and their messages have
 * the same cause. With CF_WHEN_ANYWAY in task->flags the task runs when all
 * inputs are done, however they ended.
 *
 * A wait for such a task, inside a task, runs what it waits for, as it does for
 * any other. A circle of inputs cannot be made. A task that waits for one that
 * has it as an input gets CF_EDEADLK.
 *
 * The task is not known to the executor before it is queued. A shutdown does
 * not wait for it: it fails at that moment, with CF_ESHUTDOWN, or is cancelled
 * (CF_SHUTDOWN_CANCEL, cf_executor_terminate()). So do cf_executor_destroy()
 * and the end of the program. cf_executor_wait_idle() waits for it as long as
 * what it waits for is work of the same executor. If the executor does not take
 * it when its turn comes, it fails with what cf_submit() would have returned.
 *
 * It is queued by the thread that completes the last input, or after a delay by
 * the executor's timer thread, before callbacks. On the inline executor it runs
 * there; then its own timeout is noticed late.
 *
 * @param task    As for cf_submit_task().
 * @param inputs  count futures: of any executors, of the program (promises),
 *                done or not; one may come twice. Copied, with handles that are
 *                given up when the task is queued or has ended.
 * @param count   0: as cf_submit_task().
 *
 * @retval CF_EINVAL   As cf_submit_task(), or inputs or one of them is NULL.
 * @retval CF_ETOOBIG  As cf_submit_task(), or no memory can hold so many.
 * @retval CF_EFORKED  As cf_submit(), or an input is of the process from which
 *                     this one was forked, and not done.
 * @retval CF_ENOTSUP  In a task in a worker process, on that task's executor,
 *                     if an input is not done.
 *
 * Blocks: only if all inputs are done and there is no delay: as cf_submit().
 *
 * The rest as cf_submit(). Ordering: what the inputs did is visible to the task
 * (in a process pool: nothing but its argument is). Python: none.
 */
CF_API cf_err cf_submit_when(cf_executor *ex,
                             const cf_task *task,
                             cf_future *const *inputs,
                             size_t count,
                             cf_future **out);

/**
 * Schedules count tasks of one function: all or nothing.
 *
 * The first tasks may begin before the last ones are queued, and before out has
 * all futures: that is so when this returns. Tasks start in their order; some
 * of other threads may come between.
 *
 * @param args      count arguments of arg_size bytes each, one after another;
 *                  with arg_size 0 every task gets the pointer args.
 * @param count     0 does nothing.
 * @param[out] out  count futures, in the order of the arguments; all NULL on
 *                  error (untouched on CF_EINVAL and CF_ETOOBIG). NULL:
 *                  detached.
 *
 * @retval CF_ETOOBIG  More tasks than the bounded queue can ever hold, or than
 *                     any array can. Found at once, before a task is made.
 * @retval CF_ENOMEM   Also at once, if the tasks need more memory than the
 *                     machine has, or than the process's limits allow.
 *
 * The rest as cf_submit(). Python: none (a list comprehension over submit).
 */
CF_API cf_err cf_submit_many(cf_executor *ex,
                             cf_task_fn *fn,
                             const void *args,
                             size_t arg_size,
                             size_t count,
                             cf_future **out);

CF_END_DECLS

#endif
