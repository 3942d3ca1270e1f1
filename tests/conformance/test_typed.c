/* SPDX-License-Identifier: MIT */
/*
 * Typed tasks (cfutures/typed.h): values go in and come out as they are, by all
 * calls, and errors come as from the calls below them. What does not compile is
 * in tests/compile/typed.c.
 */
#include "tests/conformance/conformance.h"

enum { FAILS = 13 };

static int
half(cf_call *call, const int *n, double *result)
{
    if (*n == FAILS)
        return cf_fail(call, *n, "unlucky");
    *result = *n / 2.0;
    return 0;
}
CF_TASK_TYPED(half, int, double);

/* Neither fits into a future. */
struct wide {
    uint64_t words[100];
};

static int
reverse(cf_call *call, const struct wide *wide, struct wide *result)
{
    (void)call;
    for (int i = 0; i < 100; i++)
        result->words[i] = wide->words[99 - i];
    return 0;
}
CF_TASK_TYPED(reverse, struct wide, struct wide);

struct entry {
    journal *journal;
    int entry;
};

static int
note(cf_call *call, const struct entry *entry)
{
    if (entry->entry == FAILS)
        return cf_fail(call, entry->entry, "unlucky");
    journal_add(entry->journal, entry->entry);
    return 0;
}
CF_TASK_TYPED_VOID(note, struct entry);

CF_TEST(a_typed_task_takes_and_returns_values)
{
    cf_executor *ex = test_executor(2);
    half_future f;
    double result = 0;
    const double *view = NULL;
    assert_ok(half_submit(ex, 3, &f));
    assert_ok(half_result(f, CF_FOREVER, &result));
    cr_assert(result == 1.5, "%g", result);
    assert_ok(half_view(f, 0, &view));
    cr_assert(*view == 1.5, "%g", *view);
    assert_ok(half_result(f, 0, NULL));
    assert_ok(half_view(f, 0, NULL));
    half_unref(f);
    assert_ok(half_submit(ex, 4, NULL)); /* detached */
    cf_executor_destroy(ex);
}

CF_TEST(a_typed_task_takes_and_returns_large_structs)
{
    cf_executor *ex = test_executor(2);
    reverse_future f;
    struct wide wide, result;
    const struct wide *view = NULL;
    for (int i = 0; i < 100; i++)
        wide.words[i] = (uint64_t)(i * i);
    assert_ok(reverse_submit(ex, wide, &f));
    assert_ok(reverse_result(f, CF_FOREVER, &result));
    assert_ok(reverse_view(f, CF_FOREVER, &view));
    for (int i = 0; i < 100; i++)
        cr_assert(result.words[i] == wide.words[99 - i], "word %d", i);
    cr_assert(memcmp(view, &result, sizeof result) == 0);
    cr_assert((uintptr_t)view % _Alignof(max_align_t) == 0);
    reverse_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_typed_task_fails_as_any_other)
{
    cf_executor *ex = test_executor(2);
    half_future f;
    double result = 42;
    const double *view = NULL;
    assert_ok(half_submit(ex, FAILS, &f));
    assert_err(half_result(f, CF_FOREVER, &result), CF_ETASK);
    assert_err(half_view(f, CF_FOREVER, &view), CF_ETASK);
    cr_assert(result == 42 && view == NULL, "a failure gave a result");
    const cf_error *error = cf_future_error(f.future);
    cr_assert(error->code == FAILS);
    cr_assert_str_eq(error->message, "unlucky");
    half_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(typed_calls_check_as_those_below_them)
{
    cf_executor *ex = test_executor(1);
    half_future f = {NULL};
    half_results r = {NULL};
    double result;
    assert_err(half_submit(NULL, 1, &f), CF_EINVAL);
    assert_err(half_submit_task(ex, NULL, 1, &f), CF_EINVAL);
    assert_err(half_submit_many(ex, NULL, 1, &f), CF_EINVAL);
    assert_err(half_result(f, 0, &result), CF_EINVAL);
    assert_err(half_map(ex, &(int){1}, 1, NULL, NULL), CF_EINVAL);
    assert_err(half_next(r, 0, &result), CF_EINVAL);
    assert_err(half_map_array(ex, NULL, 1, &result, NULL), CF_EINVAL);
    half_unref(f);

    /* The future of a task whose result is something else. */
    f.future = must_submit(ex, task_square, &(int){1}, sizeof(int));
    assert_err(half_result(f, CF_FOREVER, &result), CF_EINVAL);
    half_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(the_function_of_a_typed_task_goes_where_one_is_taken)
{
    cf_executor *ex = test_executor(1);
    int *n = cf_shared_alloc(ex, sizeof *n);
    cr_assert(n != NULL);
    *n = 5;
    half_future f = {must_submit(ex, half_task, n, 0)}; /* the pointer only */
    double result;
    assert_ok(half_result(f, CF_FOREVER, &result));
    cr_assert(result == 2.5, "%g", result);
    half_unref(f);
    f.future = must_submit(ex, half_task, &(char){1}, sizeof(char));
    assert_err(half_result(f, CF_FOREVER, &result), CF_ETASK);
    cr_assert(cf_future_error(f.future)->code == CF_EINVAL);
    half_unref(f);
    cf_shared_free(ex, n);
    cf_executor_destroy(ex);
}

CF_TEST(a_typed_task_has_attributes)
{
    cf_executor *ex = test_executor(1);
    half_future f;
    double result;
    cf_task task = CF_TASK(.name = "half", .timeout_ns = CF_SECONDS(1000));
    assert_ok(half_submit_task(ex, &task, 7, &f));
    assert_ok(half_result(f, CF_FOREVER, &result));
    cr_assert(result == 3.5, "%g", result);
    cr_assert(task.fn == NULL && task.arg_size == 0, "the template changed");
    half_unref(f);
    task.timeout_ns = -2;
    assert_err(half_submit_task(ex, &task, 7, &f), CF_EINVAL);
    cf_executor_destroy(ex);
}

CF_TEST(a_typed_task_waits_for_others)
{
    cf_executor *ex = test_executor(1);
    cf_future *p = promise();
    half_future f, g;
    double result;
    assert_ok(half_submit_when(ex, &CF_TASK(.name = "half"), 7, &p, 1, &f));
    assert_ok(
        half_submit_when(ex, &CF_TASK(.name = "next"), 8, &f.future, 1, &g));
    assert_err(half_result(g, 0, &result), CF_ETIMEDOUT);
    assert_ok(cf_future_set_result(p, NULL, 0));
    assert_ok(half_result(f, CF_FOREVER, &result));
    cr_assert(result == 3.5, "%g", result);
    assert_ok(half_result(g, CF_FOREVER, &result));
    cr_assert(result == 4, "%g", result);
    assert_err(half_submit_when(ex, NULL, 8, &p, 1, &g), CF_EINVAL);
    cf_future_unref(p);
    half_unref(f);
    half_unref(g);
    cf_executor_destroy(ex);
}

CF_TEST(many_typed_tasks_are_submitted_at_once)
{
    enum { N = 500 };
    cf_executor *ex = test_executor(2);
    static int args[N];
    static half_future futures[N];
    for (int i = 0; i < N; i++)
        args[i] = i;
    assert_ok(half_submit_many(ex, args, N, futures));
    for (int i = 0; i < N; i++) {
        double result;
        cf_err err = half_result(futures[i], CF_FOREVER, &result);
        cr_assert(err == (i == FAILS ? CF_ETASK : CF_OK));
        cr_assert(err || result == i / 2.0, "%d: %g", i, result);
        half_unref(futures[i]);
    }
    cf_executor_destroy(ex);
}

CF_TEST(typed_maps_give_values)
{
    enum { N = 20 };
    cf_executor *ex = test_executor(2);
    int items[N];
    double results[N];
    half_results r;
    double result;
    for (int i = 0; i < N; i++)
        items[i] = i;
    assert_ok(half_map(ex, items, N, NULL, &r));
    for (int i = 0; i < N; i++) {
        cf_err err = half_next(r, CF_FOREVER, &result);
        cr_assert(err == (i == FAILS ? CF_ETASK : CF_OK));
        cr_assert(err || result == i / 2.0, "%d: %g", i, result);
    }
    assert_err(half_next(r, CF_FOREVER, &result), CF_EDONE);
    cf_results_destroy(r.results, true);

    assert_ok(half_map_array(ex, items, FAILS, results, NULL));
    for (int i = 0; i < FAILS; i++)
        cr_assert(results[i] == i / 2.0, "%d: %g", i, results[i]);
    size_t failed = 0;
    assert_err(
        half_map_array(
            ex, items, N, results, &CF_MAP_OPTIONS(.failed_index = &failed)),
        CF_ETASK);
    cr_assert(failed == FAILS, "%zu", failed);
    cf_executor_destroy(ex);
}

CF_TEST(typed_tasks_may_have_no_result)
{
    enum { N = 10 };
    journal *j = journal_new();
    cf_executor *ex = test_executor(1);
    struct entry entries[N];
    note_future f;
    note_results r;
    for (int i = 0; i < N; i++)
        entries[i] = (struct entry){j, i};
    assert_ok(note_submit(ex, entries[1], &f));
    assert_ok(note_result(f, CF_FOREVER));
    note_unref(f);
    assert_ok(note_map_array(ex, entries, N, NULL));
    assert_ok(note_map(ex, entries, N, NULL, &r));
    for (int i = 0; i < N; i++)
        assert_ok(note_next(r, CF_FOREVER));
    assert_err(note_next(r, CF_FOREVER), CF_EDONE);
    cf_results_destroy(r.results, true);
    cr_assert(atomic_load(&j->length) == 1 + 2 * N);

    entries[0].entry = FAILS;
    assert_ok(note_submit(ex, entries[0], &f));
    assert_err(note_result(f, CF_FOREVER), CF_ETASK);
    note_unref(f);
    cf_executor_destroy(ex);
}
