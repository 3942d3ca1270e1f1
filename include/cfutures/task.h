/* SPDX-License-Identifier: MIT */
/*
 * The task's side: the function a user writes, and what it may ask or say
 * about its call. The same function runs on every executor.
 */
#ifndef CFUTURES_TASK_H
#define CFUTURES_TASK_H

#include <cfutures/error.h>

CF_BEGIN_DECLS

/**
 * A task: plain C, run by whatever executor it was submitted to.
 *
 * @param call      This run; valid until the function returns, and only in
 *                  the thread that runs it. The functions below take it.
 * @param arg       The argument: a copy of the submitted bytes (aligned as
 *                  malloc's), or the submitted pointer when arg_size was 0.
 * @param arg_size  Bytes at arg, or 0 when only a pointer was submitted.
 *
 * Returns 0 for success, or what cf_fail() returned. Another non-zero value
 * is a failure with that code and an empty message.
 *
 * pthread_exit() inside a task of a thread pool fails the task with
 * CF_EWORKERDIED, together with the tasks that wait below it on that thread's
 * stack; the thread is replaced. In a task that its submitter runs (the inline
 * executor, CF_QUEUE_CALLER_RUNS) it ends the submitter; that task fails in the
 * same way, and so do those behind it of one cf_submit_many(). longjmp() out of
 * a task is not allowed.
 */
typedef int cf_task_fn(cf_call *call, const void *arg, size_t arg_size);

/**
 * Sets the task's result to a copy of some bytes; the last call wins.
 *
 * A task that sets none succeeds with an empty result.
 *
 * @param call  The task's own call.
 * @param data  May be NULL when size is 0.
 * @param size  Bytes. Up to 32 are kept in the future itself, larger results
 *              on the heap.
 *
 * @retval CF_OK       Copied.
 * @retval CF_EINVAL   call is NULL, or data is NULL and size is not 0.
 * @retval CF_ENOMEM   The former result, if any, is gone.
 * @retval CF_ETOOBIG  Results have a fixed size here (cf_map_array()), or no
 *                     object has so many bytes. The former result stays.
 *
 * Ownership: data stays the caller's.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  visible to every thread that sees the future finished.
 * Fork:      not in a child that the task forked.
 * Python:    return value of the callable.
 */
CF_API cf_err cf_return(cf_call *call, const void *data, size_t size);

/**
 * Makes room for a result that the task fills in place, without a copy.
 *
 * The result is whatever the memory holds when the task returns. Replaces
 * what an earlier cf_return() or cf_return_buffer() left.
 *
 * @param call  The task's own call.
 * @param size  Bytes; with 0 the result is empty and the pointer not NULL.
 * @return      Uninitialised memory, aligned as malloc's (in cf_map_array():
 *              as the element of the results array), or NULL: no memory, or
 *              too big for a result of fixed size or for any object, or call
 *              is NULL. With NULL the former result, if any, is gone.
 *
 * Ownership: the future's; do not free. Valid until the task returns or sets
 *            another result.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  as cf_return().
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API void *cf_return_buffer(cf_call *call, size_t size);

/**
 * Shortens the result: keeps its first bytes.
 *
 *     char *text = cf_return_buffer(call, most);
 *     ...
 *     return cf_return_resize(call, length);
 *
 * @param call  The task's own call.
 * @param size  Bytes; not more than the result has.
 *
 * @retval CF_OK      What cf_return_buffer() returned stays valid.
 * @retval CF_EINVAL  call is NULL, or the result is shorter than size. It stays
 *                    as it was.
 *
 * Ownership: nothing changes hands; memory beyond size stays allocated.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  as cf_return().
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API cf_err cf_return_resize(cf_call *call, size_t size);

/**
 * Sets the task's result to memory of the user's, without a copy where the
 * task shares memory with its future.
 *
 * In a worker process, and in a map, the bytes are copied, and data is freed at
 * once.
 *
 * @param call       The task's own call.
 * @param data       May be NULL when size is 0; then it is not freed. As
 *                   aligned as its reader needs.
 * @param size       Bytes.
 * @param data_free  Called once with data, by any thread, when the result is no
 *                   longer needed; it must not fail. NULL: data is static.
 *
 * @retval CF_OK       The library has data now.
 * @retval CF_EINVAL, CF_ENOMEM, CF_ETOOBIG  As cf_return(): data stays the
 *                     caller's.
 *
 * Ownership: after CF_OK data is the library's.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  as cf_return().
 * Fork:      not in a child that the task forked.
 * Python:    return value of the callable.
 */
CF_API cf_err cf_return_owned(cf_call *call,
                              void *data,
                              size_t size,
                              void (*data_free)(void *data));

/**
 * Says that the result is an object: it is destroyed with the future.
 *
 * The object is in the memory that cf_return_buffer() returned, where the task
 * has made it; objects of up to 32 bytes are in the future itself. If the task
 * fails, or sets another result, the object is destroyed then, before the new
 * result is set.
 *
 * @param call     The task's own call.
 * @param destroy  Called once with the address of the result, by any thread; it
 *                 must not fail. The memory is the library's. NULL: as if this
 *                 had not been called.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   call is NULL, or the result is empty, or it is memory of
 *                     cf_return_owned().
 * @retval CF_ENOTSUP  The result is copied elsewhere: this is a worker process,
 *                     a map or a job. Nothing has changed: the task still has
 *                     the object.
 *
 * Ownership: the object is the future's.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  as cf_return().
 * Fork:      not in a child that the task forked.
 * Python:    return value of the callable.
 */
CF_API cf_err cf_return_destructor(cf_call *call,
                                   void (*destroy)(void *result));

/**
 * Records why the task fails; return its value from the task.
 *
 *     if (!valid)
 *         return cf_fail(call, 22, "row %zu: not a number", row);
 *
 * The macro of the same name adds file and line. The record counts only if
 * the task then returns non-zero; the last record wins.
 *
 * @param call    The task's own call; with NULL nothing is recorded.
 * @param code    The task's own code; any value, 0 too.
 * @param format  printf format; the text is kept up to 4095 bytes. Without
 *                memory for it, the failure stands, with code 0, an empty
 *                message and no place.
 * @return        Non-zero, whatever the code.
 *
 * Ownership: everything is copied.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  as cf_return().
 * Fork:      not in a child that the task forked.
 * Python:    raise.
 */
CF_API int cf_fail(cf_call *call, int code, const char *format, ...)
    CF_PRINTF(3, 4);

/**
 * What the macro cf_fail() calls.
 *
 * @param file  Where the task gave up; copied. May be NULL.
 * @param line  ... and its line.
 *
 * The rest as cf_fail().
 */
CF_API int cf_fail_at(cf_call *call,
                      const char *file,
                      int line,
                      int code,
                      const char *format,
                      ...) CF_PRINTF(5, 6);

#define cf_fail(call, ...) cf_fail_at((call), __FILE__, __LINE__, __VA_ARGS__)

/**
 * As cf_fail(), for languages that cannot call a function with a variable
 * number of arguments.
 *
 * @param text  The message as it is, not a format; copied up to 4095 bytes.
 *              NULL: none.
 *
 * The rest as cf_fail(). Python: raise.
 */
CF_API int cf_fail_text(cf_call *call, int code, const char *text);

/**
 * As cf_fail(), with an object of the user's: an exception, a GError.
 *
 * A reader finds it in cf_error.object. From a worker process, and in a map, no
 * object comes along: it is freed there.
 *
 * @param object       May be NULL.
 * @param object_free  Called once with object, by any thread, when the failure
 *                     is no longer needed; at once if call is NULL or there is
 *                     no memory for the record; when the task returns if it
 *                     succeeds after all. It must not fail. NULL: never.
 *
 * Ownership: object is the library's, whatever happens.
 *
 * The rest as cf_fail(). Python: raise.
 */
CF_API int cf_fail_object(cf_call *call,
                          int code,
                          void *object,
                          void (*object_free)(void *object),
                          const char *format,
                          ...) CF_PRINTF(5, 6);

/**
 * What the macro cf_fail_object() calls; file and line are as in cf_fail_at().
 *
 * The rest as cf_fail().
 */
CF_API int cf_fail_object_at(cf_call *call,
                             const char *file,
                             int line,
                             int code,
                             void *object,
                             void (*object_free)(void *object),
                             const char *format,
                             ...) CF_PRINTF(7, 8);

#define cf_fail_object(call, ...)                                              \
    cf_fail_object_at((call), __FILE__, __LINE__, __VA_ARGS__)

/**
 * Tells whether the task should stop early: poll it in long tasks.
 *
 * True once cf_future_interrupt() was called, the task's own timeout passed,
 * its map or loop was given up, or cf_executor_terminate() was called; in a
 * scope that has struck, also outside of tasks, with NULL. False in a shield
 * (cfutures/scope.h).
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that runs the task.
 * Blocks:    no; two loads, cheap enough for an inner loop. In a scope that has
 *            a time limit, it reads the clock.
 * Ordering:  none; it is a hint.
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API bool cf_call_canceled(const cf_call *call);

/**
 * Pauses for a span of time, never a shorter one.
 *
 * @param call         The task's own call; NULL outside of tasks. A task that
 *                     gives NULL is interrupted all the same, but not if it
 *                     runs on the inline executor or in a worker process.
 * @param duration_ns  CF_FOREVER: until interrupted. 0: as cf_yield().
 *
 * @retval CF_OK
 * @retval CF_EINVAL       duration_ns is below -1.
 * @retval CF_EINTERRUPTED The task has been told to stop, or a scope has
 *                         struck.
 *
 * Ownership: nothing changes hands.
 * Threads:   any.
 * Blocks:    for that long. In an event loop other tasks run meanwhile; on a
 *            pool the worker sleeps.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    asyncio.sleep(), time.sleep().
 */
CF_API cf_err cf_sleep(cf_call *call, int64_t duration_ns);

/**
 * Lets others run: in an event loop the other tasks that are ready, elsewhere
 * other threads, as sched_yield().
 *
 * @param call  As for cf_sleep().
 *
 * @retval CF_OK
 * @retval CF_EINTERRUPTED The task has been told to stop.
 *
 * Ownership: nothing changes hands.
 * Threads:   any.
 * Blocks:    no longer than the others take for a turn.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    asyncio.sleep(0).
 */
CF_API cf_err cf_yield(cf_call *call);

/**
 * Returns the index of the worker that runs the task.
 *
 * @return  0 .. max_workers - 1; 0 on the inline executor; -1 when a bounded
 *          queue with CF_QUEUE_CALLER_RUNS made the submitter run the task, in
 *          what the caller of cf_parallel_reduce() runs outside of tasks, and
 *          for NULL.
 *
 * Ownership: nothing changes hands.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  a worker is one thread, so data indexed by worker needs no lock;
 *            but across a wait inside a task another task may have used it.
 *            On the inline executor every thread is 0.
 * Fork:      not in a child that the task forked.
 * Python:    none (threading.current_thread().name).
 */
CF_API int cf_call_worker(const cf_call *call);

/**
 * Returns what this worker's initializer left in *worker_data.
 *
 * @return  NULL without an initializer, on the inline executor, when the
 *          submitter runs the task (CF_QUEUE_CALLER_RUNS), and for NULL. With
 *          an initializer no caller runs a part of its cf_parallel_reduce().
 *
 * Ownership: the worker's; its finalizer frees it.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  no other thread uses it while the worker lives.
 * Fork:      not in a child that the task forked.
 * Python:    none (threading.local() filled by the initializer).
 */
CF_API void *cf_call_worker_data(const cf_call *call);

/**
 * Returns the executor that runs the task, for nested submits.
 *
 * @return  Never NULL, except in an initializer and for NULL.
 *
 * Ownership: lent; the executor outlives the call.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API cf_executor *cf_call_executor(const cf_call *call);

/**
 * Returns the context of the map that the call is a part of:
 * cf_map_options.context.
 *
 * @return  NULL without one, in a task that is no item of a map, and for NULL.
 *
 * Ownership: lent, as the map's caller says. In a worker process it is memory
 *            of cf_shared_alloc(), or of the snapshot at the pool's creation.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  writes before the cf_map() are visible.
 * Fork:      not in a child that the task forked.
 * Python:    functools.partial().
 */
CF_API void *cf_call_context(const cf_call *call);

CF_END_DECLS

#endif
