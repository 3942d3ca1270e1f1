/* SPDX-License-Identifier: MIT */
/*
 * The batch is one cf_map() that pulls its items from the input as there is
 * room, so that neither tasks nor results pile up however long the batch is:
 * the results not yet printed are bounded by WINDOW_BYTES.
 */
#include "batch.h"

#include "clock.h"
#include "progress.h"

#include <cfutures/map.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    WINDOW_MAX = 1024,              /* results not yet printed ... */
    WINDOW_BYTES = 64 * 1024 * 1024 /* ... and their size, about */
};

/* Where cf_map() gets its items. */
typedef struct feed {
    const input *in;
    input_cursor at;
    print_mode print;
} feed;

static cf_err
next_item(void *pull_data, void *item)
{
    feed *f = pull_data;
    factorial_arg *arg = item;
    arg->print = f->print;
    return input_next(f->in, &f->at, &arg->n) ? CF_OK : CF_EDONE;
}

/* How many results may wait, judged by the largest of the batch. */
static size_t
window_size(cf_executor *ex, const options *opts, const input *in)
{
    /* Inline, cf_map() computes a whole window before it returns. */
    if (strcmp(cf_executor_name(ex), "inline") == 0)
        return 1;
    size_t largest = sizeof(factorial_result);
    if (opts->print == PRINT_VALUE)
        largest += (size_t)in->largest * 7; /* n < 10^7: 7 digits a factor */
    size_t least = 2 * (size_t)cf_executor_max_workers(ex);
    size_t window = WINDOW_BYTES / largest;
    if (window > WINDOW_MAX)
        window = WINDOW_MAX;
    return window > least ? window : least;
}

static void
print_result(const factorial_result *result, print_mode print)
{
    printf("%" PRIu32 " ", result->n);
    if (print == PRINT_VALUE)
        fwrite(result + 1, 1, result->digits, stdout);
    else if (print == PRINT_DIGITS)
        printf("%" PRIu64, result->digits);
    else
        printf("%016" PRIx64, result->checksum);
    putchar('\n');
}

static bool
output_works(void)
{
    if (!ferror(stdout))
        return true;
    fprintf(stderr, "factorial: standard output: %s\n", strerror(errno));
    return false;
}

/* Takes results until none is left; false: the batch broke off. */
static bool
take_results(cf_results *results,
             const options *opts,
             const input *in,
             progress *bar,
             batch_totals *totals)
{
    for (;;) {
        progress_draw(bar);
        cf_bytes bytes;
        int64_t timeout = bar->enabled ? CF_MS(100) : CF_FOREVER;
        cf_err err = cf_results_next(results, timeout, &bytes);
        if (err == CF_EDONE)
            return true;
        if (err == CF_ETIMEDOUT)
            continue;
        progress_make_room(bar);
        const cf_error *error = cf_results_error(results);
        if (err == CF_OK) {
            const factorial_result *result = bytes.data;
            totals->parts += result->parts;
            totals->cpu_ns += result->cpu_ns;
            totals->checksum += result->checksum;
            totals->failures--;
            progress_advance(bar, result->n);
            print_result(result, opts->print);
            if (!output_works())
                return false;
        } else if (error != NULL) {
            uint32_t n = input_number(in, cf_results_index(results));
            fprintf(stderr, "factorial: %" PRIu32 ": %s\n", n, error->message);
            progress_advance(bar, n);
        } else {
            fprintf(stderr, "factorial: broken off: %s\n", cf_strerror(err));
            return false;
        }
    }
}

bool
batch_run(cf_executor *ex,
          const options *opts,
          const input *in,
          batch_totals *totals)
{
    *totals = (batch_totals){.numbers = in->numbers, .failures = in->numbers};
    uint64_t started_ns = clock_ns(CLOCK_MONOTONIC);
    feed source = {.in = in, .print = opts->print};
    cf_map_options map =
        CF_MAP_OPTIONS(.chunk_size = 1,
                       .buffer_size = window_size(ex, opts, in),
                       .unordered = opts->as_completed,
                       .pull = next_item,
                       .pull_data = &source);

    progress bar;
    progress_init(&bar, in);
    progress_draw(&bar);
    cf_results *results;
    cf_err err = cf_map(
        ex, factorial_task, NULL, sizeof(factorial_arg), 0, &map, &results);
    if (err != CF_OK) {
        progress_fini(&bar);
        fprintf(stderr, "factorial: %s\n", cf_strerror(err));
        return false;
    }
    bool complete = take_results(results, opts, in, &bar, totals);
    cf_results_destroy(results, true);
    progress_fini(&bar);
    if (complete && fflush(stdout) != 0)
        complete = output_works();
    totals->wall_ns = clock_ns(CLOCK_MONOTONIC) - started_ns;
    return complete && totals->failures == 0;
}
