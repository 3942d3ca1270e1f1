/* SPDX-License-Identifier: MIT */
/*
 * The task's side: results, failures, and what a task may ask about its call.
 */
#include "tests/conformance/conformance.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Runs fn without an argument and returns its future, done. */
static cf_future *
run(cf_executor *ex, cf_task_fn *fn)
{
    cf_future *f = must_submit(ex, fn, NULL, 0);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    return f;
}

/* Runs fn and asserts that it returned these bytes. */
static void
run_and_expect(cf_task_fn *fn, const void *data, size_t size)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = run(ex, fn);
    cf_bytes bytes = {NULL, 77};
    assert_ok(cf_future_result(f, 0, &bytes));
    cr_assert(bytes.size == size, "%zu bytes", bytes.size);
    cr_assert(size == 0 || memcmp(bytes.data, data, size) == 0);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_task_that_returns_nothing_has_an_empty_result)
{
    run_and_expect(task_nothing, NULL, 0);
}

static char long_text[10000];

static int
task_shrinking(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_return(call, long_text, sizeof long_text) != CF_OK ||
           cf_return(call, "small", 5) != CF_OK;
}

static int
task_growing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_return(call, "small", 5) != CF_OK ||
           cf_return(call, long_text, sizeof long_text) != CF_OK;
}

static int
task_emptied(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_return(call, long_text, sizeof long_text) != CF_OK ||
           cf_return(call, NULL, 0) != CF_OK;
}

CF_TEST(the_last_return_wins_whatever_the_sizes)
{
    memset(long_text, 'l', sizeof long_text);
    run_and_expect(task_shrinking, "small", 5);
    run_and_expect(task_growing, long_text, sizeof long_text);
    run_and_expect(task_emptied, NULL, 0);
}

static int
task_buffers(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    static const size_t sizes[] = {0, 1, 31, 32, 33, 4096, 100000, 7};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *p = cf_return_buffer(call, sizes[i]);
        if (p == NULL)
            return cf_fail(call, 1, "no buffer of %zu", sizes[i]);
        if ((uintptr_t)p % _Alignof(max_align_t) != 0)
            return cf_fail(call, 2, "%zu bytes unaligned", sizes[i]);
        memset(p, 'b', sizes[i]);
    }
    return 0;
}

CF_TEST(a_result_buffer_is_filled_in_place)
{
    run_and_expect(task_buffers, "bbbbbbb", 7);
}

static int
task_large_buffer(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (cf_return(call, "before", 6) != CF_OK)
        return 1;
    char *p = cf_return_buffer(call, sizeof long_text);
    if (p == NULL)
        return 1;
    memset(p, 'l', sizeof long_text);
    return 0;
}

CF_TEST(a_result_buffer_replaces_an_earlier_result)
{
    memset(long_text, 'l', sizeof long_text);
    run_and_expect(task_large_buffer, long_text, sizeof long_text);
}

static int
task_bad_return(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (cf_return(call, "kept", 4) != CF_OK)
        return 1;
    return cf_return(call, NULL, 3) != CF_EINVAL;
}

CF_TEST(a_bad_return_is_einval_and_keeps_the_former_result)
{
    run_and_expect(task_bad_return, "kept", 4);
}

CF_TEST(a_failure_carries_code_message_place_and_worker)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_fail, &(int){22}, sizeof(int));
    cf_bytes bytes = {long_text, 5};
    assert_err(cf_future_result(f, CF_FOREVER, &bytes), CF_ETASK);
    cr_assert(bytes.data == long_text && bytes.size == 5, "untouched");
    assert_state(f, CF_FINISHED);
    const cf_error *error = cf_future_error(f);
    cr_assert_not_null(error);
    cr_assert(error->size == sizeof(cf_error) && error->kind == CF_ETASK);
    cr_assert(error->code == 22);
    cr_assert_str_eq(error->message, "code 22");
    cr_assert_not_null(error->file);
    cr_assert_not_null(strstr(error->file, "tasks.c"));
    cr_assert(error->line > 0);
    cr_assert(error->worker == 0, "worker %d", error->worker);
    cr_assert(error->signal == 0 && error->exit_status == 0);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* CPython: executor.test_swallows_falsey_exceptions (3.14) */
CF_TEST(a_task_can_fail_with_code_0)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_fail, &(int){0}, sizeof(int));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert_not_null(cf_future_error(f));
    cr_assert(cf_future_error(f)->code == 0);
    cr_assert_str_eq(cf_future_error(f)->message, "code 0");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_returns_minus_9(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return -9;
}

CF_TEST(a_non_zero_return_without_a_record_is_that_code_and_no_message)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = run(ex, task_returns_minus_9);
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == -9);
    cr_assert_str_eq(cf_future_error(f)->message, "");
    cr_assert_null(cf_future_error(f)->file);
    cr_assert(cf_future_error(f)->line == 0);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_fails_twice(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (cf_return(call, "dropped", 7) != CF_OK ||
        cf_fail(call, 1, "first %s", "record") == 0)
        return 0;
    return cf_fail_at(call, NULL, 0, 2, "second");
}

CF_TEST(the_last_failure_record_wins_and_the_result_is_dropped)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = run(ex, task_fails_twice);
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == 2);
    cr_assert_str_eq(cf_future_error(f)->message, "second");
    cr_assert_null(cf_future_error(f)->file);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
task_recovers(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)cf_fail(call, 1, "not so bad");
    return cf_return(call, "fine", 4) != CF_OK;
}

CF_TEST(a_record_without_a_failing_return_does_not_count)
{
    run_and_expect(task_recovers, "fine", 4);
}

static int
task_talks_much(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return cf_fail(call, 3, "%s", long_text);
}

CF_TEST(a_message_is_kept_up_to_4095_bytes)
{
    memset(long_text, 'l', sizeof long_text - 1);
    cf_executor *ex = test_executor(1);
    cf_future *f = run(ex, task_talks_much);
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    const char *message = cf_future_error(f)->message;
    cr_assert(strlen(message) == 4095, "%zu", strlen(message));
    cr_assert(memcmp(message, long_text, 4095) == 0);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* What a task learns about its call. */
typedef struct call_facts {
    cf_executor *ex;
    int worker;
    void *data;
    bool canceled;
} call_facts;

static int
task_facts(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    call_facts facts = {cf_call_executor(call),
                        cf_call_worker(call),
                        cf_call_worker_data(call),
                        cf_call_canceled(call)};
    return cf_return(call, &facts, sizeof facts) != CF_OK;
}

CF_TEST(a_task_knows_its_executor_and_its_worker)
{
    enum { WORKERS = 3 };
    cf_executor *ex = test_executor(WORKERS);
    for (int i = 0; i < 100; i++) {
        cf_future *f = run(ex, task_facts);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, 0, &bytes));
        call_facts facts;
        memcpy(&facts, bytes.data, sizeof facts);
        /* A worker process may know it by another address. */
        cr_assert(CF_SHARES_MEMORY ? facts.ex == ex : facts.ex != NULL);
        cr_assert(facts.worker >= 0 && facts.worker < WORKERS);
        cr_assert_null(facts.data);
        cr_assert_not(facts.canceled);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(shared_memory_is_zeroed_and_what_tasks_write_stays)
{
    cf_executor *ex = test_executor(2);
    atomic_int *counter = cf_shared_alloc(ex, 100000);
    cr_assert_not_null(counter);
    cr_assert((uintptr_t)counter % _Alignof(max_align_t) == 0);
    for (size_t i = 0; i < 100000; i++)
        cr_assert(((char *)counter)[i] == 0);
    for (int i = 0; i < 100; i++)
        assert_ok(cf_submit(ex, task_count, counter, 0, NULL));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(atomic_load(counter) == 100);
    cf_shared_free(ex, counter);
    void *empty = cf_shared_alloc(ex, 0);
    cr_assert_not_null(empty);
    cf_shared_free(ex, empty);
    cf_shared_free(ex, NULL);
    cr_assert_null(cf_shared_alloc(NULL, 1));
    cf_executor_destroy(ex);
}
