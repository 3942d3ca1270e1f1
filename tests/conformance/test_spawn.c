/* SPDX-License-Identifier: MIT */
/*
 * Jobs: each runs once, wherever that is; what a job returns and records comes
 * to its spawner; and a job is no task.
 */
#include "tests/conformance/conformance.h"

#include <signal.h>

enum { MANY = 200 };

struct number {
    int n, value;
};

static int
job_fib(cf_call *call, void *arg)
{
    struct number *number = arg;
    struct number first = {number->n - 1, 0}, second = {number->n - 2, 0};
    cf_job job;
    if (number->n < 2) {
        number->value = number->n;
        return 0;
    }
    cf_spawn(call, &job, job_fib, &first);
    int rc = job_fib(call, &second);
    int joined = cf_join(call, &job);
    number->value = first.value + second.value;
    return rc ? rc : joined;
}

static int
task_fib(cf_call *call, const void *arg, size_t arg_size)
{
    struct number number = {0, 0};
    memcpy(&number.n, arg, arg_size);
    int rc = job_fib(call, &number);
    return rc ? rc : (int)cf_return(call, &number.value, sizeof number.value);
}

CF_TEST(a_tree_of_jobs_is_right_on_any_number_of_workers)
{
    for (int workers = 1; workers <= (CF_ONE_THREAD ? 1 : 4); workers++) {
        cf_executor *ex = test_executor(CF_CONCURRENT ? workers : 1);
        for (int round = 0; round < 3; round++) {
            cf_future *f = must_submit(ex, task_fib, &(int){20}, sizeof(int));
            cr_assert(int_result(f) == 6765);
            cf_future_unref(f);
        }
        cf_executor_destroy(ex);
    }
}

static int
job_add(cf_call *call, void *arg)
{
    struct number *number = arg;
    (void)call;
    number->value += number->n;
    return number->n;
}

/* In which order the jobs are joined. */
enum order { OLDEST_FIRST, NEWEST_FIRST, EVERY_THIRD, ORDERS };

static int
index_of(enum order order, int i)
{
    switch (order) {
    case OLDEST_FIRST:
        return i;
    case NEWEST_FIRST:
        return MANY - 1 - i;
    default:
        return i * 3 % MANY;
    }
}

/* Returns how many jobs were wrong. */
static int
task_many(cf_call *call, const void *arg, size_t arg_size)
{
    cf_job jobs[MANY];
    struct number numbers[MANY];
    int order, wrong = 0;
    memcpy(&order, arg, arg_size);
    for (int i = 0; i < MANY; i++) {
        numbers[i] = (struct number){i, 0};
        cf_spawn(call, &jobs[i], job_add, &numbers[i]);
    }
    for (int i = 0; i < MANY; i++) {
        int at = index_of((enum order)order, i);
        wrong += cf_join(call, &jobs[at]) != at || numbers[at].value != at;
    }
    return (int)cf_return(call, &wrong, sizeof wrong);
}

CF_TEST(jobs_are_joined_in_any_order)
{
    cf_executor *ex = test_executor(CF_CONCURRENT ? 3 : 1);
    for (int round = 0; round < 20; round++) {
        for (int order = 0; order < ORDERS; order++) {
            cf_future *f = must_submit(ex, task_many, &order, sizeof order);
            cr_assert(int_result(f) == 0, "order %d", order);
            cf_future_unref(f);
        }
    }
    cf_executor_destroy(ex);
}

static int
job_fail(cf_call *call, void *arg)
{
    return cf_fail(call, *(int *)arg, "job %d", *(int *)arg);
}

static int
task_with_failing_job(cf_call *call, const void *arg, size_t arg_size)
{
    int numbers[2] = {0, 0};
    cf_job job;
    memcpy(numbers, arg, arg_size);
    (void)cf_fail(call, 1, "before");
    cf_spawn(call, &job, job_fail, &numbers[0]);
    int rc = cf_join(call, &job);
    return numbers[1] ? cf_fail(call, numbers[1], "after") : rc;
}

CF_TEST(what_a_job_records_is_the_record_of_its_spawner)
{
    cf_executor *ex = test_executor(1);
    cf_future *f =
        must_submit(ex, task_with_failing_job, (int[]){7, 0}, 2 * sizeof(int));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == 7);
    cr_assert_str_eq(cf_future_message(f), "job 7");
    cf_future_unref(f);
    f = must_submit(ex, task_with_failing_job, (int[]){7, 8}, 2 * sizeof(int));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == 8);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* A bit for what is as it should be. */
static int
job_looks(cf_call *call, void *arg)
{
    int n = 5;
    (void)arg;
    return (cf_return(call, &n, sizeof n) == CF_ETOOBIG) |
           (cf_return(call, NULL, 0) == CF_OK) << 1 |
           (cf_return_buffer(call, 100) == NULL) << 2 |
           (cf_call_executor(call) != NULL) << 3 |
           (cf_call_worker(call) >= 0) << 4 | !cf_call_canceled(call) << 5;
}

/* A job inside of a job, in a scope that has struck. */
static int
job_looks_around(cf_call *call, void *arg)
{
    cf_scope *scope;
    cf_job job;
    if (cf_scope_begin(call, 0, &scope))
        return 0;
    int told = cf_call_canceled(call);
    cf_spawn(call, &job, job_looks, arg);
    int seen = cf_join(call, &job);
    (void)cf_scope_end(scope);
    return told ? seen : 0;
}

static int
task_with_looking_job(cf_call *call, const void *arg, size_t arg_size)
{
    int seen[2] = {0, 0};
    cf_job jobs[2];
    (void)arg, (void)arg_size;
    /* The result of the task stays. */
    if (cf_return(call, seen, sizeof seen))
        return 1;
    cf_spawn(call, &jobs[0], job_looks, NULL);
    cf_spawn(call, &jobs[1], job_looks_around, NULL);
    seen[1] = cf_join(call, &jobs[1]);
    seen[0] = cf_join(call, &jobs[0]);
    return seen[0] == 63 && seen[1] == 63
               ? 0
               : cf_fail(call, 1, "%d %d", seen[0], seen[1]);
}

CF_TEST(a_job_has_no_result_and_begins_in_no_scope)
{
    cf_executor *ex = test_executor(CF_CONCURRENT ? 2 : 1);
    for (int round = 0; round < 50; round++) {
        cf_future *f = must_submit(ex, task_with_looking_job, NULL, 0);
        cf_bytes bytes = {NULL, 0};
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(bytes.size == 2 * sizeof(int));
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(outside_of_tasks_a_job_runs_in_its_join)
{
    struct number number = {20, 0};
    cf_job job;
    cf_spawn(NULL, &job, job_fib, &number);
    cr_assert(number.value == 0, "too early");
    cr_assert(cf_join(NULL, &job) == 0);
    cr_assert(number.value == 6765);
}

static int
task_with_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    cf_job job;
    (void)arg, (void)arg_size;
    cf_spawn(call, NULL, job_add, NULL);
    cf_spawn(call, &job, NULL, NULL);
    int answers[2] = {cf_join(call, &job), cf_join(call, NULL)};
    return answers[0] == CF_EINVAL && answers[1] == CF_EINVAL ? 0 : 1;
}

CF_TEST(a_job_that_is_null_is_answered)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_with_nothing, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static int
job_submits(cf_call *call, void *arg)
{
    struct number *number = arg;
    cf_future *f;
    cf_bytes bytes;
    cf_err err = cf_submit(
        cf_call_executor(call), task_square, &number->n, sizeof number->n, &f);
    if (err)
        return (int)err;
    err = cf_future_result(f, CF_FOREVER, &bytes);
    if (!err)
        memcpy(&number->value, bytes.data, sizeof number->value);
    cf_future_unref(f);
    return (int)err;
}

/* Waits for a task while jobs are not joined. */
static int
task_submits_and_spawns(cf_call *call, const void *arg, size_t arg_size)
{
    enum { JOBS = 20 };
    struct number numbers[JOBS], own = {3, 0};
    cf_job jobs[JOBS];
    int sum = 0;
    (void)arg, (void)arg_size;
    for (int i = 0; i < JOBS; i++) {
        numbers[i] = (struct number){i, 0};
        cf_spawn(call, &jobs[i], job_submits, &numbers[i]);
    }
    int rc = job_submits(call, &own);
    for (int i = JOBS - 1; i >= 0; i--) {
        int joined = cf_join(call, &jobs[i]);
        rc = rc ? rc : joined;
        sum += numbers[i].value;
    }
    return rc ? cf_fail(call, rc, "%s", cf_err_name((cf_err)rc))
              : (int)cf_return(call, &sum, sizeof sum);
}

CF_TEST(jobs_submit_tasks_and_wait_for_them)
{
    cf_executor *ex = test_executor(CF_CONCURRENT ? 3 : 1);
    for (int round = 0; round < 100; round++) {
        cf_future *f = must_submit(ex, task_submits_and_spawns, NULL, 0);
        cr_assert(int_result(f) == 2470);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_TEST(statistics_do_not_count_jobs)
{
    cf_executor *ex = test_executor(CF_CONCURRENT ? 2 : 1);
    cf_future *f = must_submit(ex, task_fib, &(int){18}, sizeof(int));
    cr_assert(int_result(f) == 2584);
    cf_future_unref(f);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_stats stats;
    assert_ok(cf_executor_stats(ex, &stats));
    cr_assert(stats.done == 1 && stats.failed == 0 && stats.running == 0);
    cr_assert(stats.canceled == 0 && stats.queued == 0);
    cf_executor_destroy(ex);
}
