/* SPDX-License-Identifier: MIT */
/*
 * The executor: one interface over every backend. Tasks go in (submit.h),
 * futures come out.
 */
#ifndef CFUTURES_EXECUTOR_H
#define CFUTURES_EXECUTOR_H

#include <cfutures/submit.h>

CF_BEGIN_DECLS

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
 * @retval CF_EDEADLK  Called from a task that its own submitter runs
 *                     (CF_QUEUE_CALLER_RUNS): that submit uses ex. Nothing is
 *                     done.
 * @retval CF_EFORKED  This process is a fork of the executor's own: nothing is
 *                     done, as the memory is the parent's image.
 *
 * Ownership: with CF_OK the handle is gone. Its tasks use it until they end.
 * Threads:   one caller, also a task of ex, or a callback that a thread of ex
 *            runs; and no other call uses ex afterwards, or has not returned
 *            yet.
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
