/* SPDX-License-Identifier: MIT */
/* cf__results_check(): a map is whole at each step, and what is broken is
 * found. */
#include "lib/many/results.h"

#include <cfutures/executor.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

enum { ITEMS = 40, CHUNK = 3, WINDOW = 12 };

static int numbers[ITEMS];
static cf_executor *ex;
static cf_results *r;
static cf_map_options options = CF_MAP_OPTIONS_INIT;

static int
task_copy(cf_call *call, const void *arg, size_t arg_size)
{
    return cf_return(call, arg, arg_size);
}

static cf_err
pull(void *pull_data, void *item)
{
    int *next = pull_data;
    if (*next == ITEMS)
        return CF_EDONE;
    memcpy(item, next, sizeof *next);
    ++*next;
    return CF_OK;
}

static void
start(void)
{
    const void *items = options.pull ? NULL : numbers;
    for (int i = 0; i < ITEMS; i++)
        numbers[i] = i;
    cr_assert(cf_inline_create(&ex) == CF_OK);
    cr_assert(cf_map(ex, task_copy, items, sizeof(int), ITEMS, &options, &r) ==
              CF_OK);
    cf__results_check(r);
}

static void
take(int count)
{
    for (int i = 0; i < count; i++) {
        cf_bytes bytes;
        cr_assert(cf_results_next(r, 0, &bytes) == CF_OK);
        cf__results_check(r);
        cr_assert(
            !memcmp(bytes.data, &numbers[cf_results_index(r)], sizeof(int)));
    }
}

static void
end(void)
{
    cr_assert(cf_results_next(r, 0, NULL) == CF_EDONE);
    cf__results_check(r);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

Test(results, are_whole_at_each_step)
{
    start();
    take(ITEMS);
    end();
    options.chunk_size = CHUNK;
    start();
    take(ITEMS);
    end();
    options.buffer_size = WINDOW;
    start();
    take(ITEMS);
    end();
    options.unordered = 1;
    start();
    take(ITEMS);
    end();
    int next = 0;
    options.pull = pull;
    options.pull_data = &next;
    start();
    take(ITEMS);
    end();
}

#ifdef CF_ASSERTIONS

/* Chunks of 3 in a window of 12; one item of the second chunk is out. */
static void
begin(void)
{
    options.chunk_size = CHUNK;
    options.buffer_size = WINDOW;
    start();
    take(CHUNK + 1);
}

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(results, broken_##what, .init = begin, .signal = SIGABRT)

static struct cf__submitted *
chunk(size_t i)
{
    return cf__results_chunk(r, r->oldest_id + i);
}

BROKEN(by_more_in_the_window_than_it_holds)
{
    r->options.buffer_size = r->in_window - 1;
    cf__results_check(r);
}

BROKEN(by_an_item_that_was_not_counted)
{
    r->in_window--;
    cf__results_check(r);
}

BROKEN(by_an_item_that_was_handed_out_and_counted)
{
    r->position++;
    cf__results_check(r);
}

BROKEN(by_a_position_outside_of_the_chunk)
{
    r->position = r->count + 1;
    cf__results_check(r);
}

BROKEN(by_a_chunk_that_overlaps)
{
    chunk(1)->first--;
    cf__results_check(r);
}

BROKEN(by_a_chunk_outside_of_what_was_taken)
{
    r->taken--;
    cf__results_check(r);
}

BROKEN(by_more_items_than_there_are)
{
    r->taken = ITEMS + 1;
    cf__results_check(r);
}

BROKEN(by_a_current_chunk_outside_of_what_was_taken)
{
    r->first = ITEMS;
    cf__results_check(r);
}

BROKEN(by_more_in_the_window_than_was_taken)
{
    r->options.buffer_size = 0;
    r->in_window = r->taken + 1;
    cf__results_check(r);
}

BROKEN(by_an_empty_chunk)
{
    chunk(0)->count = 0;
    cf__results_check(r);
}

BROKEN(by_a_chunk_that_is_too_large)
{
    r->chunk_size = CHUNK - 1;
    cf__results_check(r);
}

BROKEN(by_an_oldest_chunk_that_was_handed_out)
{
    chunk(0)->f = NULL;
    cf__results_check(r);
}

BROKEN(by_a_chunk_that_was_handed_out_too_early)
{
    chunk(1)->f = NULL;
    cf__results_check(r);
}

BROKEN(by_more_chunks_than_slots)
{
    r->slot_count = 2;
    cf__results_check(r);
}

BROKEN(by_a_number_of_slots_that_is_no_power_of_2)
{
    r->slot_count--;
    cf__results_check(r);
}

BROKEN(by_an_end_that_did_not_end_the_input)
{
    r->end_error = CF_ENOMEM;
    cf__results_check(r);
}

Test(results, broken_by_a_chunk_that_left_the_iterator_only, .signal = SIGABRT)
{
    cf_future *f;
    options.unordered = 1;
    begin();
    cr_assert(cf_as_completed_next(r->order, 0, &f) == CF_OK);
    cf__results_check(r);
}

/* The library checks at its turns. */
BROKEN(and_found_by_the_next_result)
{
    r->in_window--;
    (void)cf_results_next(r, 0, NULL);
}

#endif
