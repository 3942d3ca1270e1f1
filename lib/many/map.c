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

/* NULL: nothing is. */
static const char *
wrong_in(const cf_map_options *options,
         const cf_results *r,
         const cf_results *const *out)
{
    if (!r->ex)
        return "ex is NULL";
    if (!r->fn)
        return "fn is NULL";
    if (!out)
        return "out is NULL";
    if (r->item_size == 0)
        return "item_size is 0";
    if (!cf__timeout_valid(options->timeout_ns))
        return CF__BAD_TIMEOUT;
    if (options->pull)
        return r->items ? "there are items, and pull is set" : NULL;
    return !r->items && r->item_count ? "items is NULL" : NULL;
}

static cf_err
check(const cf_map_options *options,
      const cf_results *r,
      const cf_results *const *out)
{
    const char *why = wrong_in(options, r, out);
    if (why)
        return cf__einval("cf_map", why);
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
