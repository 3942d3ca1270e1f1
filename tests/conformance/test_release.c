/* SPDX-License-Identifier: MIT */
/* An executor that is released goes by itself; and how far one is in its
 * life. */
#define _GNU_SOURCE
#include "tests/conformance/children.h"
#include "tests/support/thread_faults.h"

#include <errno.h>

#define assert_phase(ex, expected)                                             \
    do {                                                                       \
        cf_executor_phase got_ = cf_executor_state(ex);                        \
        cr_assert(got_ == (expected), "phase %d", (int)got_);                  \
    } while (0)

CF_TEST(an_executor_is_open_until_it_is_shut_down)
{
    cf_executor *ex = test_executor(1);
    assert_phase(ex, CF_EXECUTOR_OPEN);
    cf_future_unref(must_submit(ex, task_nothing, NULL, 0));
    assert_phase(ex, CF_EXECUTOR_OPEN);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_phase(ex, CF_EXECUTOR_ENDED);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_FOREVER));
    assert_phase(ex, CF_EXECUTOR_ENDED);
    cf_executor_destroy(ex);
}

typedef struct refusal {
    cf_executor *ex;
    atomic_bool over;
} refusal;

static void *
submit_in_vain(void *data)
{
    refusal *r = data;
    while (!atomic_load(&r->over))
        assert_err(cf_submit(r->ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    return NULL;
}

CF_TEST(an_executor_that_has_ended_remains_so)
{
    refusal r = {.ex = test_executor(1)};
    pthread_t thread;
    assert_ok(cf_executor_shutdown(r.ex, 0, CF_FOREVER));
    cr_assert(pthread_create(&thread, NULL, submit_in_vain, &r) == 0);
    for (int i = 0; i < 100000; i++)
        if (cf_executor_state(r.ex) != CF_EXECUTOR_ENDED)
            cr_assert_fail("at look %d", i);
    atomic_store(&r.over, true);
    pthread_join(thread, NULL);
    cf_executor_destroy(r.ex);
}

CF_TEST(an_executor_that_ran_nothing_has_ended_when_it_is_shut_down)
{
    cf_executor *ex = test_executor(2);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_phase(ex, CF_EXECUTOR_ENDED);
    cf_executor_destroy(ex);
}

CF_CONCURRENT_TEST(an_executor_shuts_down_as_long_as_a_task_runs)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_future *held, *f;
    occupy(ex, g, 1, &held);
    f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    assert_phase(ex, CF_EXECUTOR_SHUTTING_DOWN);
    gate_open(g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    assert_phase(ex, CF_EXECUTOR_ENDED);
    cf_future_unref(held);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* Returns the phase of its executor before and after a shutdown. */
static int
task_ends_its_executor(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    int phases[2];
    (void)arg;
    (void)arg_size;
    phases[0] = (int)cf_executor_state(ex);
    (void)cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0);
    phases[1] = (int)cf_executor_state(ex);
    return (int)cf_return(call, phases, sizeof phases);
}

CF_TEST(a_task_sees_the_phase_of_its_executor)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_ends_its_executor, NULL, 0);
    cf_bytes bytes;
    int phases[2];
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    memcpy(phases, bytes.data, sizeof phases);
    cr_assert(phases[0] == CF_EXECUTOR_OPEN, "%d", phases[0]);
    /* what a worker process has for its tasks cannot be shut down there */
    int after = CF_SHARES_MEMORY ? CF_EXECUTOR_SHUTTING_DOWN : CF_EXECUTOR_OPEN;
    cr_assert(phases[1] == after, "%d", phases[1]);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_child_has_an_executor_of_another_process)
{
    cf_executor *ex = test_executor(1);
    pid_t child = fork_child();
    if (child == 0) {
        child_check(cf_executor_state(ex) == CF_EXECUTOR_FORKED);
        child_check(cf_executor_release(ex) == CF_EFORKED);
        child_check(cf_executor_state(ex) == CF_EXECUTOR_FORKED);
        _exit(0);
    }
    expect_clean_exit(child);
    assert_phase(ex, CF_EXECUTOR_OPEN);
    cf_executor_destroy(ex);
}

CF_TEST(a_release_returns_and_the_tasks_run)
{
    atomic_int *ran = counter_new();
    cf_executor *ex = test_executor(2);
    cf_future *fs[50];
    for (int i = 0; i < 50; i++)
        fs[i] = must_submit(ex, task_count, ran, 0);
    assert_ok(cf_executor_release(ex));
    for (int i = 0; i < 50; i++)
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
    cr_assert(*ran == 50);
    unref_all(fs, 50);
}

CF_TEST(an_unused_executor_may_be_released)
{
    for (int i = 0; i < POOL_ROUNDS(50); i++)
        assert_ok(cf_executor_release(test_executor(2)));
}

CF_CONCURRENT_TEST(a_release_does_not_wait_for_a_task)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_future *f = must_submit(ex, task_square, &(int){6}, sizeof(int));
    assert_ok(cf_executor_release(ex));
    assert_state(held, CF_RUNNING);
    assert_state(f, CF_PENDING);
    gate_open(g);
    cr_assert(int_result(f) == 36);
    cf_future_unref(held);
    cf_future_unref(f);
}

/* Takes a gate * (arg_size 0). Releases its executor, and goes on when the gate
 * is open. */
static int
task_releases_its_executor(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    cf_err err = cf_executor_release(ex);
    (void)arg_size;
    gate_pass((gate *)arg);
    if (err)
        return cf_fail_text(call, (int)err, "%s%n is no format");
    /* ex is there as long as the task */
    err = cf_submit(ex, task_nothing, NULL, 0, NULL);
    return err == CF_ESHUTDOWN ? 0 : cf_fail_text(call, 1, NULL);
}

CF_TEST(a_task_may_release_its_executor)
{
    gate *g = gate_new();
    cf_executor *ex = test_executor(1);
    if (!CF_CONCURRENT)
        gate_open(g);
    cf_future *f = must_submit(ex, task_releases_its_executor, g, 0);
    gate_await(g, 1);
    gate_open(g);
    if (CF_SHARES_MEMORY) {
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    } else { /* a worker process has one of its own for its tasks */
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
        const cf_error *error = cf_future_error(f);
        cr_assert(error->code == CF_ENOTSUP);
        cr_assert_str_eq(error->message, "%s%n is no format");
        cr_assert_null(error->file);
        cf_executor_destroy(ex);
    }
    cf_future_unref(f);
}

static void
release_done(cf_future *f, void *ex)
{
    (void)f;
    assert_ok(cf_executor_release(ex));
}

CF_TEST(a_callback_may_release_the_executor)
{
    cf_executor *ex = test_executor(1);
    cf_future *gate_future = promise();
    cf_task task = CF_TASK(.fn = task_nothing);
    cf_future *f = NULL;
    assert_ok(cf_submit_when(ex, &task, &gate_future, 1, &f));
    assert_ok(cf_future_on_done(f, release_done, ex));
    assert_ok(cf_future_set_result(gate_future, NULL, 0));
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_future_unref(gate_future);
}

CF_TEST(without_a_thread_a_release_leaves_the_executor)
{
    cf_executor *ex = test_executor(1);
    thread_faults_begin(0, EAGAIN);
    errno = 0;
    assert_err(cf_executor_release(ex), CF_ESYS);
    cr_assert(errno == EAGAIN, "errno %d", errno);
    thread_faults_end();
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
    assert_ok(cf_executor_release(ex));
}

/* The last of two records counts. */
static int
task_fails_plainly(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)cf_fail(call, 8, "not this one");
    return cf_fail_text(call, 9, "100 %");
}

CF_TEST(a_failure_may_be_a_plain_text)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_fails_plainly, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
    cr_assert(cf_future_error(f)->code == 9);
    cr_assert_str_eq(cf_future_error(f)->message, "100 %");
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
