/* SPDX-License-Identifier: MIT */
/*
 * Objects of the user's as arguments of tasks; contexts and user data. Each
 * object is destroyed once, whatever becomes of the task. Where tasks run in
 * other processes, what cannot travel is refused.
 */
#include "tests/conformance/conformance.h"
#include "tests/conformance/require.h"
#include "tests/conformance/token.h"

static int
task_take_token(cf_call *call, const void *arg, size_t arg_size)
{
    const token *t = arg;
    REQUIRE(arg_size == sizeof(token) || arg_size == sizeof(large_token));
    REQUIRE(t->alive && atomic_load(t->alive) == 1);
    return cf_return(call, &t->number, sizeof t->number);
}

static cf_err
submit_token(cf_executor *ex, cf_task_fn *fn, token *t, cf_future **out)
{
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    task.arg = t;
    task.arg_ops = &token_ops;
    return cf_submit_task(ex, &task, out);
}

static void
run_object(const cf_object_ops *ops, token *t, atomic_int *alive)
{
    cf_executor *ex = test_executor(1);
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = task_take_token;
    task.arg = t;
    task.arg_ops = ops;
    if (!cf_executor_shares_memory(ex)) {
        assert_err(cf_submit_task(ex, &task, &f), CF_ENOTSUP);
        cr_assert(t->alive == alive, "it has been moved");
        cf_executor_destroy(ex);
        return;
    }
    assert_ok(cf_submit_task(ex, &task, &f));
    cr_assert(t->alive == NULL, "it has not been moved");
    cr_assert(int_result(f) == t->number);
    cr_assert(atomic_load(alive) == 0, "the task is over, its argument is not");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(whether_memory_is_shared_is_what_the_backend_says)
{
    cf_executor *ex = test_executor(1);
    cr_assert(cf_executor_shares_memory(ex) == (CF_SHARES_MEMORY != 0));
    cr_assert(!cf_executor_shares_memory(NULL));
    cf_executor_destroy(ex);
}

CF_TEST(an_object_is_an_argument_where_memory_is_shared)
{
    atomic_int *alive = counter_new();
    token t = token_new(alive, 7);
    run_object(&token_ops, &t, alive);
}

CF_TEST(so_is_one_that_does_not_fit_into_the_future)
{
    atomic_int *alive = counter_new();
    large_token t = {token_new(alive, 8), {0}};
    run_object(&large_token_ops, &t.token, alive);
}

CF_SHARED_MEMORY_TEST(an_object_without_functions_is_copied)
{
    static const cf_object_ops plain = {sizeof(int), NULL, NULL};
    cf_executor *ex = test_executor(1);
    int n = 6;
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = task_square;
    task.arg = &n;
    task.arg_size = sizeof n;
    task.arg_ops = &plain;
    assert_ok(cf_submit_task(ex, &task, &f));
    cr_assert(int_result(f) == 36);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(an_object_that_makes_no_sense_is_refused)
{
    static const cf_object_ops empty = {0, NULL, NULL};
    cf_executor *ex = test_executor(1);
    atomic_int *alive = counter_new();
    token t = token_new(alive, 1);
    cf_task task = CF_TASK_INIT;
    task.fn = task_take_token;
    task.arg_ops = &token_ops;
    assert_err(cf_submit_task(ex, &task, NULL), CF_EINVAL);
    task.arg = &t;
    task.arg_size = sizeof t - 1;
    assert_err(cf_submit_task(ex, &task, NULL), CF_EINVAL);
    task.arg_size = 0;
    task.arg_free = count_free;
    assert_err(cf_submit_task(ex, &task, NULL), CF_EINVAL);
    task.arg_free = NULL;
    task.arg_ops = &empty;
    assert_err(cf_submit_task(ex, &task, NULL), CF_EINVAL);
    cr_assert(t.alive == alive, "it has been moved");
    cf_executor_destroy(ex);
}

CF_SHARED_MEMORY_TEST(an_object_comes_back_if_the_submit_fails)
{
    cf_executor *ex = test_executor(1);
    atomic_int *alive = counter_new();
    token t = token_new(alive, 3);
    large_token large = {token_new(alive, 4), {0}};
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_err(submit_token(ex, task_take_token, &t, NULL), CF_ESHUTDOWN);
    cf_task task = CF_TASK_INIT;
    task.fn = task_take_token;
    task.arg = &large;
    task.arg_ops = &large_token_ops;
    assert_err(cf_submit_task(ex, &task, NULL), CF_ESHUTDOWN);
    cr_assert(t.alive == alive && t.number == 3);
    cr_assert(large.token.alive == alive && large.token.number == 4);
    cr_assert(atomic_load(alive) == 2, "%d", atomic_load(alive));
    cf_executor_destroy(ex);
}

CF_THREAD_TEST(an_object_of_a_cancelled_task_is_destroyed)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held, *f = NULL;
    atomic_int *alive = counter_new();
    token t = token_new(alive, 3);
    occupy(ex, g, 1, &held);
    assert_ok(submit_token(ex, task_take_token, &t, &f));
    cr_assert(atomic_load(alive) == 1);
    cr_assert(cf_future_cancel(f));
    cr_assert(atomic_load(alive) == 0, "it is still there");
    gate_open(g);
    unref_all((cf_future *[]){held, f}, 2);
    cf_executor_destroy(ex);
}

/* --- context and user data ------------------------------------------------ */

static int
task_add_context(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    const int *context = cf_call_context(call);
    (void)arg_size;
    memcpy(&n, arg, sizeof n);
    REQUIRE(context != NULL);
    n += *context;
    return (int)cf_return(call, &n, sizeof n);
}

static int
task_no_context(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    REQUIRE(cf_call_context(call) == NULL);
    return 0;
}

CF_TEST(the_items_of_a_map_have_its_context)
{
    int *context = shared_new(sizeof *context);
    const int items[] = {1, 2, 3};
    int results[3] = {0, 0, 0};
    cf_executor *ex = test_executor(2);
    cf_map_options options = CF_MAP_OPTIONS_INIT;
    cf_results *r = NULL;
    cf_bytes out;
    *context = 100;
    options.context = context;
    assert_ok(
        cf_map(ex, task_add_context, items, sizeof items[0], 3, &options, &r));
    for (int i = 0; i < 3; i++) {
        assert_ok(cf_results_next(r, CF_FOREVER, &out));
        cr_assert(*(const int *)out.data == 101 + i);
    }
    cf_results_destroy(r, false);
    assert_ok(cf_map_array(ex,
                           task_add_context,
                           items,
                           sizeof items[0],
                           3,
                           results,
                           sizeof results[0],
                           &options));
    cr_assert(results[0] == 101 && results[1] == 102 && results[2] == 103);
    cf_future *f = must_submit(ex, task_no_context, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_future_knows_its_user_data)
{
    cf_executor *ex = test_executor(1);
    int mine;
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL, *plain = must_submit(ex, task_nothing, NULL, 0);
    task.fn = task_nothing;
    task.user_data = &mine;
    assert_ok(cf_submit_task(ex, &task, &f));
    cr_assert(cf_future_user_data(f) == &mine);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cr_assert(cf_future_user_data(f) == &mine);
    cr_assert(cf_future_user_data(plain) == NULL);
    unref_all((cf_future *[]){f, plain}, 2);
    cf_executor_destroy(ex);
}
