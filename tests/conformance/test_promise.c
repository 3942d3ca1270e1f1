/* SPDX-License-Identifier: MIT */
/*
 * The promise side: futures that the program completes itself, with results,
 * errors and cancellation.
 */
#include "tests/conformance/conformance.h"

#include <stddef.h>
#include <stdint.h>

/* CPython: test_future.test_multiple_set_result */
CF_TEST(a_second_result_is_refused_and_the_first_stays)
{
    cf_future *f = promise();
    assert_ok(cf_future_set_result(f, &(int){1}, sizeof(int)));
    assert_err(cf_future_set_result(f, &(int){2}, sizeof(int)), CF_ESTATE);
    cf_error error = CF_ERROR_INIT;
    assert_err(cf_future_set_error(f, &error), CF_ESTATE);
    assert_state(f, CF_FINISHED);
    cr_assert(int_result(f) == 1);
    cr_assert_null(cf_future_error(f));
    cf_future_unref(f);
}

/* CPython: test_future.test_multiple_set_exception */
CF_TEST(a_second_error_is_refused_and_the_first_stays)
{
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    error.code = 1;
    assert_ok(cf_future_set_error(f, &error));
    error.code = 2;
    assert_err(cf_future_set_error(f, &error), CF_ESTATE);
    assert_err(cf_future_set_result(f, NULL, 0), CF_ESTATE);
    cr_assert(cf_future_error(f)->code == 1);
    cf_future_unref(f);
}

CF_TEST(a_cancelled_promise_takes_no_result_and_does_not_start)
{
    cf_future *f = promise_in(CF_CANCELED, false);
    cr_assert_not(cf_future_start(f));
    assert_err(cf_future_set_result(f, NULL, 0), CF_ESTATE);
    cf_error error = CF_ERROR_INIT;
    assert_err(cf_future_set_error(f, &error), CF_ESTATE);
    assert_state(f, CF_CANCELED);
    cf_future_unref(f);
}

CF_TEST(a_result_may_come_without_a_start)
{
    cf_future *f = promise();
    assert_ok(cf_future_set_result(f, &(int){7}, sizeof(int)));
    cr_assert(int_result(f) == 7);
    cf_future_unref(f);
}

CF_TEST(results_of_every_size_are_copied_and_aligned)
{
    unsigned char data[300];
    for (size_t size = 0; size <= sizeof data; size++) {
        memset(data, (int)(size & 0xff), sizeof data);
        cf_future *f = promise();
        assert_ok(cf_future_set_result(f, size == 0 ? NULL : data, size));
        memset(data, 0xff, sizeof data);
        cf_bytes bytes = {NULL, 1};
        assert_ok(cf_future_result(f, 0, &bytes));
        cr_assert(bytes.size == size, "%zu for %zu", bytes.size, size);
        cr_assert(size == 0 ||
                  (uintptr_t)bytes.data % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < size; i++)
            cr_assert(((const unsigned char *)bytes.data)[i] == (size & 0xff));
        cf_future_unref(f);
    }
}

CF_TEST(bad_results_are_einval_and_change_nothing)
{
    cf_future *f = promise();
    assert_err(cf_future_set_result(NULL, "x", 1), CF_EINVAL);
    assert_err(cf_future_set_result(f, NULL, 1), CF_EINVAL);
    assert_state(f, CF_PENDING);
    cf_future_unref(f);
}

CF_TEST(an_error_is_copied_whole)
{
    char message[] = "no route";
    char file[] = "net.c";
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EWORKERDIED;
    error.code = -3;
    error.message = message;
    error.file = file;
    error.line = 12;
    error.worker = 4;
    error.pid = 4711;
    error.signal = 9;
    error.exit_status = 2;
    cf_future *f = promise();
    assert_ok(cf_future_set_error(f, &error));
    memset(message, '#', sizeof message - 1);
    memset(file, '#', sizeof file - 1);
    assert_err(cf_future_result(f, 0, NULL), CF_EWORKERDIED);
    const cf_error *kept = cf_future_error(f);
    cr_assert(kept->size == sizeof(cf_error));
    cr_assert(kept->kind == CF_EWORKERDIED && kept->code == -3);
    cr_assert_str_eq(kept->message, "no route");
    cr_assert_str_eq(kept->file, "net.c");
    cr_assert(kept->line == 12 && kept->worker == 4 && kept->pid == 4711);
    cr_assert(kept->signal == 9 && kept->exit_status == 2);
    cf_future_unref(f);
}

CF_TEST(an_error_without_message_has_an_empty_one)
{
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    error.message = NULL;
    assert_ok(cf_future_set_error(f, &error));
    cr_assert_str_eq(cf_future_error(f)->message, "");
    cr_assert_null(cf_future_error(f)->file);
    cf_future_unref(f);
}

/* CPython: executor.test_swallows_falsey_exceptions (3.14) */
CF_TEST(an_error_with_code_0_is_an_error)
{
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    error.code = 0;
    assert_ok(cf_future_set_error(f, &error));
    assert_err(cf_future_result(f, 0, NULL), CF_ETASK);
    cr_assert_not_null(cf_future_error(f));
    cf_future_unref(f);
}

CF_TEST(every_kind_of_failure_is_what_the_result_says)
{
    static const cf_err kinds[] = {CF_ETASK,
                                   CF_EWORKERDIED,
                                   CF_EDEADLINE,
                                   CF_EBROKEN,
                                   CF_ECANCELED,
                                   CF_ESHUTDOWN};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        cf_future *f = promise();
        cf_error error = CF_ERROR_INIT;
        error.kind = kinds[i];
        assert_ok(cf_future_set_error(f, &error));
        assert_err(cf_future_result(f, 0, NULL), kinds[i]);
        assert_state(f, CF_FINISHED);
        cr_assert(cf_future_error(f)->kind == kinds[i]);
        cf_future_unref(f);
    }
}

CF_TEST(bad_errors_are_refused_and_change_nothing)
{
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    assert_err(cf_future_set_error(NULL, &error), CF_EINVAL);
    assert_err(cf_future_set_error(f, NULL), CF_EINVAL);
    static const cf_err bad[] = {CF_OK, CF_EINVAL, CF_ETIMEDOUT, CF_ESYS};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error.kind = bad[i];
        assert_err(cf_future_set_error(f, &error), CF_EINVAL);
    }
    assert_state(f, CF_PENDING);
    cf_future_unref(f);
}

CF_TEST(an_error_of_a_newer_header_is_taken_if_its_news_are_zero)
{
    struct {
        cf_error known;
        long news[2];
    } error = {CF_ERROR_INIT, {0, 1}};
    error.known.size = sizeof error;
    cf_future *f = promise();
    assert_err(cf_future_set_error(f, &error.known), CF_ETOOBIG);
    assert_state(f, CF_PENDING);
    error.news[1] = 0;
    assert_ok(cf_future_set_error(f, &error.known));
    cf_future_unref(f);
}

CF_TEST(an_executor_s_future_is_not_completed_by_hand)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_square, &(int){3}, sizeof(int));
    cf_error error = CF_ERROR_INIT;
    assert_err(cf_future_set_result(f, NULL, 0), CF_EINVAL);
    assert_err(cf_future_set_error(f, &error), CF_EINVAL);
    cr_assert(int_result(f) == 9);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(interrupt_cancels_a_pending_promise_and_refuses_a_finished_one)
{
    cf_future *f = promise();
    cr_assert(cf_future_interrupt(f));
    assert_state(f, CF_CANCELED);
    cf_future_unref(f);
    f = promise_in(CF_FINISHED, false);
    cr_assert_not(cf_future_interrupt(f));
    cr_assert(int_result(f) == 42);
    cf_future_unref(f);
}

typedef struct rival {
    cf_future *f;
    gate *go;
    int value;
    cf_err err;
} rival;

static void *
rival_main(void *arg)
{
    rival *r = arg;
    gate_pass(r->go);
    r->err = cf_future_set_result(r->f, &r->value, sizeof r->value);
    return NULL;
}

CF_TEST(of_several_completers_exactly_one_wins)
{
    enum { RIVALS = 4, ROUNDS = 100 };
    for (int round = 0; round < ROUNDS; round++) {
        cf_future *f = promise();
        gate *go = gate_new();
        pthread_t threads[RIVALS];
        rival rivals[RIVALS];
        for (int i = 0; i < RIVALS; i++) {
            rivals[i] = (rival){f, go, i, CF_OK};
            cr_assert(
                pthread_create(&threads[i], NULL, rival_main, &rivals[i]) == 0);
        }
        gate_await(go, RIVALS);
        gate_open(go);
        int winners = 0;
        for (int i = 0; i < RIVALS; i++) {
            pthread_join(threads[i], NULL);
            if (rivals[i].err == CF_OK) {
                winners++;
                cr_assert(int_result(f) == i);
            } else {
                assert_err(rivals[i].err, CF_ESTATE);
            }
        }
        cr_assert(winners == 1, "%d winners", winners);
        cf_future_unref(f);
    }
}
