/* SPDX-License-Identifier: MIT */
/*
 * The end of a pool whose workers do not end by themselves, and the end of a
 * worker that has written nonsense into its lane.
 */
#define _GNU_SOURCE
#include "tests/processes/manager.h"
#include "tests/processes/processes.h"

#include <stdlib.h>
#include <sys/mman.h>

#define GRACE_NS CF_MS(20)

/* Takes a gate. */
static int
begin_endless(cf_call *call, void *init_data, void **worker_data)
{
    (void)call;
    (void)worker_data;
    gate_pass(init_data);
    return 0;
}

static void
end_endless(void *init_data, void *worker_data)
{
    (void)worker_data;
    gate_pass(init_data);
}

/* Does not react to SIGTERM either. */
static void
end_stubborn(void *init_data, void *worker_data)
{
    (void)signal(SIGTERM, SIG_IGN);
    end_endless(init_data, worker_data);
}

static cf_process_pool_options
options_with_grace(gate *g)
{
    cf_process_pool_options opts = options_for(2);
    opts.kill_grace_ns = GRACE_NS;
    opts.init_data = g;
    return opts;
}

static void
expect_end(cf_executor *ex)
{
    assert_ok(cf_executor_shutdown(ex, 0, CF_SECONDS(20)));
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
}

CF_TEST(a_stopped_worker_does_not_keep_the_pool_from_its_end)
{
    cf_process_pool_options opts = options_with_grace(NULL);
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_pid, NULL, 0);
    pid_t pid = int_result(f);
    cf_future_unref(f);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    cr_assert(kill(pid, SIGSTOP) == 0);
    expect_end(ex);
}

CF_TEST(a_hung_initializer_does_not_keep_the_pool_from_its_end)
{
    gate *g = gate_new();
    cf_process_pool_options opts = options_with_grace(g);
    opts.initializer = begin_endless;
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    gate_await(g, 1);
    cr_assert(cf_future_cancel(f));
    cf_future_unref(f);
    expect_end(ex);
}

CF_TEST(a_hung_finalizer_does_not_keep_the_pool_from_its_end)
{
    for (int stubborn = 0; stubborn < 2; stubborn++) {
        cf_process_pool_options opts = options_with_grace(gate_new());
        opts.finalizer = stubborn ? end_stubborn : end_endless;
        opts.on_worker_death = CF_WORKER_BREAK;
        cf_executor *ex = pool_of(&opts);
        expect_works(ex);
        assert_ok(cf_executor_shutdown(ex, 0, CF_SECONDS(20)));
        assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_ESHUTDOWN);
        expect_end(ex);
    }
}

CF_TEST(a_task_is_given_all_the_time_it_takes_at_the_end)
{
    cf_process_pool_options opts = options_with_grace(NULL);
    cf_executor *ex = pool_of(&opts);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    assert_ok(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0));
    assert_err(cf_future_wait(held, 5 * GRACE_NS), CF_ETIMEDOUT);
    gate_open(g);
    assert_ok(cf_future_result(held, CF_FOREVER, NULL));
    cf_future_unref(held);
    expect_end(ex);
}

/* --- nonsense ------------------------------------------------------------ */

/* This worker's lane: the first shared mapping that it may write and that is as
 * large as one. */
static struct cf__lane_out *
own_lane(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], mode[8];
    unsigned long begin, end;
    struct cf__lane_out *lane = NULL;
    while (maps != NULL && lane == NULL &&
           fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, mode) != 3 ||
            strncmp(mode, "rw-s", 4) != 0)
            continue;
        struct cf__lane_out *found = (struct cf__lane_out *)begin;
        if (end - begin >= sizeof *found &&
            cf_load_relaxed(&found->pid) == getpid())
            lane = found;
    }
    if (maps != NULL)
        fclose(maps);
    return lane;
}

/* Takes a state, for the position after its own. */
static int
task_overwrites_next_state(cf_call *call, const void *arg, size_t arg_size)
{
    uint64_t state;
    struct cf__lane_out *lane = own_lane();
    (void)call;
    (void)arg_size;
    memcpy(&state, arg, sizeof state);
    if (lane == NULL)
        return 1;
    for (int i = 0; i < CF__LANE; i++)
        if (cf_load_relaxed(&lane->outcomes[i].state) % 4 != CF__TAKEN)
            cf_store_relaxed(&lane->outcomes[i].state, state);
    return 0;
}

/* The outcomes that are there make no sense: the worker is killed for it, what
 * it had in hand has failed, others go on. */
CF_TEST(a_worker_that_overwrites_its_lane_is_killed)
{
    static const uint64_t states[] = {UINT64_MAX, 0x123456789abcdef0, 3};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        cf_executor *ex = pool_for(1);
        expect_works(ex);
        cf_future *f = must_submit(
            ex, task_overwrites_next_state, &states[i], sizeof states[i]);
        cf_future *next = must_submit(ex, task_nothing, NULL, 0);
        cf_err err = cf_future_result(f, CF_FOREVER, NULL);
        cr_assert(err == CF_OK || err == CF_EWORKERDIED, "%d", (int)err);
        err = cf_future_result(next, CF_FOREVER, NULL);
        cr_assert(err == CF_OK || err == CF_EWORKERDIED, "%d", (int)err);
        while (stats_of(ex).restarts == 0) {
            cf_future *later = must_submit(ex, task_nothing, NULL, 0);
            (void)cf_future_wait(later, CF_FOREVER);
            cf_future_unref(later);
        }
        expect_works(ex);
        cf_future_unref(f);
        cf_future_unref(next);
        cf_executor_destroy(ex);
    }
}

/* Takes a gate; makes the state of its own position one that cannot be. */
static int
task_overwrites_own_state(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__lane_out *lane = own_lane();
    (void)call;
    (void)arg_size;
    gate_pass((gate *)arg);
    for (int i = 0; lane != NULL && i < CF__LANE; i++)
        if (cf_load_relaxed(&lane->outcomes[i].state) % 4 == CF__TAKEN)
            cf_store_relaxed(&lane->outcomes[i].state, UINT64_MAX);
    while (lane != NULL)
        pause(); /* until it is killed for that */
    return 1;
}

/* How many tasks the first lane has. */
static size_t
tasks_in_lane(cf_executor *ex)
{
    struct cf__processes *pool = cf__processes_of(ex);
    cf__processes_lock(pool);
    size_t count = cf__lane_tasks(&pool->lanes[0]);
    cf__processes_unlock_alone(pool);
    return count;
}

/* Nothing that a condemned worker's lane says is believed: so the task behind,
 * which has not begun, fails too. */
CF_TEST(a_condemned_worker_costs_all_that_it_has_in_hand)
{
    bool behind = false;
    while (!behind) { /* the second task may come too late for the lane */
        cf_executor *ex = pool_for(1);
        gate *g = gate_new();
        cf_future *fs[2];
        fs[0] = must_submit(ex, task_overwrites_own_state, g, 0);
        fs[1] = must_submit(ex, task_nothing, NULL, 0);
        (void)stats_of(ex); /* a service */
        gate_await(g, 1);
        behind = tasks_in_lane(ex) == 2;
        gate_open(g);
        assert_err(cf_future_result(fs[0], CF_FOREVER, NULL), CF_EWORKERDIED);
        cr_assert(cf_future_error(fs[0])->signal == SIGKILL);
        cf_err err = cf_future_result(fs[1], CF_FOREVER, NULL);
        cr_assert(err == (behind ? CF_EWORKERDIED : CF_OK), "%d", (int)err);
        expect_works(ex);
        cr_assert(stats_of(ex).restarts == 1);
        unref_all(fs, 2);
        cf_executor_destroy(ex);
    }
}

/* Takes a kind of outcome that cannot be, or one whose place cannot be. */
static int
task_overwrites_outcome(cf_call *call, const void *arg, size_t arg_size)
{
    uint32_t kind;
    (void)call;
    (void)arg_size;
    memcpy(&kind, arg, sizeof kind);
    struct cf__lane_out *lane = own_lane();
    for (int i = 0; lane != NULL && i < CF__LANE; i++) {
        struct cf__outcome *outcome = &lane->outcomes[i];
        uint64_t state = cf_load_relaxed(&outcome->state);
        if (state % 4 != CF__TAKEN)
            continue;
        cf_store_relaxed(&outcome->size, UINT64_MAX / 2);
        cf_store_relaxed(&outcome->offset, UINT64_MAX / 2);
        cf_store_relaxed(&outcome->kind, kind);
        cf_store_release(&outcome->state, state - CF__TAKEN + CF__DONE);
        for (;;)
            pause(); /* until it is killed for that */
    }
    return 1;
}

CF_TEST(a_worker_whose_outcome_is_impossible_is_killed)
{
    for (uint32_t kind = 0; kind < 6; kind++) {
        cf_executor *ex = pool_for(1);
        cf_future *f =
            must_submit(ex, task_overwrites_outcome, &kind, sizeof kind);
        if (kind == CF__AS_BARE_FAILURE) { /* this one is possible */
            assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ETASK);
            assert_ok(cf_executor_terminate(ex, SIGKILL));
        } else {
            assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
            cr_assert(cf_future_error(f)->signal == SIGKILL);
            expect_works(ex);
        }
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

/* --- memory that was given up -------------------------------------------- */

enum { MUCH = 16 << 20 };

/* So many bytes of the first outbox have memory. */
static size_t
outbox_memory(cf_executor *ex)
{
    static unsigned char pages[2 * MUCH / 4096];
    unsigned char *outbox = cf__processes_of(ex)->shared->outboxes;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 0;
    cr_assert(mincore(outbox, 2 * MUCH, pages) == 0);
    for (size_t i = 0; i < 2 * MUCH / page; i++)
        size += pages[i] & 1 ? page : 0;
    return size;
}

/* Takes how it gives up a large result. */
static int
task_gives_up(cf_call *call, const void *arg, size_t arg_size)
{
    int how;
    (void)arg_size;
    memcpy(&how, arg, sizeof how);
    void *p = cf_return_buffer(call, MUCH);
    if (p == NULL)
        return 1;
    memset(p, 1, MUCH);
    if (how == 0)
        return cf_fail(call, 1, "no");
    if (how == 1)
        return cf_return(call, &how, sizeof how) != CF_OK;
    abort();
}

CF_TEST(memory_of_a_result_that_was_given_up_goes_back)
{
    for (int how = 0; how < 3; how++) {
        cf_executor *ex = pool_for(1);
        cf_future *f = must_submit(ex, task_gives_up, &how, sizeof how);
        (void)cf_future_wait(f, CF_FOREVER);
        cr_assert(outbox_memory(ex) >= MUCH);
        await_manager_at_rest(ex);
        cr_assert(outbox_memory(ex) == 0);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

/* Says for some seconds, all the time, that it has not begun yet. */
static int
task_denies_its_beginning(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    struct cf__lane_out *lane = own_lane();
    const int64_t end = cf__now_ns() + CF_SECONDS(3);
    while (cf__now_ns() < end)
        for (size_t i = 0; i < CF__LANE; i++)
            cf_store_relaxed(&lane->outcomes[i].offset, UINT64_MAX);
    return 0;
}

CF_TEST(a_task_cannot_put_its_timeout_off)
{
    cf_executor *ex = pool_for(1);
    cf_future *f = NULL;
    cf_task task = CF_TASK_INIT;
    task.fn = task_denies_its_beginning;
    task.timeout_ns = CF_MS(50);
    assert_ok(cf_submit_task(ex, &task, &f));
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EDEADLINE);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
