/* SPDX-License-Identifier: MIT */
/*
 * What a map does with the items themselves: an input that fails, and items
 * that own memory: each is freed once, whether it ran or not.
 */
#include "tests/conformance/conformance.h"

#include <errno.h>

enum { N = 40 };

/* A stream of numbers that owns what they stand for. */
typedef struct stream {
    int next, end;
    cf_err error; /* what it says at the end */
    int asked;
    atomic_int freed[N + 1]; /* by number */
    atomic_int frees;
} stream;

static cf_err
pull_number(void *pull_data, void *item)
{
    stream *s = pull_data;
    s->asked++;
    if (s->next == s->end) {
        errno = EIO;
        return s->error;
    }
    memcpy(item, &s->next, sizeof s->next);
    s->next++;
    return CF_OK;
}

static void
free_number(const void *item, void *context)
{
    stream *s = context;
    int n;
    memcpy(&n, item, sizeof n);
    atomic_fetch_add(&s->freed[n], 1);
    atomic_fetch_add(&s->frees, 1);
}

static cf_map_options
options_of(stream *s, size_t chunk_size, size_t buffer_size)
{
    cf_map_options options = CF_MAP_OPTIONS_INIT;
    options.chunk_size = chunk_size;
    options.buffer_size = buffer_size;
    options.pull = pull_number;
    options.pull_data = s;
    options.context = s;
    options.item_free = free_number;
    return options;
}

/* Numbers below end have been freed once, the others not. */
static void
expect_freed(stream *s, int end)
{
    for (int i = 0; i < N; i++)
        cr_assert(atomic_load(&s->freed[i]) == (i < end),
                  "%d was freed %d times",
                  i,
                  atomic_load(&s->freed[i]));
}

static void
numbers(int *items)
{
    for (int i = 0; i < N; i++)
        items[i] = i;
}

CF_TEST(an_input_that_fails_says_so_after_the_results_before)
{
    cf_executor *ex = test_executor(2);
    const size_t buffers[] = {0, 3, N};
    for (size_t b = 0; b < 3; b++) {
        stream s = {.end = 10, .error = CF_ESYS};
        cf_map_options options = options_of(&s, 2, buffers[b]);
        cf_results *r = NULL;
        assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &options, &r));
        for (int i = 0; i < 10; i++) {
            assert_ok(cf_results_next(r, CF_FOREVER, NULL));
            cr_assert(cf_results_index(r) == (size_t)i);
        }
        errno = 0;
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ESYS);
        cr_assert(errno == EIO, "errno is %d", errno);
        cr_assert(cf_results_error(r)->kind == CF_ESYS);
        assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
        cr_assert(s.asked == 11, "asked %d times", s.asked);
        cf_results_destroy(r, false);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        expect_freed(&s, 10);
    }
    cf_executor_destroy(ex);
}

CF_TEST(an_input_that_fails_at_once_has_no_results)
{
    cf_executor *ex = test_executor(1);
    stream s = {.error = CF_ETOOBIG};
    cf_map_options options = options_of(&s, 0, 0);
    options.unordered = 1;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &options, &r));
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_ETOOBIG);
    assert_err(cf_results_next(r, CF_FOREVER, NULL), CF_EDONE);
    cf_results_destroy(r, false);
    cf_executor_destroy(ex);
}

/* Also those whose task fails: each third. */
CF_TEST(each_item_of_an_array_is_freed_once)
{
    cf_executor *ex = test_executor(2);
    int items[N];
    numbers(items);
    for (int unordered = 0; unordered < 2; unordered++) {
        stream s = {.end = 0};
        cf_map_options options = options_of(&s, 3, 0);
        options.pull = NULL;
        options.unordered = unordered;
        cf_results *r = NULL;
        assert_ok(cf_map(
            ex, task_fail_thirds, items, sizeof *items, N, &options, &r));
        while (cf_results_next(r, CF_FOREVER, NULL) != CF_EDONE)
            continue;
        cf_results_destroy(r, false);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        expect_freed(&s, N);
    }
    cf_executor_destroy(ex);
}

CF_TEST(items_that_never_run_are_freed_too)
{
    cf_executor *ex = test_executor(1);
    int items[N];
    numbers(items);
    for (int pulls = 0; pulls < 2; pulls++) {
        stream s = {.end = N, .error = CF_EDONE};
        cf_map_options options = options_of(&s, 2, 8);
        if (!pulls)
            options.pull = NULL;
        cf_results *r = NULL;
        assert_ok(cf_map(ex,
                         task_square,
                         pulls ? NULL : items,
                         sizeof *items,
                         pulls ? 0 : N,
                         &options,
                         &r));
        assert_ok(cf_results_next(r, CF_FOREVER, NULL));
        cf_results_destroy(r, true);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        expect_freed(&s, pulls ? s.next : N);
    }
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(items_that_are_cancelled_in_the_queue_are_freed)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    stream s = {.end = N, .error = CF_EDONE};
    cf_map_options options = options_of(&s, 5, 0);
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &options, &r));
    cr_assert(atomic_load(&s.frees) == 0);
    cf_results_destroy(r, true);
    expect_freed(&s, N);
    gate_open(g);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

CF_TEST(items_are_freed_if_the_map_cannot_be_submitted)
{
    cf_executor *ex = test_executor(1);
    int items[N];
    numbers(items);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    for (int pulls = 0; pulls < 2; pulls++) {
        stream s = {.end = N, .error = CF_EDONE};
        cf_map_options options = options_of(&s, 2, 0);
        if (!pulls)
            options.pull = NULL;
        cf_results *r = NULL;
        assert_err(cf_map(ex,
                          task_square,
                          pulls ? NULL : items,
                          sizeof *items,
                          pulls ? 0 : N,
                          &options,
                          &r),
                   CF_ESHUTDOWN);
        expect_freed(&s, pulls ? s.next : N);
        assert_err(cf_map(ex, NULL, items, sizeof *items, N, &options, &r),
                   CF_EINVAL);
        expect_freed(&s, pulls ? s.next : N);
    }
    cf_executor_destroy(ex);
}

CF_TEST(a_map_to_an_array_leaves_items_to_the_caller)
{
    cf_executor *ex = test_executor(1);
    int items[N];
    stream s = {.end = 0};
    numbers(items);
    cf_map_options options = options_of(&s, 0, 0);
    options.pull = NULL;
    assert_err(cf_map_array(
                   ex, task_square, items, sizeof *items, N, NULL, 0, &options),
               CF_EINVAL);
    expect_freed(&s, 0);
    cf_executor_destroy(ex);
}
