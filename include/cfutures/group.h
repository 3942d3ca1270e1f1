/* SPDX-License-Identifier: MIT */
/*
 * Groups: tasks that end together. A group waits for all its children, and if
 * one fails, the others are told to stop. On every executor.
 *
 *     cf_group *group;
 *     cf_err err = cf_group_create(ex, NULL, &group);
 *     for (size_t i = 0; i < count && !err; i++)
 *         err = cf_group_submit(group, fetch, &urls[i], sizeof urls[i], NULL);
 *     err = cf_group_wait(group, CF_FOREVER);  // the first failure, or CF_OK
 *     if (err)
 *         report(cf_group_error(group));
 *     cf_group_destroy(group);                 // none of them is left
 */
#ifndef CFUTURES_GROUP_H
#define CFUTURES_GROUP_H

#include <cfutures/executor.h>

CF_BEGIN_DECLS

/* What the group does when the first child fails. A child that is cancelled, or
 * fails after it was told to stop, has not failed in this sense. */
typedef enum cf_on_error {
    CF_ON_ERROR_CANCEL,    /* tells its siblings to stop, and takes no more */
    CF_ON_ERROR_KEEP_GOING /* nothing */
} cf_on_error;

/* Zero is the default of every field but size, which CF_GROUP_OPTIONS() and
 * CF_GROUP_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_group_options {
    size_t size; /* sizeof(cf_group_options) */
    cf_on_error on_error;
    size_t max_running; /* so many children at most are in the executor at
                           once. The others are PENDING in the group, in their
                           order; no thread waits for that. 0: all */
} cf_group_options;

#define CF_GROUP_OPTIONS_INIT                                                  \
    {                                                                          \
        sizeof(cf_group_options), CF_ON_ERROR_CANCEL, 0                        \
    }
#ifndef __cplusplus
#define CF_GROUP_OPTIONS(...) CF_WITH_SIZE(cf_group_options, __VA_ARGS__)
#endif

/**
 * Makes a group without children.
 *
 * @param ex        Where its children run; must live as long as the group.
 * @param opts      NULL: defaults.
 * @param[out] out  The group; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   ex or out is NULL, on_error is none of the two, or
 *                     opts->size is no size.
 * @retval CF_ETOOBIG  opts has fields that this library does not know.
 * @retval CF_ENOMEM
 *
 * Ownership: *out is the caller's; cf_group_destroy() it.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      in a child of a fork every call on the group is CF_EFORKED or does
 *            nothing. A worker process of a process pool is such a child: its
 *            tasks cannot use a group of the program.
 * Python:    asyncio.TaskGroup(), trio.open_nursery().
 */
CF_API CF_NODISCARD cf_err cf_group_create(cf_executor *ex,
                                           const cf_group_options *opts,
                                           cf_group **out);

/**
 * Submits a child.
 *
 * The group knows the child before it can run: a child may cancel its group,
 * or submit into it, from its first instruction on.
 *
 * @param[out] out  The child's future, an ordinary one; untouched on error.
 *                  NULL: only the group has it.
 *
 * @retval CF_OK         The group waits for it.
 * @retval CF_EINVAL     group is NULL; or as cf_submit().
 * @retval CF_ECANCELED  The group has been told to stop: a child has failed, or
 *                       by cf_group_cancel(). Nothing was submitted.
 * @retval CF_EFORKED    As cf_group_create().
 *                       All others as cf_submit().
 *
 * With max_running the child may have to wait for its turn. It counts as a
 * pending task of the executor, and over the bound of its queue; but only the
 * group knows it: cf_executor_wait_idle() and cf_executor_shutdown() do not
 * wait for it, and after a shutdown it fails with CF_ESHUTDOWN. A task of a
 * thread pool that waits for it runs it at once. In an event loop, a child that
 * waits for one that waits for its turn may wait for ever.
 *
 * Ownership: *out holds one handle, the caller's; cf_future_unref() it.
 * Threads:   any, also children of the group, and callbacks.
 * Blocks:    as cf_submit(). It is no cancellation point.
 * Ordering:  as cf_submit().
 * Fork:      see CF_EFORKED.
 * Python:    TaskGroup.create_task(), nursery.start_soon().
 */
CF_API cf_err cf_group_submit(cf_group *group,
                              cf_task_fn *fn,
                              const void *arg,
                              size_t arg_size,
                              cf_future **out);

/**
 * Submits a child with a name, a priority, a timeout or an argument to free.
 *
 * @param task  As for cf_submit_task().
 *
 * The rest as cf_group_submit(), and the errors of cf_submit_task().
 */
CF_API cf_err cf_group_submit_task(cf_group *group,
                                   const cf_task *task,
                                   cf_future **out);

/**
 * Waits until all children that have been submitted have ended.
 *
 * A task of the executor may call it, and runs children meanwhile as in every
 * wait. If it is told to stop (an interrupt, a scope) while it waits, the
 * children are told too, and it waits for their end. Without children it never
 * waits, and says what was. It may be called again.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now.
 *
 * @retval CF_OK            All have ended, and none has failed.
 * @retval CF_ETASK, CF_EDEADLINE, CF_EWORKERDIED, ...  All have ended; the kind
 *                          of the first failure: cf_group_error() has more.
 * @retval CF_ECANCELED     All have ended, none has failed; by
 *                          cf_group_cancel() some did not finish.
 * @retval CF_ETIMEDOUT     Some have not ended in time; nothing changed.
 * @retval CF_EINTERRUPTED  The caller was told to stop; all have ended.
 * @retval CF_EDEADLK       Called in a child of the group, which cannot end
 *                          before this; or as cf_future_wait().
 * @retval CF_EINVAL        group is NULL, or timeout_ns is below -1.
 * @retval CF_EFORKED       As cf_group_create().
 *
 * Ownership: nothing changes hands.
 * Threads:   any number of callers.
 * Blocks:    up to timeout_ns; after an interrupt, until the children have
 *            ended.
 * Ordering:  everything the children did is visible.
 * Fork:      see CF_EFORKED.
 * Python:    leaving the block of a TaskGroup.
 */
CF_API cf_err cf_group_wait(cf_group *group, int64_t timeout_ns);

/**
 * Returns the error of the child that failed first.
 *
 * @return  NULL: none has failed (yet), or group is NULL.
 *
 * Ownership: lent by the group.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  after cf_group_wait(), all failures have been seen.
 * Fork:      works in a child, for what was known.
 * Python:    the exceptions of the ExceptionGroup; ask each future for more.
 */
CF_API const cf_error *cf_group_error(cf_group *group);

/**
 * Tells all children to stop, as cf_future_interrupt() does, and takes no new
 * ones. Those that have not begun never do.
 *
 * @param group  NULL is fine.
 *
 * Ownership: nothing changes hands.
 * Threads:   any, also children of the group.
 * Blocks:    no.
 * Ordering:  as cf_future_interrupt().
 * Fork:      does nothing in a child.
 * Python:    nursery.cancel_scope.cancel().
 */
CF_API void cf_group_cancel(cf_group *group);

/**
 * Tells all children to stop, waits until they have ended, and frees the group.
 *
 * In a child of the group it does not wait for that child: the memory goes when
 * the child ends.
 *
 * @param group  NULL is fine.
 *
 * Ownership: the group is gone, and the error that it lent.
 * Threads:   one caller, and no thread uses the group afterwards.
 * Blocks:    until all children have ended.
 * Ordering:  everything the children did is visible.
 * Fork:      does nothing in a child.
 * Python:    leaving the block by an exception.
 */
CF_API void cf_group_destroy(cf_group *group);

CF_END_DECLS

#endif
