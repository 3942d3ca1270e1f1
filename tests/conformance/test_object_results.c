/* SPDX-License-Identifier: MIT */
/*
 * Objects of the user's as results, and with failures. Each is destroyed once,
 * whatever becomes of the task. Where tasks run in other processes, what cannot
 * travel is refused.
 */
#include "tests/conformance/conformance.h"
#include "tests/conformance/require.h"
#include "tests/conformance/token.h"

#include <stdlib.h>

/* --- results -------------------------------------------------------------- */

/* Makes a token in place. Its counter is the argument. */
static int
task_make_token(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    token *t = cf_return_buffer(call, sizeof *t);
    REQUIRE(t != NULL);
    *t = token_new((atomic_int *)(uintptr_t)arg, 5);
    if (cf_executor_shares_memory(cf_call_executor(call)) &&
        cf_return_destructor(call, token_destroy) == CF_OK)
        return 0;
    token_destroy(t);
    return cf_return_destructor(call, token_destroy) == CF_ENOTSUP
               ? cf_fail(call, 95, "refused")
               : cf_fail(call, 1, "not refused");
}

static int
task_make_large_token(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    large_token *t = cf_return_buffer(call, sizeof *t);
    REQUIRE(t != NULL);
    t->token = token_new((atomic_int *)(uintptr_t)arg, 5);
    int rc = (int)cf_return_destructor(call, token_destroy);
    if (rc)
        token_destroy(t);
    return rc;
}

static void
expect_token(cf_task_fn *fn)
{
    atomic_int *alive = counter_new();
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, fn, alive, 0);
    if (!CF_SHARES_MEMORY) {
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
        cr_assert(atomic_load(alive) == 0);
    } else {
        cf_bytes out;
        assert_ok(cf_future_result(f, CF_FOREVER, &out));
        cr_assert(((const token *)out.data)->number == 5);
        cr_assert(atomic_load(alive) == 1, "%d", atomic_load(alive));
    }
    cf_future_unref(f);
    cf_executor_destroy(ex); /* its worker may have had the last handle */
    cr_assert(atomic_load(alive) == 0, "%d are left", atomic_load(alive));
}

CF_TEST(a_result_is_destroyed_with_its_future)
{
    expect_token(task_make_token);
}

CF_TEST(so_is_one_on_the_heap)
{
    expect_token(task_make_large_token);
}

/* Makes three tokens; the last one is the result. Or fails. */
static int
task_make_tokens(cf_call *call, const void *arg, size_t arg_size)
{
    token taken;
    (void)arg_size;
    memcpy(&taken, arg, sizeof taken);
    for (int i = 0; i < 3; i++) {
        token *t = i == 1 ? cf_return_buffer(call, sizeof(large_token))
                          : cf_return_buffer(call, sizeof *t);
        REQUIRE(t != NULL);
        REQUIRE(atomic_load(taken.alive) == 0);
        *t = token_new(taken.alive, i);
        REQUIRE(cf_return_destructor(call, token_destroy) == CF_OK);
    }
    if (taken.number == 1)
        return cf_fail(call, 1, "after all");
    return taken.number == 2 ? (int)cf_return(call, "x", 1) : 0;
}

CF_SHARED_MEMORY_TEST(a_result_that_is_replaced_or_given_up_is_destroyed)
{
    cf_executor *ex = test_executor(1);
    atomic_int *alive = counter_new();
    for (int how = 0; how < 3; how++) {
        token arg = {alive, how};
        cf_future *f = must_submit(ex, task_make_tokens, &arg, sizeof arg);
        cf_err err = cf_future_wait(f, CF_FOREVER);
        assert_ok(err);
        cr_assert(atomic_load(alive) == (how == 0), "way %d", how);
        assert_err(cf_future_result(f, 0, NULL), how == 1 ? CF_ETASK : CF_OK);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
    cr_assert(atomic_load(alive) == 0);
}

/* Hands over memory, and counts when that is freed. The counter is in it. */
static void
free_counted(void *data)
{
    atomic_int *freed;
    memcpy(&freed, data, sizeof freed);
    free(data);
    atomic_fetch_add(freed, 1);
}

static int
task_owned(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    for (size_t size = 16; size <= 1600; size *= 10) {
        unsigned char *data = calloc(1, size);
        REQUIRE(data != NULL);
        memcpy(data, &arg, sizeof arg);
        data[size - 1] = 9;
        cf_err err = cf_return_owned(call, data, size, free_counted);
        if (err) {
            free(data);
            return (int)err;
        }
        REQUIRE(cf_return_owned(call, NULL, 1, free_counted) == CF_EINVAL);
    }
    return 0;
}

CF_TEST(memory_of_the_users_is_a_result_and_is_freed_once)
{
    cf_executor *ex = test_executor(1);
    atomic_int *freed = counter_new();
    cf_future *f = must_submit(ex, task_owned, freed, 0);
    cf_bytes out;
    assert_ok(cf_future_result(f, CF_FOREVER, &out));
    cr_assert(out.size == 1600);
    cr_assert(((const unsigned char *)out.data)[1599] == 9);
    cr_assert(atomic_load(freed) == (CF_SHARES_MEMORY ? 2 : 3));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(freed) == 3, "%d", atomic_load(freed));
}

static int
task_shortened(cf_call *call, const void *arg, size_t arg_size)
{
    size_t size;
    (void)arg_size;
    memcpy(&size, arg, sizeof size);
    char *text = cf_return_buffer(call, size);
    REQUIRE(text != NULL);
    memset(text, 'x', size);
    REQUIRE(cf_return_resize(call, size + 1) == CF_EINVAL);
    return (int)cf_return_resize(call, size - 1);
}

CF_TEST(a_result_can_be_shortened)
{
    cf_executor *ex = test_executor(1);
    const size_t sizes[] = {1, 32, 33, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cf_bytes out;
        cf_future *f =
            must_submit(ex, task_shortened, &sizes[i], sizeof sizes[i]);
        assert_ok(cf_future_result(f, CF_FOREVER, &out));
        cr_assert(out.size == sizes[i] - 1, "%zu", out.size);
        for (size_t k = 0; k < out.size; k++)
            cr_assert(((const char *)out.data)[k] == 'x');
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* --- failures ------------------------------------------------------------- */

static void
token_free(void *object)
{
    token_destroy(object);
    free(object);
}

/* Fails with the first object, or succeeds after two failures. */
static int
task_fail_object(cf_call *call, const void *arg, size_t arg_size)
{
    token taken;
    (void)arg_size;
    memcpy(&taken, arg, sizeof taken);
    for (int i = 0; i < 2; i++) {
        token *t = malloc(sizeof *t);
        REQUIRE(t != NULL);
        *t = token_new(taken.alive, i);
        REQUIRE(cf_fail_object(call, i, t, token_free, "object %d", i) != 0);
        REQUIRE(atomic_load(taken.alive) == 1);
    }
    return taken.number;
}

static void
expect_failure_object(cf_future *f, atomic_int *alive)
{
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    const cf_error *error = cf_future_error(f);
    cr_assert(error->code == 1);
    cr_assert_str_eq(error->message, "object 1");
    cr_assert(error->file && strstr(error->file, "test_object_results.c"));
    if (CF_SHARES_MEMORY) {
        cr_assert(((const token *)error->object)->number == 1);
        cr_assert(atomic_load(alive) == 1);
    } else {
        cr_assert(error->object == NULL);
        cr_assert(atomic_load(alive) == 0);
    }
}

CF_TEST(a_failure_has_an_object_where_memory_is_shared)
{
    cf_executor *ex = test_executor(1);
    atomic_int *alive = counter_new();
    token arg = {alive, 1};
    cf_future *f = must_submit(ex, task_fail_object, &arg, sizeof arg);
    expect_failure_object(f, alive);
    cf_future_unref(f);
    arg.number = 0; /* it succeeds */
    f = must_submit(ex, task_fail_object, &arg, sizeof arg);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(alive) == 0, "%d are left", atomic_load(alive));
}

CF_TEST(an_item_of_a_map_gives_its_objects_up)
{
    cf_executor *ex = test_executor(1);
    atomic_int *alive = counter_new();
    const token items[] = {{alive, 0}, {alive, 1}, {alive, 0}};
    cf_results *r = NULL;
    assert_ok(
        cf_map(ex, task_fail_object, items, sizeof items[0], 3, NULL, &r));
    for (int i = 0; i < 3; i++)
        assert_err(cf_results_next(r, CF_FOREVER, NULL),
                   i == 1 ? CF_ETASK : CF_OK);
    cf_results_destroy(r, false);
    assert_err(
        cf_map_array(
            ex, task_fail_object, items, sizeof items[0], 3, NULL, 0, NULL),
        CF_ETASK);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(alive) == 0, "%d are left", atomic_load(alive));
}

/* --- by hand -------------------------------------------------------------- */

CF_TEST(a_future_completed_by_hand_takes_an_object)
{
    atomic_int *alive = counter_new();
    for (int large = 0; large < 2; large++) {
        cf_future *f = promise();
        large_token t = {token_new(alive, 4), {0}};
        cf_bytes out;
        assert_ok(
            cf_future_set_object(f, large ? &large_token_ops : &token_ops, &t));
        cr_assert(t.token.alive == NULL, "it has not been moved");
        assert_ok(cf_future_result(f, 0, &out));
        cr_assert(((const token *)out.data)->number == 4);
        t.token = token_new(alive, 5);
        assert_err(cf_future_set_object(f, &token_ops, &t), CF_ESTATE);
        cr_assert(t.token.alive == alive, "it has been moved");
        cr_assert(atomic_load(alive) == 2);
        token_destroy(&t);
        cf_future_unref(f);
        cr_assert(atomic_load(alive) == 0);
    }
}

CF_TEST(a_failure_by_hand_takes_an_object)
{
    atomic_int *alive = counter_new();
    token t = token_new(alive, 1);
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    error.object = &t;
    error.object_free = token_destroy;
    assert_ok(cf_future_set_error(f, &error));
    cr_assert(cf_future_error(f)->object == &t);
    assert_err(cf_future_set_error(f, &error), CF_ESTATE);
    cr_assert(atomic_load(alive) == 1);
    cf_future_unref(f);
    cr_assert(atomic_load(alive) == 0);
}
