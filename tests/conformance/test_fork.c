/* SPDX-License-Identifier: MIT */
/*
 * What an executor and its futures are in a child that the application forks:
 * not the child's. They say so, they never hang, and the parent goes on.
 * Children report with their exit status and never return into Criterion.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include "tests/support/no_leak_search.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the child with the line number of what was wrong. */
#define child_check(condition)                                                 \
    do {                                                                       \
        if (!(condition))                                                      \
            _exit(__LINE__ % 250 + 1);                                         \
    } while (0)

/* As fork(); a hang ends the child, and the test fails. */
static pid_t
fork_child(void)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0)
        alarm(30);
    return child;
}

static void
expect_clean_exit(pid_t child)
{
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status), "status %d", status);
    cr_assert(WEXITSTATUS(status) == 0,
              "child failed at line %d (mod 250)",
              WEXITSTATUS(status) - 1);
}

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

CF_TEST(a_promise_made_before_the_fork_works_in_the_child)
{
    cf_future *f = promise();
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *own = NULL;
        child_check(cf_future_create(&own) == CF_OK);
        child_check(cf_future_set_result(own, "x", 1) == CF_OK);
        child_check(cf_future_result(own, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(own);
        cf_future_unref(f);
        _exit(0);
    }
    expect_clean_exit(child);
    assert_ok(cf_future_set_result(f, NULL, 0));
    cf_future_unref(f);
}

CF_TEST(whoever_waits_for_the_first_of_the_parent_s_futures_is_told)
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

/* Forks in a task; the child uses what it has, and leaves by _exit(). */
static int
task_forks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor *ex = cf_call_executor(call);
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        child_check(cf_submit(ex, task_nothing, NULL, 0, NULL) == CF_EFORKED);
        cf_executor_destroy(ex);
        _exit(0);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return cf_fail(call, 1, "no child");
    return cf_return(call, &status, sizeof status) != CF_OK;
}

/* What a task or a callback that forks, and those behind it, leave behind: in
 * memory that its child shares. */
typedef struct traces {
    pid_t child;
    atomic_int runs, calls;
} traces;

/* Forks in the first run, and returns in both processes. */
static void
fork_once(traces *t)
{
    if (atomic_fetch_add(&t->runs, 1) == 0) {
        pid_t child = fork();
        if (child)
            t->child = child;
        else
            alarm(30);
    }
}

static int
task_forks_and_returns(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    fork_once(*(traces *const *)arg);
    return 0;
}

static traces *
traces_new(void)
{
    traces *t = mmap(NULL,
                     sizeof *t,
                     PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS,
                     -1,
                     0);
    cr_assert(t != MAP_FAILED);
    return t;
}

#if CF_SHARES_MEMORY
static void
callback_forks(cf_future *f, void *data)
{
    (void)f;
    fork_once(data);
}

static void
callback_counts(cf_future *f, void *data)
{
    (void)f;
    atomic_fetch_add(&((traces *)data)->calls, 1);
}

/* On a worker thread: the child ends when the task returns in it. */
CF_TEST(callbacks_of_a_task_that_forks_run_in_the_parent_only)
{
    for (int in_callback = 0; in_callback < 2; in_callback++) {
        traces *t = traces_new();
        cf_executor *ex = test_executor(1);
        gate *g = gate_new();
        cf_future *held[1];
        occupy(ex, g, 1, held);
        cf_future *f =
            in_callback ? must_submit(ex, task_nothing, NULL, 0)
                        : must_submit(ex, task_forks_and_returns, &t, sizeof t);
        if (in_callback)
            assert_ok(cf_future_on_done(f, callback_forks, t));
        assert_ok(cf_future_on_done(f, callback_counts, t));
        gate_open(g);
        cf_executor_destroy(ex); /* callbacks included */
        expect_clean_exit(t->child);
        cr_assert(t->calls == 1, "%d", t->calls);
        cf_future_unref(f);
        cf_future_unref(held[0]);
        munmap(t, sizeof *t);
    }
}
#endif

CF_TEST(tasks_behind_one_that_forks_in_a_submit_run_in_the_parent_only)
{
    enum { TASKS = 5 };
    traces *t = traces_new();
    traces *args[TASKS];
    for (int i = 0; i < TASKS; i++)
        args[i] = t;
    cf_executor *ex;
    assert_ok(cf_inline_create(&ex));
    pid_t self = getpid();
    assert_ok(cf_submit_many(
        ex, task_forks_and_returns, args, sizeof args[0], TASKS, NULL));
    if (getpid() != self)
        _exit(0);
    expect_clean_exit(t->child);
    cr_assert(t->runs == TASKS, "%d", t->runs);
    cf_executor_destroy(ex);
    munmap(t, sizeof *t);
}

/* CPython: test_thread_pool.test_process_fork_from_a_threadpool (3.15) */
CF_TEST(a_task_may_fork)
{
    cf_executor *ex = test_executor(2);
    cf_future *fs[20];
    for (int i = 0; i < 20; i++)
        fs[i] = must_submit(ex, task_forks, NULL, 0);
    for (int i = 0; i < 20; i++)
        cr_assert(int_result(fs[i]) == 0, "status %d", int_result(fs[i]));
    unref_all(fs, 20);
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

/* --- futures completed by hand -------------------------------------------- */

static void
note_call(cf_future *f, void *data)
{
    (void)f;
    ++*(int *)data;
}

CF_TEST(a_child_completes_its_copy_and_calls_back)
{
    cf_future *f = promise();
    int calls = 0;
    assert_ok(cf_future_on_done(f, note_call, &calls));
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(&f, 1, &it));
    assert_ok(cf_future_on_done(f, note_call, &calls));
    pid_t child = fork_child();
    if (child == 0) {
        cf_as_completed *own = NULL;
        cf_future *out = NULL;
        child_check(cf_future_on_done(f, note_call, &calls) == CF_OK);
        child_check(cf_as_completed_create(&f, 1, &own) == CF_OK);
        child_check(cf_future_set_result(f, "x", 1) == CF_OK);
        child_check(calls == 3);
        child_check(cf_as_completed_next(own, CF_FOREVER, &out) == CF_OK);
        child_check(out == f);
        cf_as_completed_destroy(own);
        /* The parent's says so, and goes. */
        child_check(cf_as_completed_next(it, CF_FOREVER, &out) == CF_EFORKED);
        child_check(cf_as_completed_add(it, f) == CF_EFORKED);
        cf_as_completed_destroy(it);
        cf_future_unref(f);
        _exit(0);
    }
    expect_clean_exit(child);
    cr_assert(calls == 0);
    assert_ok(cf_future_set_result(f, "p", 1));
    cr_assert(calls == 2);
    cf_as_completed_destroy(it);
    cf_future_unref(f);
}

static bool
is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

CF_TEST(a_child_leaves_the_descriptor_of_an_iterator_alone)
{
    cf_future *fs[] = {promise(), promise_in(CF_FINISHED, false), promise()};
    cf_as_completed *idle = NULL, *ready = NULL;
    assert_ok(cf_as_completed_create(&fs[0], 1, &idle));
    assert_ok(cf_as_completed_create(&fs[1], 2, &ready));
    int idle_fd = cf_as_completed_fd(idle);
    int ready_fd = cf_as_completed_fd(ready);
    cr_assert(!is_readable(idle_fd) && is_readable(ready_fd));
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *f = NULL;
        child_check(cf_future_set_result(fs[0], "x", 1) == CF_OK);
        /* What was done at the fork still comes out. */
        child_check(cf_as_completed_next(ready, 0, &f) == CF_OK);
        child_check(f == fs[1]);
        child_check(cf_as_completed_next(ready, 0, &f) == CF_EFORKED);
        child_check(cf_as_completed_fd(ready) == -1 && errno == EPERM);
        cf_as_completed_destroy(ready);
        cf_as_completed_destroy(idle);
        /* Not even its own number for it is closed: it may be another's. */
        child_check(is_readable(ready_fd));
        _exit(0);
    }
    expect_clean_exit(child);
    cr_assert(!is_readable(idle_fd) && is_readable(ready_fd));
    cf_future *f = NULL;
    assert_err(cf_as_completed_next(idle, 0, &f), CF_ETIMEDOUT);
    assert_ok(cf_as_completed_next(ready, 0, &f));
    cf_as_completed_destroy(idle);
    cf_as_completed_destroy(ready);
    unref_all(fs, 3);
}

static bool
count_up(void *pull_data, void *item)
{
    int *next = pull_data;
    memcpy(item, next, sizeof *next);
    ++*next;
    return true;
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

/* Iterates over a promise and gives up, again and again. */
typedef struct churn {
    cf_future *f;
    atomic_bool over;
} churn;

static void *
iterate_in_vain(void *data)
{
    churn *c = data;
    while (!atomic_load(&c->over)) {
        cf_as_completed *it = NULL;
        assert_ok(cf_as_completed_create(&c->f, 1, &it));
        cf_as_completed_destroy(it);
    }
    return NULL;
}

static void *
wait_in_vain(void *data)
{
    churn *c = data;
    while (!atomic_load(&c->over))
        (void)cf_wait(&c->f, 1, CF_FIRST_COMPLETED, 1, NULL);
    return NULL;
}

CF_TEST(a_child_completes_its_copy_whatever_other_threads_were_at)
{
    enum { FORKS = 100 };
    churn c = {.f = promise()};
    pthread_t threads[2];
    cr_assert(pthread_create(&threads[0], NULL, iterate_in_vain, &c) == 0);
    cr_assert(pthread_create(&threads[1], NULL, wait_in_vain, &c) == 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork_child();
        if (child == 0) { /* and needs no memory for it */
            child_check(cf_future_set_result(c.f, "x", 1) == CF_OK);
            child_check(cf_future_wait(c.f, 0) == CF_OK);
            _exit(0);
        }
        expect_clean_exit(child);
    }
    atomic_store(&c.over, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    cf_future_unref(c.f);
}
