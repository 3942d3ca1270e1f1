/* SPDX-License-Identifier: MIT */
/*
 * The executor: one interface over every backend. Tasks go in, futures come
 * out.
 */
#ifndef CFUTURES_EXECUTOR_H
#define CFUTURES_EXECUTOR_H

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

/* What a submit does when a bounded queue is full. A submit from one of the
 * pool's own threads goes over the bound: from a worker, from a callback after
 * a timeout, or in a process pool's manager. Such a callback does not wait for
 * room in another pool either, nor runs its task, as timeouts and results would
 * wait for it: only CF_QUEUE_REJECT stands. Two bounded pools whose workers
 * feed each other can come to a standstill with CF_QUEUE_BLOCK:
 * docs/guarantees/tasks.md, "Bounded queues", says how to avoid it.
 *
 * A task that its submitter runs may submit to the full queue, too: the new one
 * runs inside of it, up to 64 deep. From there on the submit returns with the
 * new one pending; the submitter runs it when that task has returned, or waits
 * for it. So chains of any length need no more stack. Until then only its
 * submitter knows of it: CF_SHUTDOWN_CANCEL does not cancel it, and
 * cf_executor_wait_idle() and cf_executor_shutdown() do not wait for it. */
typedef enum cf_queue_policy {
    CF_QUEUE_BLOCK,      /* wait for room, in the order of coming */
    CF_QUEUE_REJECT,     /* CF_EAGAIN */
    CF_QUEUE_CALLER_RUNS /* run the task in the submitting thread */
} cf_queue_policy;

/**
 * Prepares a worker before its first task, in the worker.
 *
 * @param call              For cf_fail(), cf_call_worker().
 * @param init_data         From the options.
 * @param[out] worker_data  What cf_call_worker_data() will return; NULL
 *                          unless set.
 *
 * Returns as a cf_task_fn: non-zero breaks the pool; pending and later tasks
 * get CF_EBROKEN with that code and message.
 */
typedef int
cf_initializer_fn(cf_call *call, void *init_data, void **worker_data);

/* Called in the worker when it ends, if its initializer succeeded. */
typedef void cf_finalizer_fn(void *init_data, void *worker_data);

/* A snapshot; exact when nothing changes meanwhile. Tasks that a full queue
 * made their submitter run (CF_QUEUE_CALLER_RUNS) are not in it. */
typedef struct cf_stats {
    uint64_t workers;  /* alive now */
    uint64_t idle;     /* of these, without a task */
    uint64_t queued;   /* tasks submitted and not started */
    uint64_t running;  /* tasks started and not finished */
    uint64_t done;     /* tasks finished, failed ones included */
    uint64_t failed;   /* of these, failed */
    uint64_t canceled; /* tasks that never ran: cancelled or refused later */
    uint64_t restarts; /* workers that died: a task took them with it, or a
                          worker process was killed */
    uint64_t longest_run_ns; /* how long a task of an event loop ran at most
                          without letting others run, as the loop's watchdog
                          saw it: not too long, and short by up to a fourth of
                          the loop's stall_ns. 0: no loop, or no watchdog */
    uint64_t cpu_ns; /* CPU time that the workers have used so far, in user and
                        system mode, those that have ended included; of a loop:
                        its thread, since the loop began there. It never becomes
                        less. 0: inline, or it is not known */
    uint64_t reserved[6];
} cf_stats;

enum {
    CF_SHUTDOWN_CANCEL = 1 << 0, /* cancel what has not started */
    CF_SHUTDOWN_NOWAIT = 1 << 1  /* return at once; workers drain and end */
};

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

/**
 * Waits until nothing is queued or running, and no thread of the executor is
 * in a callback; the executor stays usable. Initializers and finalizers are no
 * work.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK         There was a moment without work.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINVAL     ex is NULL or timeout_ns is below -1.
 * @retval CF_EDEADLK    Called from a task of ex itself, or elsewhere in the
 *                       thread of an event loop, for that loop.
 * @retval CF_EFORKED    This process is a fork of the executor's own.
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    up to timeout_ns. In a task of an event loop other tasks run
 *            meanwhile: the library waits in a thread that it starts for that.
 *            If it can start none, the call holds the loop.
 * Ordering:  everything the finished tasks did is visible.
 * Fork:      see CF_EFORKED.
 * Python:    none.
 */
CF_API cf_err cf_executor_wait_idle(cf_executor *ex, int64_t timeout_ns);

/**
 * Ends an executor: refuses new tasks, runs the queued ones, joins workers.
 *
 * May be called again, with other flags too; cf_executor_destroy() follows.
 *
 * @param flags       0, or CF_SHUTDOWN_CANCEL, CF_SHUTDOWN_NOWAIT together.
 * @param timeout_ns  How long to wait for the workers; CF_FOREVER, 0, or
 *                    nanoseconds from now. Without meaning with NOWAIT.
 *
 * @retval CF_OK         Nothing runs any more, and no thread of ex is in a
 *                       callback (with NOWAIT: will run out).
 * @retval CF_ETIMEDOUT  Workers are still busy; they go on.
 * @retval CF_EINVAL     ex is NULL, unknown flags, a timeout below -1.
 * @retval CF_ENOTSUP    Called from a task in a worker process, which cannot
 *                       reach the pool: nothing has changed.
 * @retval CF_EDEADLK    Called in the thread of an event loop, for that loop,
 *                       but not from its tasks: it has begun, as with NOWAIT.
 * @retval CF_EFORKED    This process is a fork of the executor's own.
 *
 * Ownership: the executor stays the caller's.
 * Threads:   any number of callers, also from tasks and callbacks. From a
 *            worker or a callback of ex itself: does not wait for that thread.
 *            From a worker: nor for tasks in other workers that wait for its
 *            task, without a time limit.
 * Blocks:    up to timeout_ns; in a task of another event loop as
 *            cf_executor_wait_idle().
 * Ordering:  everything the tasks did is visible after CF_OK.
 * Fork:      see CF_EFORKED.
 * Python:    Executor.shutdown(wait=, cancel_futures=).
 */
CF_API cf_err cf_executor_shutdown(cf_executor *ex,
                                   unsigned flags,
                                   int64_t timeout_ns);

/**
 * Ends an executor the hard way: cancels what is pending and stops what runs.
 *
 * Threads cannot be killed: their tasks see cf_call_canceled(), and this
 * returns without waiting for them. A thread that has just taken a task out of
 * the queue cancels it by itself, perhaps a moment after this returns. Worker
 * processes get the signal and are reaped before this returns.
 *
 * @param signo  For worker processes: SIGTERM, SIGKILL, ...
 *
 * @retval CF_OK
 * @retval CF_EINVAL   ex is NULL or signo is no signal.
 * @retval CF_ENOTSUP  As cf_executor_shutdown().
 * @retval CF_EFORKED  This process is a fork of the executor's own.
 *
 * Ownership: the executor stays the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers, also from tasks and callbacks.
 * Blocks:    no (process pool: until the workers are reaped).
 * Ordering:  none.
 * Fork:      see CF_EFORKED.
 * Python:    ProcessPoolExecutor.terminate_workers(), kill_workers().
 */
CF_API cf_err cf_executor_terminate(cf_executor *ex, int signo);

/**
 * Shuts down (flags 0, CF_FOREVER) and frees an executor.
 *
 * Futures stay valid. From a worker of ex itself the memory goes when that
 * worker ends, and likewise in the thread of an event loop. In a forked child
 * it does nothing: the memory is the parent's image.
 *
 * @param ex  NULL is fine. One that has been destroyed aborts the program, as
 *            it does in cf_executor_shutdown(), _release(), _terminate(),
 *            _wait_idle(), _state() and _stats(), unless another executor has
 *            been made in the same memory.
 *
 * Ownership: the handle is gone.
 * Threads:   one caller, and no thread uses ex afterwards; a submit that
 *            has not returned yet uses it.
 * Blocks:    until queued and running tasks have ended; in a task of another
 *            event loop as cf_executor_wait_idle().
 * Ordering:  everything the tasks did is visible.
 * Fork:      fine in a child.
 * Python:    leaving the with block.
 */
CF_API void cf_executor_destroy(cf_executor *ex);

/**
 * As cf_executor_destroy(), but does not wait: the executor frees itself when
 * what is queued has run, and its workers have ended.
 *
 * For finalizers of other languages, and for threads that must not wait. A
 * thread of the library, "cf_release", waits instead of the caller. At the end
 * of the program what is queued still runs.
 *
 * @param ex  As for cf_executor_destroy(); not that of cf_event_loop_run().
 *
 * @retval CF_OK       It takes no more tasks, and will be gone. (CF_OK for NULL
 *                     as well.)
 * @retval CF_ESYS     No thread could be started (errno). It takes no more
 *                     tasks, and is the caller's as before.
 * @retval CF_ENOTSUP  As cf_executor_shutdown().
 * @retval CF_EFORKED  This process is a fork of the executor's own: nothing is
 *                     done, as the memory is the parent's image.
 *
 * Ownership: with CF_OK the handle is gone. Its tasks use it until they end.
 * Threads:   one caller, also a task or a callback of ex, and no other thread
 *            uses ex afterwards.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      see CF_EFORKED.
 * Python:    shutdown(wait=False), and dropping the last reference.
 */
CF_API cf_err cf_executor_release(cf_executor *ex);

/* How far an executor is in its life. */
typedef enum cf_executor_phase {
    CF_EXECUTOR_OPEN,          /* it takes tasks */
    CF_EXECUTOR_SHUTTING_DOWN, /* it takes no more, and runs what it has */
    CF_EXECUTOR_ENDED,         /* it was shut down, and its workers are gone */
    CF_EXECUTOR_BROKEN,        /* its initializer failed, or its workers cannot
                                  be replaced: CF_EBROKEN, for ever */
    CF_EXECUTOR_FORKED         /* this process is a fork of its own */
} cf_executor_phase;

/**
 * Tells whether an executor takes tasks, and why not.
 *
 * An answer for people and for bindings: it may be an old one when it is
 * looked at, and only a submit says whether it is accepted. But an executor
 * never goes back in this list, and one that has ended or is broken remains so.
 *
 * @param ex  NULL gives CF_EXECUTOR_ENDED. One that has been destroyed aborts
 *            the program, as in cf_executor_destroy().
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers, also from tasks and callbacks.
 * Blocks:    no; takes a short mutex.
 * Ordering:  none.
 * Fork:      see CF_EXECUTOR_FORKED.
 * Python:    Executor._shutdown, _broken.
 */
CF_API cf_executor_phase cf_executor_state(cf_executor *ex);

/**
 * Takes a snapshot of an executor's counters.
 *
 * @param[out] out  Filled in.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   ex or out is NULL.
 * @retval CF_EFORKED  This process is a fork of the executor's own.
 *
 * Ownership: out is the caller's.
 * Threads:   any number of callers.
 * Blocks:    no; takes a short mutex.
 * Ordering:  none.
 * Fork:      see CF_EFORKED.
 * Python:    none.
 */
CF_API cf_err cf_executor_stats(cf_executor *ex, cf_stats *out);

/**
 * Returns the kind of an executor: "thread_pool", "process_pool", "event_loop",
 * "inline"; "" for NULL.
 *
 * Ownership: a static string.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      fine in a child.
 * Python:    type(executor).__name__.
 */
CF_API const char *cf_executor_name(const cf_executor *ex);

/**
 * Returns the most workers that an executor will use; 1 for "inline", 0 for
 * NULL.
 *
 * The rest as cf_executor_name(). Python: Executor._max_workers.
 */
CF_API int cf_executor_max_workers(const cf_executor *ex);

/**
 * Tells whether tasks of this executor run in the memory of the program: false
 * for a process pool, and for NULL. Where it is false, arg_ops of cf_task are
 * CF_ENOTSUP.
 *
 * The rest as cf_executor_name(). Python: none.
 */
CF_API bool cf_executor_shares_memory(const cf_executor *ex);

/**
 * Makes an executor from a text, as a program's --executor option gives it.
 *
 * @param spec      "threads", "threads:8", "inline", and with the process pool
 *                  built "processes", "processes:4"; in a program that links
 *                  libcfutures_loop also "loop". cf_executor_specs() has them
 *                  for a program's message, should this be CF_EINVAL.
 * @param[out] out  The executor; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   spec or out is NULL, or spec is none of these.
 * @retval CF_ENOTSUP  spec is "loop", and the program does not link
 *                     libcfutures_loop.
 * @retval CF_ENOMEM, CF_ESYS  As the constructor.
 *
 * Ownership: *out is the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers.
 * Blocks:    as the constructor.
 * Ordering:  as the constructor.
 * Fork:      as the constructor.
 * Python:    none.
 */
CF_API CF_NODISCARD cf_err cf_executor_open(const char *spec,
                                            cf_executor **out);

/**
 * Returns what cf_executor_open() takes, for a --help or an error message:
 * such as "inline, threads[:N], processes[:N]", and ", loop" in a program that
 * links libcfutures_loop.
 *
 * Ownership: a static string.
 * Threads:   any, at any time.
 * Blocks:    no.
 * Python:    none.
 */
CF_API const char *cf_executor_specs(void);

/**
 * Makes an executor that runs each task in the submitting thread, before
 * cf_submit() returns: for debugging and tests.
 *
 * @param[out] out  The executor; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL  out is NULL.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      the executor is of the process that made it; children forked by
 *            the application get CF_EFORKED.
 * Python:    none.
 */
CF_API CF_NODISCARD cf_err cf_inline_create(cf_executor **out);

/**
 * Returns how many CPUs this process may use: the smallest of the affinity
 * mask, the cgroup v1 or v2 quota (rounded up) and the environment variable
 * CF_CPU_COUNT (a number from 1); at least 1. What cannot be read does not
 * limit.
 *
 * Threads:   any, at any time; reads the environment.
 * Blocks:    reads a few small files of /proc and /sys.
 * Python:    os.process_cpu_count().
 */
CF_API unsigned cf_cpu_count(void);

/**
 * Allocates memory that tasks of this executor see at the same address.
 *
 * Plain memory for threads; shared memory for a process pool.
 *
 * @param ex    The executor whose tasks will use it.
 * @param size  Bytes; 0 gives a pointer that can be freed.
 * @return      Zeroed, aligned as malloc's; NULL: no memory, or a size that
 *              no object has, or ex is NULL.
 *
 * Ownership: the caller's; cf_shared_free() it before ex is destroyed.
 * Threads:   any number of callers.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      not in a child forked by the application.
 * Python:    multiprocessing.shared_memory.
 */
CF_API void *cf_shared_alloc(cf_executor *ex, size_t size);

/**
 * Frees memory of cf_shared_alloc().
 *
 * @param ex  The executor it was allocated for; with NULL nothing is freed.
 * @param p   NULL is fine.
 *
 * The rest as cf_shared_alloc().
 */
CF_API void cf_shared_free(cf_executor *ex, void *p);

CF_END_DECLS

#endif
