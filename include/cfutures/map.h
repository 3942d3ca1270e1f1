/* SPDX-License-Identifier: MIT */
/*
 * One function over many items: cf_map() (an iterator over the results),
 * cf_map_array() (results straight into an array), cf_parallel_for() (a loop
 * body over ranges) and cf_parallel_reduce() (ranges folded into one result).
 */
#ifndef CFUTURES_MAP_H
#define CFUTURES_MAP_H

#include <cfutures/future.h>
#include <cfutures/task.h>

CF_BEGIN_DECLS

/*
 * Gives cf_map() its next item: writes item_size bytes to item and returns
 * CF_OK, or returns CF_EDONE at the end. Anything else says that the input has
 * failed: the results of the items before come out, then cf_results_next()
 * returns that error, once, with errno as the function left it. After the end
 * or a failure it is not called again.
 *
 * Called in the thread that calls cf_map() and cf_results_next(), never in
 * parallel. It must not use the cf_results it feeds. cf_map() calls it until
 * buffer_size items are taken, and without a buffer_size until the end.
 * cf_results_next() calls it for the next items before it returns a result: if
 * it waits for its input, results wait too.
 */
typedef cf_err cf_pull_fn(void *pull_data, void *item);

/*
 * Frees what an item points to. Called once for each item of the array, or that
 * was pulled, when it will not be used any more: it has run, or never will. If
 * cf_map() returns an error, all items have been freed, but with CF_EINVAL and
 * CF_ETOOBIG none.
 *
 * Called in the program, by the thread that completes the items' task (as a
 * callback, cf_future_on_done()), or in cf_map(), cf_results_next() and
 * cf_results_destroy(). In a fork's child it is not called.
 *
 * @param item     Its bytes, as they were when it was submitted.
 * @param context  That of the options.
 */
typedef void cf_item_free_fn(const void *item, void *context);

/* Zero is the default of every field but size, which CF_MAP_OPTIONS() and
 * CF_MAP_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_map_options {
    size_t size;          /* sizeof(cf_map_options) */
    size_t chunk_size;    /* items per task; 0: chosen by the library; in an
                             event loop 1, so that all can wait at once */
    size_t buffer_size;   /* at most so many items submitted whose results
                              have not been handed out; 0: no bound */
    int64_t timeout_ns;   /* from the call; then the rest is cancelled. 0 or
                              CF_FOREVER: none */
    int unordered;        /* not 0: results as they come, not as the items */
    cf_pull_fn *pull;     /* instead of items and count: the input */
    void *pull_data;      /* for pull */
    size_t *failed_index; /* cf_map_array(): where to put the index of the
                              item whose error it returned. May be NULL */
    void *context;        /* for fn: cf_call_context() returns it. In a process
                              pool, memory as of an argument by reference */
    cf_item_free_fn *item_free; /* NULL: items own nothing. cf_map_array(): must
                              be NULL, as the caller knows when it is over */
} cf_map_options;

#define CF_MAP_OPTIONS_INIT                                                    \
    {                                                                          \
        sizeof(cf_map_options), 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL       \
    }
#ifndef __cplusplus
#define CF_MAP_OPTIONS(...) CF_WITH_SIZE(cf_map_options, __VA_ARGS__)
#endif

/**
 * Calls a task function for every item, in parallel, and hands out results.
 *
 * The items are grouped into tasks of chunk_size items each. All are submitted
 * before this returns, unless buffer_size bounds them; then
 * cf_results_next() submits one for one it hands out, before it returns: the
 * caller uses an item while the next ones run.
 *
 * @param ex         Where to run; must live as long as *out.
 * @param fn         Called once per item, with the item as its argument (in
 *                   a copy, aligned as malloc's if item_size is a multiple of
 *                   that). A failing item does not stop the others.
 * @param items      count items of item_size bytes, copied when they are
 *                   submitted: with buffer_size they must stay until
 *                   cf_results_destroy(), else they are free to go when this
 *                   returns. NULL with opts->pull, or if count is 0.
 * @param item_size  Bytes per item, not 0.
 * @param count      Number of items; ignored with opts->pull.
 * @param opts       NULL: defaults.
 * @param[out] out   The results; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   A NULL that may not be, item_size 0, timeout below -1, or
 *                     opts->size is no size.
 * @retval CF_ETOOBIG  opts has fields that this library does not know, or no
 *                     object can hold count items, or the items of one chunk
 *                     with room for their results.
 * @retval CF_ENOMEM   Nothing more of it begins, and what runs is asked to
 *                     stop; likewise for every error that cf_submit() can
 *                     give: CF_EBROKEN, CF_ESHUTDOWN, CF_EAGAIN, CF_EFORKED,
 *                     CF_ESYS.
 *
 * Ownership: *out is the caller's; cf_results_destroy() it.
 * Threads:   any number of callers, also inside tasks of ex.
 * Blocks:    only for room in ex's bounded queue, and in pull.
 * Ordering:  writes before the call are visible to fn.
 * Fork:      not in a child forked by the application: CF_EFORKED.
 * Python:    Executor.map(fn, items, timeout=, chunksize=, buffersize=).
 */
CF_API CF_NODISCARD cf_err cf_map(cf_executor *ex,
                                  cf_task_fn *fn,
                                  const void *items,
                                  size_t item_size,
                                  size_t count,
                                  const cf_map_options *opts,
                                  cf_results **out);

/**
 * Hands out the next result.
 *
 * @param timeout_ns  CF_FOREVER, 0 to poll, or nanoseconds from now; the
 *                    map's own timeout holds besides.
 * @param[out] out    The item's result; empty if it failed. Untouched on
 *                    CF_EDONE and CF_ETIMEDOUT. May be NULL.
 *
 * @retval CF_OK         *out is the result of item cf_results_index().
 * @retval CF_EDONE      All results are out.
 * @retval CF_ETIMEDOUT  The wait ran out: try again. Or the map's timeout
 *                       passed: no more is submitted, what is ready comes out
 *                       first, the rest is cancelled, and CF_EDONE follows.
 * @retval CF_ETASK, CF_EWORKERDIED, CF_EDEADLINE, CF_EBROKEN, CF_ECANCELED
 *                       The item failed so (cf_results_error()); the next
 *                       call goes on with the next item.
 * @retval CF_EINVAL     r is NULL or timeout_ns is below -1.
 * @retval CF_ENOMEM, CF_ESYS, CF_ESHUTDOWN, CF_EAGAIN, CF_EBROKEN  With a
 *                       buffer_size: the next item could not be submitted
 *                       (cf_results_error() has the kind); all before it are
 *                       out, it and what follows is lost, CF_EDONE follows.
 *                       cf_results_index() stays that of the last result.
 *                       Errors of the pull function are of this kind, too.
 * @retval CF_EDEADLK, CF_EINTERRUPTED, CF_EFORKED  As cf_future_wait().
 *
 * An item that failed, or could not be submitted, has a cf_results_error(). If
 * that is NULL after an error, the call itself failed: do not go on for ever.
 *
 * Ownership: *out is lent until the next call on r.
 * Threads:   one at a time uses r.
 * Blocks:    up to timeout_ns; inside a task as cf_future_wait(). If it has
 *            nothing left to wait for, as the queue of the pool was full, and
 *            timeout_ns is not 0, it first submits, as long as that takes.
 * Ordering:  everything the item's task did is visible.
 * Fork:      in the process that made r.
 * Python:    next(executor.map(...)).
 */
CF_API cf_err cf_results_next(cf_results *r, int64_t timeout_ns, cf_bytes *out);

/**
 * Returns how the item handed out last failed; NULL if it did not.
 *
 * Ownership: lent until the next call on r.
 * Threads:   the one that uses r.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      in the process that made r.
 * Python:    the exception that next() raised.
 */
CF_API const cf_error *cf_results_error(cf_results *r);

/**
 * Returns the index of the item handed out last, from 0; SIZE_MAX before the
 * first.
 *
 * The rest as cf_results_error(). Python: none (enumerate()).
 */
CF_API size_t cf_results_index(cf_results *r);

/**
 * Ends the iteration, at any time.
 *
 * @param r            NULL is fine.
 * @param cancel_rest  true: items not started never run, and running ones are
 *                     interrupted. false: what was submitted runs detached.
 *
 * Ownership: r is gone, and the result it lent last.
 * Threads:   the one that uses r.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      in the process that made r.
 * Python:    generator.close(), which cancels only if iteration had begun.
 */
CF_API void cf_results_destroy(cf_results *r, bool cancel_rest);

/**
 * Calls a task function for every item and writes its results of fixed size
 * straight into the caller's array.
 *
 * Item i's result goes to results + i * result_size: cf_return() copies it
 * there, cf_return_buffer() points there. A shorter result leaves the rest of
 * the element as it was; a longer one is CF_ETOOBIG (NULL). Inside a task the
 * caller takes part in the work. Here each item is passed where it stands:
 * arg points into items, and is as aligned as that.
 *
 * @param ex           Where to run.
 * @param fn           Called once per item.
 * @param items        count items of item_size bytes, unchanged meanwhile.
 * @param item_size    Bytes, not 0.
 * @param count        Number of items; 0 returns at once.
 * @param results      count elements; may be items itself when the sizes are
 *                     equal, and NULL when result_size is 0.
 * @param result_size  Bytes per element.
 * @param opts         NULL: defaults. unordered and buffer_size mean nothing
 *                     here; pull must be NULL.
 *
 * @retval CF_OK         Every item succeeded.
 * @retval CF_ETASK ...  The error of the failing item with the lowest index
 *                       among those that ran, but for items that heard
 *                       cf_call_canceled() say so; no more items are begun
 *                       after a failure. *opts->failed_index is its index.
 * @retval CF_ETIMEDOUT  opts->timeout_ns passed; what was running has ended.
 * @retval CF_EINVAL     As cf_map(), or opts->pull or item_free is set.
 * @retval CF_ENOMEM, CF_ETOOBIG, CF_EBROKEN, CF_ESHUTDOWN, CF_EAGAIN,
 *         CF_EFORKED, CF_ESYS   As cf_map().
 *
 * Ownership: items and results stay the caller's.
 * Threads:   any number of callers, also inside tasks of ex.
 * Blocks:    until all items are done.
 * Ordering:  everything the items did is visible on return.
 * Fork:      not in a child forked by the application: CF_EFORKED.
 * Python:    list(Executor.map(fn, items)).
 */
CF_API cf_err cf_map_array(cf_executor *ex,
                           cf_task_fn *fn,
                           const void *items,
                           size_t item_size,
                           size_t count,
                           void *results,
                           size_t result_size,
                           const cf_map_options *opts);

/**
 * A loop body: does iterations begin .. end - 1.
 *
 * Returns as a cf_task_fn does. Results set with cf_return() are dropped:
 * write to memory that data points to.
 */
typedef int cf_range_fn(cf_call *call, size_t begin, size_t end, void *data);

/**
 * Runs a loop in parallel: for loops whose bodies are too cheap to call one
 * by one.
 *
 * @param ex           Where to run.
 * @param begin        First iteration.
 * @param end          One past the last; not above begin: nothing to do.
 * @param grain        Most iterations in one call of fn; 0: adaptive, large
 *                     ranges first, smaller ones towards the end.
 * @param fn           The body.
 * @param data         Passed to fn. In a process pool, memory that fn writes to
 *                     is of cf_shared_alloc().
 * @param[out] failed  The failed range's future; NULL if none failed. May be
 *                     NULL.
 *
 * @retval CF_OK         Every range succeeded.
 * @retval CF_ETASK ...  The error of a range that failed; after a failure no
 *                       more ranges are begun.
 * @retval CF_EINVAL     ex or fn is NULL.
 * @retval CF_EDEADLK    In a task of an event loop: a range waits for the task
 *                       that called this. It does not end before that, and data
 *                       must stay. Elsewhere in the thread of an event loop:
 *                       nothing was run. In a thread pool the wait of such a
 *                       range is refused.
 * @retval CF_EINTERRUPTED  Called in a task that was told to stop, when it had
 *                       run what it could itself. The ranges that still ran
 *                       were told to stop, and all have ended.
 * @retval CF_ENOMEM, CF_EBROKEN, CF_ESHUTDOWN, CF_EAGAIN, CF_EFORKED, CF_ESYS
 *                       As cf_submit(); nothing was run.
 *
 * Ownership: *failed holds one handle, the caller's; cf_future_unref() it.
 * Threads:   any number of callers, also inside tasks of ex, where the caller
 *            takes part in the work.
 * Blocks:    until every range that was begun has ended.
 * Ordering:  writes before the call are visible to fn, fn's on return.
 * Fork:      not in a child forked by the application: CF_EFORKED.
 * Python:    none.
 */
CF_API cf_err cf_parallel_for(cf_executor *ex,
                              size_t begin,
                              size_t end,
                              size_t grain,
                              cf_range_fn *fn,
                              void *data,
                              cf_future **failed);

/**
 * Folds iterations begin .. end - 1 into a partial result.
 *
 * partial has what the iterations before begin have made of it, or is a copy of
 * the identity; one call at a time uses it. It is aligned to a cache line.
 *
 * Returns as a cf_task_fn does. Results set with cf_return() are dropped.
 */
typedef int
cf_fold_fn(cf_call *call, size_t begin, size_t end, void *partial, void *data);

/**
 * Makes one partial result of two: of that of some iterations, and of next,
 * that of the iterations that follow. The result goes to partial. next is not
 * used any more: what it owns can be taken over, or is freed here.
 *
 * Called in tasks. It must be associative: (a b) c is a (b c), but for the
 * rounding of numbers. It need not be commutative.
 */
typedef void cf_combine_fn(void *partial, void *next, void *data);

/**
 * Folds a loop into one result, in parallel: sums, minima, histograms.
 *
 * The iterations are cut into pieces, at most 512. Each piece is folded into a
 * partial result of its own, in order; then neighbours are combined, and so on
 * up a tree, in the tasks that fold. Where the cuts are, and which partial
 * results meet, depends on end - begin, grain and size only. So with the same
 * arguments the result has the same bits, whatever the executor and the number
 * of its workers, also of floating point; grain 0 is no exception.
 *
 * @param ex           Where to run.
 * @param begin        First iteration.
 * @param end          One past the last; not above begin: *result becomes
 *                     *identity.
 * @param grain        Most iterations in one call of fn; 0: chosen by the
 *                     library. fn is not called for the iterations of two
 *                     pieces at once.
 * @param fn           Folds some iterations.
 * @param combine      Combines two partial results.
 * @param identity     size bytes, copied: what each partial result begins with.
 *                     Combined with any other it gives that other.
 * @param size         Bytes of a partial result, not 0. With large ones there
 *                     are fewer pieces, down to 8: so all of them together have
 *                     at most 64 MiB, or 8 times size.
 * @param data         Passed to fn and combine. In a process pool, memory that
 *                     they write to is of cf_shared_alloc(), and what partial
 *                     results point to is, too.
 * @param[out] result  size bytes, which may be those of identity; untouched on
 *                     error.
 *
 * @retval CF_OK         *result has all iterations.
 * @retval CF_ETASK ...  The error of a call of fn; after a failure no more are
 *                       begun. What other partial results own is lost: then
 *                       data should know of it.
 * @retval CF_EINVAL     A NULL that may not be, or size 0.
 * @retval CF_ETOOBIG    No object can hold the partial results.
 * @retval CF_EDEADLK, CF_EINTERRUPTED, CF_ENOMEM, CF_EBROKEN, CF_ESHUTDOWN,
 *         CF_EAGAIN, CF_EFORKED, CF_ESYS   As cf_parallel_for().
 *
 * Ownership: data and what the result owns are the caller's.
 * Threads:   any number of callers, also inside tasks of ex. The caller takes
 *            part in the work, and if the loop is short, no worker does, unless
 *            one is awake. Out of tasks that is so on a thread pool with no
 *            bound, initializer, finalizer, stack_size or pin_workers: there fn
 *            and combine run on the stacks of the caller and of max_workers - 1
 *            workers.
 * Blocks:    until every range that was begun has ended.
 * Ordering:  writes before the call are visible to fn, fn's on return. What fn
 *            did for the iterations that combine is given is visible to it.
 * Fork:      not in a child forked by the application: CF_EFORKED.
 * Python:    functools.reduce(), over ranges; none in parallel.
 */
CF_API cf_err cf_parallel_reduce(cf_executor *ex,
                                 size_t begin,
                                 size_t end,
                                 size_t grain,
                                 cf_fold_fn *fn,
                                 cf_combine_fn *combine,
                                 const void *identity,
                                 size_t size,
                                 void *data,
                                 void *result);

CF_END_DECLS

#endif
