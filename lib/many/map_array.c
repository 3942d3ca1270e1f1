/* SPDX-License-Identifier: MIT */
/*
 * cf_map_array(): a loop whose ranges call the task function for each item,
 * where it stands, and put its result into its place. If workers are other
 * processes, items and results that are not in shared memory are copied there
 * and back. README.md, "A map to an array".
 */
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/call.h"
#include "lib/future/failure.h"
#include "lib/many/loop.h"

#include <pthread.h>
#include <stdlib.h>

/* The loop's data. */
struct array {
    cf_task_fn *fn;
    const unsigned char *items;
    unsigned char *results;
    size_t item_size, result_size;
    void *context; /* for cf_call_context() */
    /* Atomic: the lowest index of an item that failed; SIZE_MAX: none. */
    atomic_size_t failed_index;
};

static void
note_failure(struct array *array, size_t index)
{
    size_t lowest = cf_load_relaxed(&array->failed_index);
    /* Read at the end when all ranges are done, which orders it. */
    while (index < lowest &&
           !cf_cas_weak_acq_rel(&array->failed_index, &lowest, index))
        continue;
}

/* Notes that item index failed with rc: its failure becomes the range's, so the
 * range's own goes. */
static int
fail_range(cf_call *call, struct array *array, size_t index, int rc)
{
    cf__failure_free(call->failure);
    call->failure = NULL;
    note_failure(array, index);
    return rc;
}

/* Calls the task function for one item. The result goes through room, if that
 * is not NULL, to result. */
static inline int
run_item(const struct array *array,
         struct cf_call *item,
         const unsigned char *arg,
         unsigned char *result,
         unsigned char *room)
{
    cf__call_begin(item, room ? room : result, array->result_size);
    int rc = array->fn(item, arg, array->item_size);
    cf__call_returned(item, rc);
    if (room && result)
        memcpy(result, room, item->result_size);
    return rc;
}

/* A range of items that runs. */
struct run {
    struct cf_call item; /* the call of one item after the other */
    atomic_bool told;    /* the item knows that it is asked to stop */
    unsigned char *room; /* for one result; NULL: it needs none */
};

/* Runs the items begin .. end - 1. Not inlined: beside pthread_cleanup_push()
 * its variables would be in memory instead of registers. */
__attribute__((noinline)) static int
run_through(cf_call *call,
            size_t begin,
            size_t end,
            struct array *array,
            struct run *run)
{
    struct cf_call *item = &run->item;
    unsigned char *room = run->room;
    const unsigned char *arg = array->items + begin * array->item_size;
    unsigned char *result = array->results; /* NULL if there are none */
    if (result)
        result += begin * array->result_size;
    for (size_t i = begin; i < end; i++) {
        /* A hint: the first failure ends the map. */
        if (__builtin_expect(cf_load_relaxed(&array->failed_index) != SIZE_MAX,
                             0))
            return 0;
        if (__builtin_expect(cf__call_canceled(call), 0))
            return cf_fail(call, 0, "given up");
        int rc = run_item(array, item, arg, result, room);
        if (__builtin_expect(rc != 0, 0)) {
            /* Written by this thread, or by a helper thread of the item. */
            if (!cf_load_relaxed(&run->told))
                rc = fail_range(call, array, i, rc);
            call->failure = item->failure;
            return rc;
        }
        if (__builtin_expect(item->failure != NULL, 0))
            cf__failure_free(item->failure); /* cf_fail(), but it succeeded */
        arg += array->item_size;
        if (result)
            result += array->result_size;
    }
    return 0;
}

/* An item has ended the thread: frees what its range has. */
static void
drop_run(void *range_run)
{
    struct run *run = range_run;
    cf__failure_free(run->item.failure);
    free(run->room);
}

/* If an item ends the thread, what the run has is freed. */
static int
run_guarded(cf_call *call,
            size_t begin,
            size_t end,
            struct array *array,
            struct run *run)
{
    int rc;
    pthread_cleanup_push(drop_run, run);
    rc = run_through(call, begin, end, array, run);
    pthread_cleanup_pop(0);
    return rc;
}

/* The body of the loop. */
static int
run_items(cf_call *call, size_t begin, size_t end, void *data)
{
    struct array *array = data;
    struct run run = {*call, false, NULL};
    cf__call_begin(&run.item, NULL, 0);
    run.item.fixed_sink = true;
    run.item.told = &run.told;
    run.item.context = array->context;
    /* results is in memory that a child that a task forks shares, and the child
     * may return a result too. Without memory for room, both write there. */
    if (call->home && array->results)
        run.room = malloc(array->result_size);
    int rc = run_guarded(call, begin, end, array, &run);
    free(run.room);
    return rc;
}

/* Maps an array that all workers can use. */
static cf_err
map_in_place(cf_executor *ex,
             const struct array *array,
             size_t count,
             const cf_map_options *options)
{
    struct array mine = *array; /* processes may write anything to the copy
                                   that comes back */
    struct cf__loop loop = {.ex = ex,
                            .begin = 0,
                            .end = count,
                            .grain = options->chunk_size,
                            .fn = run_items,
                            .data = &mine,
                            .data_size = sizeof mine,
                            .deadline_ns =
                                cf__deadline_or_never(options->timeout_ns)};
    cf_err err = cf__loop_run(&loop, NULL);
    /* All ranges are done. */
    size_t failed_index = cf_load_relaxed(&mine.failed_index);
    if (!err && failed_index != SIZE_MAX)
        err = CF_ETASK; /* a worker process wrote it, and no range failed */
    if (err && failed_index < count && options->failed_index)
        *options->failed_index = failed_index;
    return err;
}

/* The workers of ex can use size bytes at p. */
static bool
in_reach(cf_executor *ex, const void *p, size_t size)
{
    return !ex->ops->is_shared || size == 0 || ex->ops->is_shared(ex, p, size);
}

/* A copy of size bytes that the workers of ex can use. NULL: no memory. */
static void *
copy_in_reach(cf_executor *ex, const void *p, size_t size)
{
    void *copy = cf_shared_alloc(ex, size);
    if (copy)
        memcpy(copy, p, size);
    return copy;
}

/* Copies what the workers cannot reach, and maps that. */
static cf_err
map_in_reach(cf_executor *ex,
             const struct array *array,
             size_t count,
             const cf_map_options *options)
{
    struct array reached = *array;
    size_t items_size = count * array->item_size;
    size_t results_size = count * array->result_size;
    bool copy_items = !in_reach(ex, array->items, items_size);
    bool copy_results = !in_reach(ex, array->results, results_size);
    if (copy_items)
        reached.items = copy_in_reach(ex, array->items, items_size);
    if (copy_results)
        reached.results = copy_in_reach(ex, array->results, results_size);
    cf_err err = CF_ENOMEM;
    if ((reached.items || !copy_items) && (reached.results || !copy_results))
        err = map_in_place(ex, &reached, count, options);
    if (copy_results && reached.results)
        memcpy(array->results, reached.results, results_size);
    if (err == CF_EDEADLK) /* a range uses the copies */
        return err;
    if (copy_items)
        cf_shared_free(ex, (void *)reached.items);
    if (copy_results)
        cf_shared_free(ex, reached.results);
    return err;
}

/* NULL: nothing is. */
static const char *
wrong_in(const cf_map_options *options)
{
    if (options->pull)
        return "pull is set";
    if (options->item_free)
        return "item_free is set";
    return cf__timeout_valid(options->timeout_ns) ? NULL : CF__BAD_TIMEOUT;
}

cf_err
cf_map_array(cf_executor *ex,
             cf_task_fn *fn,
             const void *items,
             size_t item_size,
             size_t count,
             void *results,
             size_t result_size,
             const cf_map_options *opts)
{
    cf_map_options options;
    const char *why = !ex                                ? "ex is NULL"
                      : !fn                              ? "fn is NULL"
                      : item_size == 0                   ? "item_size is 0"
                      : count && !items                  ? "items is NULL"
                      : count && result_size && !results ? "results is NULL"
                                                         : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (err)
        return err;
    why = wrong_in(&options);
    if (why)
        return cf__einval(__func__, why);
    if (!cf__array_fits(count, item_size) ||
        !cf__array_fits(count, result_size))
        return CF_ETOOBIG;
    struct array array = {
        fn, items, results, item_size, result_size, options.context, SIZE_MAX};
    return map_in_reach(ex, &array, count, &options);
}
