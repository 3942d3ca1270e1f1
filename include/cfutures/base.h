/* SPDX-License-Identifier: MIT */
/*
 * What every other header needs: export marks, the version, durations, bytes,
 * and the names of the opaque handles.
 */
#ifndef CFUTURES_BASE_H
#define CFUTURES_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CF_VERSION_MAJOR 0
#define CF_VERSION_MINOR 1
#define CF_VERSION_PATCH 0
#define CF_VERSION_STRING "0.1.0"

#ifdef __cplusplus
#define CF_BEGIN_DECLS extern "C" {
#define CF_END_DECLS }
#else
#define CF_BEGIN_DECLS
#define CF_END_DECLS
#endif

#if defined(__GNUC__)
#define CF_API __attribute__((visibility("default")))
#define CF_NODISCARD __attribute__((warn_unused_result))
#define CF_PRINTF(format_index, first_arg)                                     \
    __attribute__((format(printf, format_index, first_arg)))
#else
#define CF_API
#define CF_NODISCARD
#define CF_PRINTF(format_index, first_arg)
#endif

/*
 * pthread_cancel(): three kinds of calls are cancellation points, and only
 * while they wait for others: cf_executor_wait_idle(), cf_executor_shutdown(),
 * and, outside of tasks and scopes, a submit that waits for room in a bounded
 * queue. A thread that is
 * cancelled there ends with nothing undone or left behind: it has submitted
 * nothing, and the executor goes on, or goes on shutting down. Any other call
 * returns first; the cancellation acts at the thread's next cancellation point.
 * Callbacks, arg_free, cf_pull_fn and tasks that run inside a call, in the
 * caller's thread, run with cancellation disabled.
 *
 * A worker of a thread pool that is cancelled in a task, also in one that a
 * wait inside a task runs, ends like one that calls pthread_exit() there.
 * Between tasks it ends without harm. In other threads of the library, and in
 * worker processes, cancellation is disabled. Asynchronous cancellation
 * (PTHREAD_CANCEL_ASYNCHRONOUS) is not supported in any call.
 */

/* Durations are int64_t nanoseconds on the monotonic clock. */
#define CF_FOREVER INT64_C(-1) /* never times out; 0 polls */
#define CF_MS(n) (INT64_C(1000000) * (n))
#define CF_SECONDS(n) (INT64_C(1000000000) * (n))

CF_BEGIN_DECLS

typedef struct cf_executor cf_executor;         /* runs tasks */
typedef struct cf_future cf_future;             /* one task's outcome */
typedef struct cf_call cf_call;                 /* what a running task sees */
typedef struct cf_as_completed cf_as_completed; /* futures as they finish */
typedef struct cf_results cf_results;           /* results of a cf_map() */
typedef struct cf_group cf_group;               /* tasks that end together */
typedef struct cf_scope cf_scope;               /* a stretch of code that can
                                                   be told to stop */
typedef struct cf_event cf_event;               /* a flag to wait for */
typedef struct cf_semaphore cf_semaphore;       /* units to wait for */
typedef struct cf_channel cf_channel;           /* items to wait for */

/*
 * Structs that begin with a field size may grow at their end from one version
 * to the next. size is the sizeof of the struct that the program was compiled
 * with, as the struct's _INIT macro sets it. If size is 0, above 4096 or not a
 * multiple of its own alignment, the call is CF_EINVAL and reads nothing else
 * of the struct. Fields behind what size covers count as zero. Fields that the
 * library does not know must be zero, or the call is CF_ETOOBIG.
 *
 * In C, the macro that is called as the struct, CF_THREAD_POOL_OPTIONS(
 * .max_workers = 4), is such a struct with its size set and all fields zero
 * that are not named. Its address may be an argument,
 * &CF_THREAD_POOL_OPTIONS(.max_workers = 4); it lives until the block around it
 * ends.
 *
 * A size or a count is checked before anything is allocated, read or written:
 * what no object can hold (PTRDIFF_MAX bytes) is CF_ETOOBIG.
 */

#ifndef __cplusplus
#define CF_WITH_SIZE(type, ...) ((type){.size = sizeof(type), __VA_ARGS__})
#endif

/* Bytes that the reader does not own; data is NULL only when size is 0. */
typedef struct cf_bytes {
    const void *data;
    size_t size; /* bytes */
} cf_bytes;

/*
 * How the library treats an object of the user's that it keeps: the argument of
 * a task (cf_task.arg_ops), or a result (cf_future_set_object()). It has the
 * memory, aligned as malloc's; these have what is in it.
 */
typedef struct cf_object_ops {
    size_t size; /* bytes, not 0 */
    /* Makes an object at `to` (size bytes, uninitialised) of the one at from,
     * which stays an object and can be destroyed. It cannot fail. NULL: the
     * bytes are copied, and from is not touched. */
    void (*move)(void *to, void *from);
    /* Ends an object; its memory is the library's. NULL: nothing to do. */
    void (*destroy)(void *object);
} cf_object_ops;

/**
 * Returns the version of the library that is linked, such as "0.1.0".
 *
 * Compare it with CF_VERSION_STRING, the version of the headers.
 *
 * Ownership: a static string.
 * Threads:   any, at any time.
 * Blocks:    no.
 * Python:    none.
 */
CF_API const char *cf_version(void);

CF_END_DECLS

#endif
