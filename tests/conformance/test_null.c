/* SPDX-License-Identifier: MIT */
/*
 * What every public function answers to NULL: the table of "NULL and misuse" in
 * docs/guarantees/errors.md, call by call; test_null_loop.c has those of the
 * event loop. The check null_answers fails when a function of the headers is
 * missing here or there.
 */
#include "tests/conformance/conformance.h"

#include <errno.h>
#include <signal.h>

struct answer {
    const char *call;
    bool holds;
};

#define ANSWER(expression)                                                     \
    {                                                                          \
#expression, (expression)                                              \
    }

/* For a call that returns nothing: it returns. */
#define RETURNS(call)                                                          \
    {                                                                          \
#call, ((call), true)                                                  \
    }

#define expect_answers(answers)                                                \
    do {                                                                       \
        for (size_t i_ = 0; i_ < sizeof(answers) / sizeof(answers)[0]; i_++)   \
            cr_assert((answers)[i_].holds, "%s", (answers)[i_].call);          \
    } while (0)

CF_TEST(a_future_that_is_null_is_an_answer_in_every_call)
{
    cf_bytes bytes = {"as before", 9};
    cf_future *f = promise();
    cf_error error = CF_ERROR_INIT;
    const cf_object_ops ops = {sizeof bytes, NULL, NULL};
    const struct answer answers[] = {
        ANSWER(cf_future_ref(NULL) == NULL),
        RETURNS(cf_future_unref(NULL)),
        ANSWER(cf_future_state(NULL) == CF_PENDING),
        ANSWER(cf_future_done(NULL) == false),
        ANSWER(cf_future_cancel(NULL) == false),
        ANSWER(cf_future_interrupt(NULL) == false),
        ANSWER(cf_future_wait(NULL, 0) == CF_EINVAL),
        ANSWER(cf_future_wait(NULL, CF_FOREVER) == CF_EINVAL),
        ANSWER(cf_future_result(NULL, 0, &bytes) == CF_EINVAL),
        ANSWER(cf_future_error(NULL) == NULL),
        ANSWER(!strcmp(cf_future_message(NULL), cf_strerror(CF_EINVAL))),
        ANSWER(cf_future_on_done(NULL, count_done, NULL) == CF_EINVAL),
        ANSWER(cf_future_on_done(f, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_future_create(NULL) == CF_EINVAL),
        ANSWER(cf_future_start(NULL) == false),
        ANSWER(cf_future_set_result(NULL, "x", 1) == CF_EINVAL),
        ANSWER(cf_future_set_result(f, NULL, 1) == CF_EINVAL),
        ANSWER(cf_future_set_object(NULL, &ops, &bytes) == CF_EINVAL),
        ANSWER(cf_future_set_object(f, NULL, &bytes) == CF_EINVAL),
        ANSWER(cf_future_set_object(f, &ops, NULL) == CF_EINVAL),
        ANSWER(cf_future_user_data(NULL) == NULL),
        ANSWER(cf_future_set_error(NULL, &error) == CF_EINVAL),
        ANSWER(cf_future_set_error(f, NULL) == CF_EINVAL),
        /* These take no pointer, and any value. */
        ANSWER(cf_state_name((cf_state)-1) != NULL),
        ANSWER(cf_err_name((cf_err)-1) != NULL),
        ANSWER(cf_strerror((cf_err)-1) != NULL),
        ANSWER(cf_version() != NULL),
        ANSWER(cf_executor_specs() != NULL),
        ANSWER(cf_cpu_count() > 0),
    };
    expect_answers(answers);
    cr_assert(bytes.size == 9, "touched");
    assert_state(f, CF_PENDING);
    cf_future_unref(f);
}

CF_TEST(an_executor_that_is_null_is_an_answer_in_every_call)
{
    cf_executor *ex = test_executor(1), *out = NULL;
    cf_task task = CF_TASK_INIT;
    cf_stats stats;
    cf_future *f = NULL;
    int item = 3;
    task.fn = task_square;
    const struct answer answers[] = {
        ANSWER(cf_submit(NULL, task_square, &item, 4, &f) == CF_EINVAL),
        ANSWER(cf_submit(ex, NULL, &item, 4, &f) == CF_EINVAL),
        ANSWER(cf_submit(ex, task_square, NULL, 4, &f) == CF_EINVAL),
        ANSWER(cf_submit_task(NULL, &task, &f) == CF_EINVAL),
        ANSWER(cf_submit_task(ex, NULL, &f) == CF_EINVAL),
        ANSWER(cf_submit_many(NULL, task_square, &item, 4, 1, &f) == CF_EINVAL),
        ANSWER(cf_submit_many(ex, NULL, &item, 4, 1, &f) == CF_EINVAL),
        ANSWER(cf_submit_many(ex, task_square, NULL, 4, 1, &f) == CF_EINVAL),
        ANSWER(cf_submit_when(NULL, &task, &f, 0, &f) == CF_EINVAL),
        ANSWER(cf_submit_when(ex, NULL, &f, 0, &f) == CF_EINVAL),
        ANSWER(cf_submit_when(ex, &task, NULL, 1, &f) == CF_EINVAL),
        ANSWER(cf_submit_when(ex, &task, &f, 1, &f) == CF_EINVAL),
        ANSWER(cf_executor_wait_idle(NULL, 0) == CF_EINVAL),
        ANSWER(cf_executor_shutdown(NULL, 0, 0) == CF_EINVAL),
        ANSWER(cf_executor_terminate(NULL, SIGTERM) == CF_EINVAL),
        RETURNS(cf_executor_destroy(NULL)),
        ANSWER(cf_executor_release(NULL) == CF_OK),
        ANSWER(cf_executor_state(NULL) == CF_EXECUTOR_ENDED),
        RETURNS(cf_group_cancel(NULL)),
        RETURNS(cf_group_destroy(NULL)),
        RETURNS(cf_scope_cancel(NULL)),
        RETURNS(cf_spawn(NULL, NULL, NULL, NULL)),
        ANSWER(cf_join(NULL, NULL) == CF_EINVAL),
        RETURNS(cf_shield_begin(NULL)),
        RETURNS(cf_shield_end(NULL)),
        ANSWER(cf_executor_stats(NULL, &stats) == CF_EINVAL),
        ANSWER(cf_executor_stats(ex, NULL) == CF_EINVAL),
        ANSWER(*cf_executor_name(NULL) == '\0'),
        ANSWER(cf_executor_max_workers(NULL) == 0),
        ANSWER(cf_executor_shares_memory(NULL) == false),
        ANSWER(cf_executor_open(NULL, &out) == CF_EINVAL),
        ANSWER(cf_executor_open(test_spec, NULL) == CF_EINVAL),
        ANSWER(cf_inline_create(NULL) == CF_EINVAL),
        ANSWER(cf_thread_pool_create(NULL, NULL) == CF_EINVAL),
        ANSWER(cf_process_pool_create(NULL, NULL) == CF_EINVAL),
        ANSWER(cf_shared_alloc(NULL, 1) == NULL),
        RETURNS(cf_shared_free(NULL, NULL)),
        RETURNS(cf_shared_free(NULL, &item)),
        RETURNS(cf_shared_free(ex, NULL)),
    };
    expect_answers(answers);
    cr_assert(!f && !out, "untouched");
    cf_executor_destroy(ex);
}

static cf_err
no_more(void *data, void *item)
{
    (void)data;
    (void)item;
    return CF_EDONE;
}

static int
fold(cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    (void)call, (void)begin, (void)end, (void)partial, (void)data;
    return 0;
}

static void
combine(void *partial, void *next, void *data)
{
    (void)partial, (void)next, (void)data;
}

CF_TEST(null_is_an_answer_in_every_call_about_many)
{
    cf_executor *ex = test_executor(1);
    cf_future *none = NULL, *f = promise(), *out = NULL;
    cf_as_completed *it = NULL, *other = NULL;
    cf_results *r = NULL;
    cf_map_options pull = CF_MAP_OPTIONS_INIT;
    pull.pull = no_more;
    int x = 3;
    assert_ok(cf_as_completed_create(&f, 1, &it));
    const struct answer answers[] = {
        ANSWER(cf_wait(NULL, 0, CF_ALL_COMPLETED, 0, NULL) == CF_OK),
        ANSWER(cf_wait(NULL, 1, CF_ALL_COMPLETED, 0, NULL) == CF_EINVAL),
        ANSWER(cf_wait(&none, 1, CF_FIRST_ERROR, 0, NULL) == CF_EINVAL),
        ANSWER(cf_as_completed_create(&f, 1, NULL) == CF_EINVAL),
        ANSWER(cf_as_completed_create(NULL, 1, &other) == CF_EINVAL),
        ANSWER(cf_as_completed_create(&none, 1, &other) == CF_EINVAL),
        ANSWER(cf_as_completed_add(NULL, f) == CF_EINVAL),
        ANSWER(cf_as_completed_add(it, NULL) == CF_EINVAL),
        ANSWER(cf_as_completed_next(NULL, 0, &out) == CF_EINVAL),
        ANSWER(cf_as_completed_next(it, 0, NULL) == CF_EINVAL),
        ANSWER(cf_as_completed_remaining(NULL) == 0),
        ANSWER(cf_as_completed_fd(NULL) == -1 && errno == EINVAL),
        RETURNS(cf_as_completed_destroy(NULL)),
        ANSWER(cf_map(NULL, task_square, &x, 4, 1, NULL, &r) == CF_EINVAL),
        ANSWER(cf_map(ex, NULL, &x, 4, 1, NULL, &r) == CF_EINVAL),
        ANSWER(cf_map(ex, task_square, NULL, 4, 1, NULL, &r) == CF_EINVAL),
        ANSWER(cf_map(ex, task_square, &x, 4, 1, &pull, &r) == CF_EINVAL),
        ANSWER(cf_map(ex, task_square, &x, 4, 1, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_results_next(NULL, 0, NULL) == CF_EINVAL),
        ANSWER(cf_results_error(NULL) == NULL),
        ANSWER(cf_results_index(NULL) == SIZE_MAX),
        RETURNS(cf_results_destroy(NULL, true)),
        ANSWER(cf_map_array(NULL, task_square, &x, 4, 1, &x, 4, NULL) ==
               CF_EINVAL),
        ANSWER(cf_map_array(ex, NULL, &x, 4, 1, &x, 4, NULL) == CF_EINVAL),
        ANSWER(cf_map_array(ex, task_square, NULL, 4, 1, &x, 4, NULL) ==
               CF_EINVAL),
        ANSWER(cf_map_array(ex, task_square, &x, 4, 1, NULL, 4, NULL) ==
               CF_EINVAL),
        ANSWER(cf_parallel_for(NULL, 0, 1, 0, NULL, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_parallel_for(ex, 0, 1, 0, NULL, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_parallel_reduce(
                   NULL, 0, 1, 0, fold, combine, &x, 4, NULL, &x) == CF_EINVAL),
        ANSWER(cf_parallel_reduce(
                   ex, 0, 1, 0, NULL, combine, &x, 4, NULL, &x) == CF_EINVAL),
        ANSWER(cf_parallel_reduce(ex, 0, 1, 0, fold, NULL, &x, 4, NULL, &x) ==
               CF_EINVAL),
        ANSWER(cf_parallel_reduce(
                   ex, 0, 1, 0, fold, combine, NULL, 4, NULL, &x) == CF_EINVAL),
        ANSWER(cf_parallel_reduce(
                   ex, 0, 1, 0, fold, combine, &x, 4, NULL, NULL) == CF_EINVAL),
    };
    expect_answers(answers);
    cr_assert(!r && !out && !other, "untouched");
    cf_as_completed_destroy(it);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(null_is_an_answer_in_every_call_about_what_tasks_share)
{
    cf_channel *channel = NULL;
    int x = 3;
    assert_ok(cf_channel_create(sizeof x, 1, &channel));
    const struct answer answers[] = {
        ANSWER(cf_event_create(NULL) == CF_EINVAL),
        ANSWER(cf_event_set(NULL) == CF_EINVAL),
        ANSWER(cf_event_clear(NULL) == CF_EINVAL),
        ANSWER(cf_event_is_set(NULL) == false),
        ANSWER(cf_event_wait(NULL, 0) == CF_EINVAL),
        RETURNS(cf_event_destroy(NULL)),
        ANSWER(cf_semaphore_create(1, NULL) == CF_EINVAL),
        ANSWER(cf_semaphore_acquire(NULL, 0) == CF_EINVAL),
        ANSWER(cf_semaphore_try_acquire(NULL) == CF_EINVAL),
        ANSWER(cf_semaphore_release(NULL, 1) == CF_EINVAL),
        RETURNS(cf_semaphore_destroy(NULL)),
        ANSWER(cf_channel_create(4, 1, NULL) == CF_EINVAL),
        ANSWER(cf_channel_send(NULL, &x, 0) == CF_EINVAL),
        ANSWER(cf_channel_send(channel, NULL, 0) == CF_EINVAL),
        ANSWER(cf_channel_try_send(NULL, &x) == CF_EINVAL),
        ANSWER(cf_channel_try_send(channel, NULL) == CF_EINVAL),
        ANSWER(cf_channel_receive(NULL, 0, &x) == CF_EINVAL),
        ANSWER(cf_channel_receive(channel, 0, NULL) == CF_EINVAL),
        ANSWER(cf_channel_try_receive(NULL, &x) == CF_EINVAL),
        ANSWER(cf_channel_try_receive(channel, NULL) == CF_EINVAL),
        ANSWER(cf_channel_close(NULL) == CF_EINVAL),
        ANSWER(cf_channel_count(NULL) == 0),
        RETURNS(cf_channel_destroy(NULL)),
    };
    expect_answers(answers);
    cf_channel_destroy(channel);
}

CF_TEST(a_call_that_is_null_is_an_answer_in_every_call)
{
    const struct answer answers[] = {
        ANSWER(cf_return(NULL, "x", 1) == CF_EINVAL),
        ANSWER(cf_return(NULL, "eight by", 8) == CF_EINVAL),
        ANSWER(cf_return(NULL, NULL, 0) == CF_EINVAL),
        ANSWER(cf_return_buffer(NULL, 0) == NULL),
        ANSWER(cf_return_buffer(NULL, 1) == NULL),
        ANSWER(cf_return_resize(NULL, 0) == CF_EINVAL),
        ANSWER(cf_return_owned(NULL, "x", 1, NULL) == CF_EINVAL),
        ANSWER(cf_return_destructor(NULL, NULL) == CF_EINVAL),
        ANSWER(cf_fail_text(NULL, 7, "seven") == 7),
        ANSWER(cf_fail_text(NULL, 0, NULL) != 0),
        ANSWER(cf_fail_object(NULL, 7, NULL, NULL, "seven") == 7),
        ANSWER((cf_fail_object)(NULL, 7, NULL, NULL, "seven") == 7),
        ANSWER(cf_fail_object_at(NULL, NULL, 0, 7, NULL, NULL, "seven") == 7),
        ANSWER(cf_fail(NULL, 7, "seven") == 7),
        ANSWER((cf_fail)(NULL, 0, "none") != 0),
        ANSWER(cf_fail_at(NULL, NULL, 0, 7, "%d", 7) == 7),
        ANSWER(cf_sleep(NULL, 1) == CF_OK),
        ANSWER(cf_yield(NULL) == CF_OK),
        ANSWER(cf_group_create(NULL, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_group_submit(NULL, task_nothing, NULL, 0, NULL) == CF_EINVAL),
        ANSWER(cf_group_submit_task(NULL, NULL, NULL) == CF_EINVAL),
        ANSWER(cf_group_wait(NULL, 0) == CF_EINVAL),
        ANSWER(cf_group_error(NULL) == NULL),
        ANSWER(cf_scope_begin(NULL, 0, NULL) == CF_EINVAL),
        ANSWER(cf_scope_end(NULL) == CF_EINVAL),
        ANSWER(cf_scope_extend(NULL, 0) == CF_EINVAL),
        ANSWER(cf_call_canceled(NULL) == false),
        ANSWER(cf_call_worker(NULL) == -1),
        ANSWER(cf_call_worker_data(NULL) == NULL),
        ANSWER(cf_call_executor(NULL) == NULL),
        ANSWER(cf_call_context(NULL) == NULL),
    };
    expect_answers(answers);
}

static int
task_returns_null(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    if (cf_return(call, NULL, 1) != CF_EINVAL)
        return cf_fail(call, 1, "NULL of 1 byte was accepted");
    return cf_return(call, NULL, 0);
}

CF_TEST(a_result_that_is_null_needs_the_size_0)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_returns_null, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
