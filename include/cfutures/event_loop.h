/* SPDX-License-Identifier: MIT */
/*
 * The event loop: tasks are coroutines on one thread. A wait of this library
 * inside a task suspends the task, and the others run meanwhile. What blocks
 * otherwise (sleep(), a blocking read(), long computing) holds all of them:
 * submit it to a pool, and wait for its future. Of the waits that are satisfied
 * already one in 128 suspends the task; one with a timeout of 0 never does.
 *
 * Between two waits a task has the thread to itself, so data of the loop's
 * tasks needs no lock. A task stays on its thread and has a stack of its own.
 * errno is kept across a wait; thread-local variables, the signal mask and the
 * like are the thread's, and another task may have changed them. A mutex must
 * not be held, nor pthread_cleanup_push() left open, across a wait. In the
 * loop's thread SIGPIPE is blocked.
 *
 * This is the header of libcfutures_loop, a library beside libcfutures. A
 * program that calls nothing of this header, and opens "loop", links it as well
 * (pkg-config cfutures-loop, CMake cfutures::loop). Without these two, the
 * linker needs --undefined=cf_event_loop_create before the archive, and
 * --no-as-needed before the shared library.
 */
#ifndef CFUTURES_EVENT_LOOP_H
#define CFUTURES_EVENT_LOOP_H

#include <cfutures/executor.h>

CF_BEGIN_DECLS

#define CF_EVENT_LOOP_STACK_MIN 16384U

struct uv_loop_s;

/* Zero is the default of every field but size, which CF_EVENT_LOOP_OPTIONS()
 * and CF_EVENT_LOOP_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_event_loop_options {
    size_t size;            /* sizeof(cf_event_loop_options) */
    const char *name;       /* of its thread, cut to 15 bytes. NULL:
                               "cfloop_<k>", with another k for every loop */
    size_t stack_size;      /* bytes for each task, at least
                               CF_EVENT_LOOP_STACK_MIN; 0: 256 KiB. What a task
                               does not use costs no memory */
    size_t max_stacks_kept; /* so many free stacks keep their memory, the others
                               for 200 ms after their last use; 0: 64 */
    cf_initializer_fn *initializer; /* once, before the first task. A wait
                                       for tasks of this loop is CF_EDEADLK in
                                       it: they begin later */
    cf_finalizer_fn *finalizer;     /* once, after the last one */
    void *init_data;                /* for both */
    size_t queue_capacity;          /* tasks queued; 0: unbounded */
    cf_queue_policy queue_policy;   /* what a submit to a full queue does */
    int64_t stall_ns; /* a thread tells on standard error, once, which task has
                         held the loop for so long without a wait that suspends
                         it. 0: what the environment says, as in
                         CF_LOOP_STALL=100ms, or else nothing. CF_FOREVER:
                         nothing. Below some ms the answers are coarse */
    struct uv_loop_s *uv_loop; /* a uv_loop_t of the program, inside of which
                                  the loop runs, in the thread that runs that.
                                  NULL: the loop has a thread of its own */
} cf_event_loop_options;

#define CF_EVENT_LOOP_OPTIONS_INIT                                             \
    {                                                                          \
        sizeof(cf_event_loop_options), NULL, 0, 0, NULL, NULL, NULL, 0,        \
            CF_QUEUE_BLOCK, 0, NULL                                            \
    }
#ifndef __cplusplus
#define CF_EVENT_LOOP_OPTIONS(...)                                             \
    CF_WITH_SIZE(cf_event_loop_options, __VA_ARGS__)
#endif

/**
 * Makes an event loop, which has one thread of its own. The thread starts with
 * the first submit, and is like the thread that calls this
 * (cf_thread_pool_create()).
 *
 * Tasks begin in the order of priority and submission, and those that have been
 * woken go on in the order of that. A task's first wait lets the next one
 * begin. cf_call_worker() is 0 in all of them. A task for whose stack there is
 * no memory fails with CF_ENOMEM. pthread_exit() in a task ends the loop: all
 * tasks that have begun fail with CF_EWORKERDIED, all others with CF_EBROKEN.
 *
 * With opts->uv_loop the loop has no thread. Its tasks run in turns of that
 * libuv loop, whose thread calls this, and whose uv_run() goes on until the
 * loop has ended: a task calls cf_executor_shutdown(), with CF_SHUTDOWN_NOWAIT
 * or last of all, or another thread does. In the thread of uv_run(), outside of
 * tasks, a shutdown or destroy runs the loop to its end meanwhile, and
 * cf_executor_wait_idle() is CF_EDEADLK. uv_run() once more, after the end, and
 * then uv_loop_close(). Tasks and callbacks do not call uv_stop(). A task that
 * forks ends its child itself.
 *
 * When main returns or exit() is called with a loop still open, its tasks are
 * told to stop, so that their waits end; then those that are queued complete.
 *
 * @param opts      NULL: defaults. Copied, name included.
 * @param[out] out  The loop; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   out is NULL, or queue_policy is none, or stack_size is
 *                     not 0 and too small, or stall_ns is negative and not
 *                     CF_FOREVER, or opts->size is no size.
 * @retval CF_ETOOBIG  opts->size says fields that this library does not know,
 *                     and they are not zero; or no object has so many bytes as
 *                     the stacks.
 * @retval CF_ENOMEM
 * @retval CF_ESYS     With opts->uv_loop: no descriptors for it; see errno.
 *
 * Ownership: *out is the caller's; cf_executor_destroy() it.
 * Threads:   any number of callers; two loops share nothing.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      the loop is of the process that created it. In the child of a task
 *            that forks, that task goes on alone; when it returns, the thread
 *            ends.
 * Python:    asyncio.new_event_loop() in a thread.
 */
CF_API CF_NODISCARD cf_err
cf_event_loop_create(const cf_event_loop_options *opts, cf_executor **out);

/**
 * Runs an event loop in the calling thread until a task is done.
 *
 * The task submits others to its own executor (cf_call_executor()). When it is
 * done, those that are left are told to stop, and the call returns when they
 * have ended.
 *
 * Ctrl-C ends it: the first SIGINT tells the first task to stop, the second one
 * ends the program. That holds if SIGINT has its default action when the call
 * begins, which it has again afterwards; of several runs at once, for the one
 * that began first.
 *
 * @param opts      NULL: defaults. name is not used, and uv_loop is NULL.
 * @param fn        The first task.
 * @param arg       Its argument, as for cf_submit().
 * @param arg_size  Bytes at arg, or 0: the pointer itself.
 * @param[out] out  The task's future, which is done; NULL: not wanted.
 *                  Untouched unless CF_OK, CF_EINTERRUPTED or CF_EFORKED.
 *
 * @retval CF_OK      The task is done: *out says how it ended.
 * @retval CF_EINTERRUPTED  Likewise, after SIGINT.
 * @retval CF_EINVAL  fn is NULL, or arg is NULL and arg_size is not 0, or as
 *                    cf_event_loop_create().
 * @retval CF_ETOOBIG, CF_ENOMEM  As cf_event_loop_create() and cf_submit().
 * @retval CF_EFORKED A task has forked, and this is its child.
 *
 * Ownership: *out holds one handle, the caller's.
 * Threads:   any, also tasks, whose thread it then blocks.
 * Blocks:    until all tasks have ended.
 * Ordering:  everything that the tasks did is visible.
 * Fork:      see CF_EFORKED.
 * Python:    asyncio.run().
 */
CF_API CF_NODISCARD cf_err cf_event_loop_run(const cf_event_loop_options *opts,
                                             cf_task_fn *fn,
                                             const void *arg,
                                             size_t arg_size,
                                             cf_future **out);

/**
 * Returns the loop's uv_loop_t, for what libuv has and this library has not.
 *
 * Handles and requests are opened in tasks and callbacks of the loop, and their
 * callbacks run between tasks, on the thread's own stack: there no call of this
 * library may wait. A task that starts something waits for a future, which the
 * callback completes (cf_future_create()). What is still open when the loop
 * ends is closed; callbacks run until all of it is. Do not call uv_run(),
 * uv_stop() or uv_loop_close().
 *
 * @param ex  An event loop.
 * @return    NULL: ex is NULL or no event loop, this is not its thread or a
 *            fork's child, or there is no memory or descriptor for it.
 *
 * Ownership: the loop's; it lasts until that ends.
 * Threads:   the loop's only: in its tasks, its initializer and finalizer, and
 *            callbacks of libuv.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      not in a fork's child.
 * Python:    none; uvloop has it hidden.
 */
CF_API struct uv_loop_s *cf_event_loop_uv(cf_executor *ex);

/*
 * What a library with handles of its own in libuv adds to each loop that its
 * calls run in: an adapter for a client of some protocol, say. A constant; its
 * address tells it from others. Both functions run in the loop's thread, and
 * must not wait.
 */
typedef struct cf_event_loop_extension {
    /* Makes what one loop needs, on the loop's uv_loop_t. An error means that
     * nothing has begun. */
    cf_err (*begin)(struct uv_loop_s *uv, void **data);
    /* The loop ends, and no task of it goes on: closes the handles, and frees
     * data in the callback of the last of them. */
    void (*end)(void *data);
} cf_event_loop_extension;

/**
 * Gives a library what it has added to the loop of the task that calls it; the
 * first time, the library's begin() makes that.
 *
 * With it a call of the library starts something in libuv, and waits for a
 * cf_event or for a future that a callback of libuv completes. The callbacks
 * run on the thread's own stack, where no call may wait.
 *
 * @param call        The task's own call.
 * @param extension   Stays unchanged for as long as the loop.
 * @param[out] data   What begin() has left; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   An argument or a function of *extension is NULL.
 * @retval CF_ENOTSUP  The task does not run in an event loop, or its submitter
 *                     runs it: wait as a thread does.
 * @retval CF_EFORKED  In the child of a task that forks: likewise.
 * @retval CF_ENOMEM
 * @retval CF_ESYS     libuv does not work: errno says why.
 * Others: what begin() returns.
 *
 * Ownership: *data is the library's, until its end() has it.
 * Threads:   the one that runs the task.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      see CF_EFORKED.
 * Python:    none (asyncio.get_running_loop() as the key of a dictionary).
 */
CF_API CF_NODISCARD cf_err cf_event_loop_extend(
    cf_call *call, const cf_event_loop_extension *extension, void **data);

CF_END_DECLS

#endif
