/* SPDX-License-Identifier: MIT */
/*
 * Tasks that fork, and whose children return as the tasks do: the children end
 * there, and the tasks, the pool and the program go on.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { ROUNDS = 8, INNOCENTS = 4, LARGE = 100000 };

typedef pid_t fork_fn(void);

static pid_t
fork_by_system_call(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static fork_fn *const forks[] = {fork, fork_by_system_call};

/* What a task is to do. */
typedef struct order {
    fork_fn *fork;
    journal *journal; /* 1: the parent came by; 2: the child */
} order;

static order
order_of(const void *arg)
{
    order o;
    memcpy(&o, arg, sizeof o);
    return o;
}

/* Both give a result, of size bytes that all are the same. */
static int
give(cf_call *call, size_t size, int value)
{
    unsigned char *p = cf_return_buffer(call, size);
    if (p == NULL)
        return cf_fail(call, 1, "no room");
    memset(p, value, size);
    return 0;
}

/* The parent waits: so the child has returned, and what it has done is there to
 * be seen. Returns its exit status. */
static int
await_child(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

/* Forks once and says which side it is: 1 in the parent, 2 in the child. The
 * parent returns when the child has ended. */
static int
split(order o, int expected_status)
{
    pid_t child = o.fork();
    if (child > 0 && await_child(child) != expected_status)
        child = -1;
    int side = child > 0 ? 1 : child == 0 ? 2 : 3;
    journal_add(o.journal, side);
    return side;
}

static int
task_forks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int side = split(order_of(arg), 0);
    return cf_return(call, &side, sizeof side) != CF_OK;
}

static int
task_forks_and_child_fails(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int side = split(order_of(arg), 1);
    if (side != 1)
        return cf_fail(call, side, "not the parent");
    return cf_return(call, &side, sizeof side) != CF_OK;
}

static int
task_forks_with_large_result(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    return give(call, LARGE, split(order_of(arg), 0));
}

/* Has given a result before, which the child takes back. */
static int
task_forks_after_result(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    if (give(call, LARGE, 1) != 0)
        return 1;
    int side = split(order_of(arg), 0);
    return side == 1 ? 0 : give(call, LARGE, side);
}

static int
task_forks_in_nested(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *f = NULL;
    order o = order_of(arg);
    cf_err err =
        cf_submit(cf_call_executor(call), task_forks, arg, arg_size, &f);
    journal_add(o.journal, 1); /* once: the child does not come here */
    cf_bytes bytes = {NULL, 0};
    if (err == CF_OK)
        err = cf_future_result(f, CF_FOREVER, &bytes);
    if (err != CF_OK)
        return cf_fail(call, 1, "%s", cf_err_name(err));
    err = cf_return(call, bytes.data, bytes.size);
    cf_future_unref(f);
    return err != CF_OK;
}

static void *
fork_in_thread(void *arg)
{
    order *o = arg;
    *o = (order){NULL, o->journal};
    pid_t child = fork();
    if (child > 0 && await_child(child) != 0)
        abort();
    if (child == 0)
        journal_add(o->journal, 2);
    return NULL;
}

static int
task_forks_in_thread(cf_call *call, const void *arg, size_t arg_size)
{
    order o = order_of(arg);
    pthread_t thread;
    int side = 1;
    (void)arg_size;
    if (pthread_create(&thread, NULL, fork_in_thread, &o) != 0)
        return 1;
    pthread_join(thread, NULL);
    journal_add(o.journal, 1);
    return cf_return(call, &side, sizeof side) != CF_OK;
}

static int
task_forks_and_child_exits_its_thread(cf_call *call,
                                      const void *arg,
                                      size_t arg_size)
{
    (void)arg_size;
    int side = split(order_of(arg), 0);
    if (side == 2)
        pthread_exit(NULL);
    return cf_return(call, &side, sizeof side) != CF_OK;
}

/* The whole result is the parent's. */
static void
expect_parents(cf_future *f)
{
    cf_bytes bytes = {NULL, 0};
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    if (bytes.size == sizeof(int)) {
        cr_assert(*(const int *)bytes.data == 1);
        return;
    }
    const unsigned char *p = bytes.data;
    for (size_t i = 0; i < bytes.size; i++)
        cr_assert(p[i] == 1, "byte %zu: %d", i, p[i]);
}

/* So many parents and children have come by, and no process that could not
 * fork. */
static void
expect_visits(const journal *j, int parents, int children)
{
    int visits[4] = {0};
    for (int i = 0; i < j->length; i++)
        visits[j->entries[i]]++;
    cr_assert(visits[1] == parents, "%d parents", visits[1]);
    cr_assert(visits[2] == children, "%d children", visits[2]);
    cr_assert(visits[3] == 0, "%d that did not fork", visits[3]);
}

/* Some of these tasks, with others behind them that run once each, in the same
 * worker. visits: of a parent, for each task. */
static void
expect_child_ends(cf_task_fn *fn, int visits)
{
    for (size_t way = 0; way < sizeof forks / sizeof *forks; way++) {
        cf_executor *ex = pool_for(1);
        order o = {forks[way], journal_new()};
        journal *ran = journal_new();
        for (int i = 0; i < ROUNDS; i++) {
            cf_future *fs[INNOCENTS];
            cf_future *f = must_submit(ex, fn, &o, sizeof o);
            for (int k = 0; k < INNOCENTS; k++) {
                journal_entry e = {ran, k};
                fs[k] = must_submit(ex, task_journal, &e, sizeof e);
            }
            expect_parents(f);
            for (int k = 0; k < INNOCENTS; k++)
                assert_ok(cf_future_result(fs[k], CF_FOREVER, NULL));
            cf_future_unref(f);
            unref_all(fs, INNOCENTS);
        }
        cr_assert(stats_of(ex).restarts == 0);
        cf_executor_destroy(ex);
        expect_visits(o.journal, visits * ROUNDS, ROUNDS);
        cr_assert(ran->length == ROUNDS * INNOCENTS, "%d ran", ran->length);
        process_await_found(own_prefix(), 0);
    }
}

CF_TEST(a_child_that_returns_from_its_task_ends_there)
{
    expect_child_ends(task_forks, 1);
}

CF_TEST(a_child_that_fails_fails_no_other_task)
{
    expect_child_ends(task_forks_and_child_fails, 1);
}

CF_TEST(a_large_result_of_a_child_is_not_its_parents)
{
    expect_child_ends(task_forks_with_large_result, 1);
    expect_child_ends(task_forks_after_result, 1);
}

CF_TEST(a_child_that_returns_from_a_nested_task_ends_there)
{
    expect_child_ends(task_forks_in_nested, 2);
}

CF_TEST(a_child_of_a_thread_of_a_task_ends_with_the_thread)
{
    expect_child_ends(task_forks_in_thread, 1);
}

CF_TEST(a_child_may_end_its_thread)
{
    expect_child_ends(task_forks_and_child_exits_its_thread, 1);
}

/* --- many items ---------------------------------------------------------- */

enum { ITEMS = 12 };

CF_TEST(a_child_that_returns_from_an_item_of_a_map_ends_there)
{
    cf_executor *ex = pool_for(2);
    order orders[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        orders[i] = (order){forks[i % 2], i == 0 ? journal_new() : NULL};
    for (int i = 1; i < ITEMS; i++)
        orders[i].journal = orders[0].journal;
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 4;
    cf_results *results = NULL;
    assert_ok(
        cf_map(ex, task_forks, orders, sizeof *orders, ITEMS, &opts, &results));
    for (int i = 0; i < ITEMS; i++) {
        cf_bytes bytes;
        assert_ok(cf_results_next(results, CF_FOREVER, &bytes));
        cr_assert(*(const int *)bytes.data == 1);
    }
    cf_results_destroy(results, false);
    cf_executor_destroy(ex);
    expect_visits(orders[0].journal, ITEMS, ITEMS);
}

CF_TEST(a_child_that_returns_from_an_item_of_an_array_ends_there)
{
    cf_executor *ex = pool_for(2);
    journal *j = journal_new();
    order *orders = cf_shared_alloc(ex, ITEMS * sizeof *orders);
    int *results = cf_shared_alloc(ex, ITEMS * sizeof *results);
    for (int i = 0; i < ITEMS; i++)
        orders[i] = (order){forks[i % 2], j};
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 4;
    assert_ok(cf_map_array(ex,
                           task_forks,
                           orders,
                           sizeof *orders,
                           ITEMS,
                           results,
                           sizeof *results,
                           &opts));
    for (int i = 0; i < ITEMS; i++)
        cr_assert(results[i] == 1, "item %d: %d", i, results[i]);
    cf_shared_free(ex, orders);
    cf_shared_free(ex, results);
    cf_executor_destroy(ex);
    expect_visits(j, ITEMS, ITEMS);
}

static int
visit_and_fork(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    for (size_t i = begin; i < end; i++) {
        int side = split((order){forks[i % 2], data}, 1);
        if (side != 1)
            return side; /* what this child returns is dropped */
    }
    return 0;
}

CF_TEST(a_child_that_returns_from_a_range_of_a_loop_ends_there)
{
    cf_executor *ex = pool_for(2);
    journal *j = journal_new();
    assert_ok(cf_parallel_for(ex, 0, ITEMS, 1, visit_and_fork, j, NULL));
    cf_executor_destroy(ex);
    expect_visits(j, ITEMS, ITEMS);
}

/* Each side of a fork adds to the partial result; the child's goes with it. */
static int
fold_and_fork(
    cf_call *call, size_t begin, size_t end, void *partial, void *data)
{
    int *sums = partial;
    (void)call;
    for (size_t i = begin; i < end; i++) {
        int side = split((order){forks[i % 2], data}, 0);
        *sums += side == 1 ? 1 : 1000;
        if (side != 1)
            return 0;
    }
    return 0;
}

static void
add_sums(void *partial, void *next, void *data)
{
    (void)data;
    *(int *)partial += *(const int *)next;
}

CF_TEST(a_child_that_returns_from_a_reduction_leaves_no_trace_in_it)
{
    cf_executor *ex = pool_for(2);
    journal *j = journal_new();
    for (size_t size = sizeof(int); size < 1000; size += 900) {
        int sums[250] = {0};
        assert_ok(cf_parallel_reduce(
            ex, 0, ITEMS, 3, fold_and_fork, add_sums, sums, size, j, sums));
        cr_assert(sums[0] == ITEMS, "%d", sums[0]);
    }
    cf_executor_destroy(ex);
    expect_visits(j, 2 * ITEMS, 2 * ITEMS);
}

/* --- initializer and finalizer ------------------------------------------- */

static int
begin_forking(cf_call *call, void *init_data, void **worker_data)
{
    int side = split((order){fork, init_data}, 1);
    *worker_data = init_data;
    return side == 1 ? 0 : cf_fail(call, 1, "not the parent");
}

static void
end_forking(void *init_data, void *worker_data)
{
    (void)split((order){fork_by_system_call, init_data}, 0);
    (void)worker_data;
}

CF_TEST(children_that_return_from_initializer_and_finalizer_end_there)
{
    journal *j = journal_new();
    cf_process_pool_options opts = options_for(1);
    opts.initializer = begin_forking;
    opts.finalizer = end_forking;
    opts.init_data = j;
    cf_executor *ex = pool_of(&opts);
    expect_works(ex);
    cf_executor_destroy(ex);
    expect_visits(j, 2, 2);
}

/* --- daemons ------------------------------------------------------------- */

static int
task_becomes_daemon(cf_call *call, const void *arg, size_t arg_size)
{
    int two = 2;
    (void)arg_size;
    if (daemon(1, 1) != 0)
        return 1;
    gate_pass((gate *)arg); /* the worker's place has been taken meanwhile */
    return cf_return(call, &two, sizeof two) != CF_OK;
}

CF_TEST(a_task_that_becomes_a_daemon_has_died_and_the_daemon_ends)
{
    cf_executor *ex = pool_for(1);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_becomes_daemon, g, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cr_assert(cf_future_error(f)->exit_status == 0);
    expect_works(ex);
    gate_await(g, 1);
    gate_open(g);
    expect_works(ex);
    cr_assert(stats_of(ex).restarts == 1);
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
    cf_future_unref(f);
}
