/* SPDX-License-Identifier: MIT */
/*
 * The thread pool: workers are threads of this process. Arguments passed by
 * pointer are the program's own memory; a crash in a task is a crash of the
 * program.
 */
#ifndef CFUTURES_THREAD_POOL_H
#define CFUTURES_THREAD_POOL_H

#include <cfutures/executor.h>

CF_BEGIN_DECLS

/* Zero is the default of every field but size, which CF_THREAD_POOL_OPTIONS()
 * and CF_THREAD_POOL_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_thread_pool_options {
    size_t size;             /* sizeof(cf_thread_pool_options) */
    int max_workers;         /* 0: cf_cpu_count(); at most 32767 */
    const char *name_prefix; /* thread i is called <prefix>_<i>, the prefix cut
                                so that this fits in 15 bytes. NULL: "cf<k>",
                                with another k for every pool */
    cf_initializer_fn *initializer; /* once in each worker, before its tasks */
    cf_finalizer_fn *finalizer;     /* once in each worker, when it ends */
    void *init_data;                /* for both */
    size_t queue_capacity;          /* tasks queued; 0: unbounded */
    cf_queue_policy queue_policy;   /* what a submit to a full queue does */
    size_t stack_size;       /* bytes per worker; 0: the system's default */
    int64_t idle_timeout_ns; /* a worker idle for so long ends (another starts
                                when there is work); 0 or CF_FOREVER: never */
    int pin_workers; /* not 0: worker i runs only on the i-th CPU of those
                        that the creating thread may run on, starting over
                        after the last */
} cf_thread_pool_options;

#define CF_THREAD_POOL_OPTIONS_INIT                                            \
    {                                                                          \
        sizeof(cf_thread_pool_options), 0, NULL, NULL, NULL, NULL, 0,          \
            CF_QUEUE_BLOCK, 0, 0, 0                                            \
    }
#ifndef __cplusplus
#define CF_THREAD_POOL_OPTIONS(...)                                            \
    CF_WITH_SIZE(cf_thread_pool_options, __VA_ARGS__)
#endif

/**
 * Makes a thread pool. No thread starts before the first submit needs one.
 *
 * When main returns or exit() is called with a pool still open, its queued
 * tasks complete first, as in Python.
 *
 * Workers, and the thread that looks after timeouts, are like the thread that
 * calls this, whichever thread's submit starts them: they may run on the CPUs
 * on which it may, and have its scheduling class and its nice value, as they
 * are during this call (a class with SCHED_RESET_ON_FORK counts as
 * SCHED_OTHER). What the system refuses when a thread starts, because the
 * process has lost those CPUs or that privilege, is inherited instead.
 * Everything else that a thread inherits, a worker has from the thread whose
 * submit starts it, or from another worker: the signal mask, above all. The
 * library installs no signal handlers.
 *
 * @param opts      NULL: defaults. Copied, name_prefix included.
 * @param[out] out  The pool; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   out is NULL, or max_workers is negative or too large,
 *                     queue_policy is none, idle_timeout_ns below -1, or
 *                     stack_size is not 0 and below the system's minimum, or
 *                     opts->size is no size.
 * @retval CF_ETOOBIG  opts->size says fields that this library does not know,
 *                     and they are not zero; or no object has so many bytes as
 *                     stack_size.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers; two pools share nothing.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      the pool is of the process that created it; children forked by
 *            the application get CF_EFORKED.
 * Python:    ThreadPoolExecutor(max_workers, thread_name_prefix, initializer,
 *            initargs).
 */
CF_API CF_NODISCARD cf_err
cf_thread_pool_create(const cf_thread_pool_options *opts, cf_executor **out);

CF_END_DECLS

#endif
