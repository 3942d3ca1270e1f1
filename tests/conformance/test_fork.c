/* SPDX-License-Identifier: MIT */
/*
 * What an executor and its futures are in a child that the application forks:
 * not the child's. They say so, they never hang, and the parent goes on.
 */
#define _GNU_SOURCE
#include "tests/conformance/children.h"

#include <signal.h>

/* What a child does with its parent's executor and three of its futures. */
static _Noreturn void
child_main(cf_executor *ex, cf_future *done, cf_future *running, cf_future *f)
{
    cf_future *out = NULL;
    cf_stats stats;
    char large[1000] = "";
    child_check(cf_submit(ex, task_nothing, NULL, 0, &out) == CF_EFORKED);
    child_check(cf_submit(ex, task_nothing, large, sizeof large, &out) ==
                CF_EFORKED);
    child_check(out == NULL);
    child_check(cf_submit_many(ex, task_nothing, NULL, 0, 2, NULL) ==
                CF_EFORKED);
    child_check(cf_executor_wait_idle(ex, CF_FOREVER) == CF_EFORKED);
    child_check(cf_executor_stats(ex, &stats) == CF_EFORKED);
    child_check(cf_executor_terminate(ex, SIGTERM) == CF_EFORKED);
    child_check(cf_executor_shutdown(ex, 0, CF_FOREVER) == CF_EFORKED);
    child_check(cf_executor_name(ex) != NULL);

    child_check(cf_future_result(done, CF_FOREVER, NULL) == CF_OK);
    child_check(cf_future_wait(running, CF_FOREVER) == CF_EFORKED);
    child_check(cf_future_result(f, CF_FOREVER, NULL) == CF_EFORKED);
    child_check(!cf_future_cancel(f) && !cf_future_interrupt(f));
    child_check(cf_future_state(running) == CF_RUNNING);
    child_check(cf_future_state(f) == CF_PENDING);
    cf_future *both[] = {done, f};
    child_check(cf_wait(both, 2, CF_ALL_COMPLETED, CF_FOREVER, NULL) ==
                CF_EFORKED);
    cf_future_unref(done);
    cf_future_unref(running);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    _exit(0);
}

CF_TEST(a_child_is_told_that_nothing_of_the_pool_is_its_own)
{
    cf_executor *ex = test_executor(2);
    cf_future *done = must_submit(ex, task_square, &(int){6}, sizeof(int));
    assert_ok(cf_future_wait(done, CF_FOREVER));
    gate *g = gate_new();
    cf_future *held[2];
    occupy(ex, g, 2, held);
    cf_future *pending = must_submit(ex, task_square, &(int){7}, sizeof(int));
    pid_t child = fork_child();
    if (child == 0)
        child_main(ex, done, held[0], pending);
    expect_clean_exit(child);

    gate_open(g);
    cr_assert(int_result(pending) == 49, "the parent is unharmed");
    unref_all(held, 2);
    cf_future_unref(done);
    cf_future_unref(pending);
    cf_executor_destroy(ex);
}

CF_TEST(a_child_may_make_a_pool_of_its_own)
{
    cf_executor *ex = test_executor(2);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    pid_t child = fork_child();
    if (child == 0) {
        cf_executor *own = NULL;
        cf_future *f = NULL;
        int arg = 8;
        cf_bytes bytes;
        child_check(cf_executor_open(test_spec, &own) == CF_OK);
        child_check(cf_submit(own, task_square, &arg, sizeof arg, &f) == CF_OK);
        child_check(cf_future_result(f, CF_FOREVER, &bytes) == CF_OK);
        child_check(*(const int *)bytes.data == 64);
        cf_future_unref(f);
        cf_executor_destroy(own);
        cf_executor_destroy(ex);
        _exit(0);
    }
    expect_clean_exit(child);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
}

CF_TEST(a_wait_for_the_first_of_the_parent_s_futures_is_told)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    pid_t child = fork_child();
    if (child == 0) {
        cf_as_completed *it = NULL;
        child_check(cf_wait(&held, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL) ==
                    CF_EFORKED);
        child_check(cf_wait(&held, 1, CF_FIRST_ERROR, CF_FOREVER, NULL) ==
                    CF_EFORKED);
        child_check(cf_as_completed_create(&held, 1, &it) == CF_EFORKED);
        child_check(cf_as_completed_create(NULL, 0, &it) == CF_OK);
        child_check(cf_as_completed_add(it, held) == CF_EFORKED);
        cf_as_completed_destroy(it);
        _exit(0);
    }
    expect_clean_exit(child);
    gate_open(g);
    cf_executor_destroy(ex);
    cf_future_unref(held);
}

CF_TEST(forks_while_the_workers_are_busy_do_no_harm)
{
    enum { FORKS = 50, N = 2000 };
    cf_executor *ex = test_executor(2);
    static cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork_child();
        if (child == 0) {
            child_check(cf_submit(ex, task_nothing, NULL, 0, NULL) ==
                        CF_EFORKED);
            for (int k = 0; k < N; k++)
                cf_future_unref(fs[k]);
            cf_executor_destroy(ex);
            _exit(0);
        }
        int more = i;
        assert_ok(cf_submit(ex, task_square, &more, sizeof more, NULL));
        expect_clean_exit(child);
    }
    for (int i = 0; i < N; i++)
        cr_assert(int_result(fs[i]) == i * i);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

CF_TEST(a_grandchild_is_told_as_well)
{
    cf_executor *ex = test_executor(1);
    assert_ok(cf_submit(ex, task_nothing, NULL, 0, NULL));
    pid_t child = fork_child();
    if (child == 0) {
        pid_t grandchild = fork();
        child_check(grandchild >= 0);
        if (grandchild == 0) {
            child_check(cf_submit(ex, task_nothing, NULL, 0, NULL) ==
                        CF_EFORKED);
            _exit(0);
        }
        int status = -1;
        child_check(waitpid(grandchild, &status, 0) == grandchild);
        child_check(status == 0);
        _exit(0);
    }
    expect_clean_exit(child);
    cf_executor_destroy(ex);
}

CF_TEST(an_iterator_of_the_parent_does_not_hang_in_the_child)
{
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(&held, 1, &it));
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *f = NULL;
        child_check(cf_as_completed_next(it, CF_FOREVER, &f) == CF_EFORKED);
        _exit(0);
    }
    expect_clean_exit(child);
    gate_open(g);
    cf_future *f = NULL;
    assert_ok(cf_as_completed_next(it, CF_FOREVER, &f));
    cf_as_completed_destroy(it);
    cf_executor_destroy(ex);
    cf_future_unref(held);
}

static cf_err
count_up(void *pull_data, void *item)
{
    int *next = pull_data;
    memcpy(item, next, sizeof *next);
    ++*next;
    return CF_OK;
}

CF_TEST(a_child_takes_no_more_of_a_map_than_was_there)
{
    cf_executor *ex = test_executor(1);
    int pulled = 0;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.buffer_size = 2;
    opts.chunk_size = 1;
    opts.pull = count_up;
    opts.pull_data = &pulled;
    cf_results *r = NULL;
    assert_ok(cf_map(ex, task_square, NULL, sizeof(int), 0, &opts, &r));
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    pid_t child = fork_child();
    if (child == 0) {
        child_check(cf_results_next(r, CF_FOREVER, NULL) == CF_OK);
        child_check(cf_results_next(r, CF_FOREVER, NULL) == CF_OK);
        child_check(cf_results_next(r, CF_FOREVER, NULL) == CF_EFORKED);
        child_check(pulled == 2);
        cf_results_destroy(r, true);
        _exit(0);
    }
    expect_clean_exit(child);
    assert_ok(cf_results_next(r, CF_FOREVER, NULL));
    cf_results_destroy(r, true);
    cf_executor_destroy(ex);
}
