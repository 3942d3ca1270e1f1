/* SPDX-License-Identifier: MIT */
/*
 * cf_map(): checks its arguments, chooses the size of a chunk, and fills the
 * window for the first time. The rest of a map is in window.c and results.c.
 */
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/forked.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/executor.h"
#include "lib/many/chunk.h"
#include "lib/many/results.h"

#include <stdlib.h>

static cf_err
check(const cf_map_options *options,
      const cf_results *r,
      const cf_results *const *out)
{
    if (!r->ex || !r->fn || !out || r->item_size == 0 ||
        !cf__timeout_valid(options->timeout_ns) ||
        (options->pull ? r->items != NULL : !r->items && r->item_count))
        return cf__einval("cf_map",
                          !r->ex              ? "ex is NULL"
                          : !r->fn            ? "fn is NULL"
                          : !out              ? "out is NULL"
                          : r->item_size == 0 ? "item_size is 0"
                          : !cf__timeout_valid(options->timeout_ns)
                              ? CF__BAD_TIMEOUT
                          : options->pull ? "there are items, and pull is set"
                                          : "items is NULL");
    if (!options->pull && !cf__array_fits(r->item_count, r->item_size))
        return CF_ETOOBIG;
    return CF_OK;
}

cf_err
cf_map(cf_executor *ex,
       cf_task_fn *fn,
       const void *items,
       size_t item_size,
       size_t count,
       const cf_map_options *opts,
       cf_results **out)
{
    cf_results start = {.ex = ex,
                        .fn = fn,
                        .items = items,
                        .item_size = item_size,
                        .item_count = count,
                        .generation = cf__generation_now(),
                        .index = SIZE_MAX};
    cf_err err = cf__options_import(&start.options, sizeof start.options, opts);
    if (!err)
        err = check(&start.options, &start, (const cf_results *const *)out);
    if (err)
        return err;
    start.input_ended = !start.options.pull && count == 0;
    if (ex->ops->tasks_suspend && start.options.chunk_size == 0)
        start.options.chunk_size = 1; /* all items can wait at once */
    start.chunk_size =
        cf__chunk_size(&start.options, count, (size_t)ex->max_workers);
    size_t arg_size;
    if (!cf__chunk_arg_size(start.chunk_size, item_size, &arg_size))
        return CF_ETOOBIG;
    start.deadline_ns = cf__deadline_or_never(start.options.timeout_ns);
    cf_results *r = malloc(sizeof *r);
    if (!r)
        return CF_ENOMEM;
    *r = start;
    if (r->options.unordered)
        err = cf_as_completed_create(NULL, 0, &r->order);
    if (!err)
        err = cf__results_fill_window(r, false);
    if (err) {
        cf_results_destroy(r, true);
        return err;
    }
    r->end_error = r->input_error;
    cf__results_check(r);
    *out = r;
    return CF_OK;
}
