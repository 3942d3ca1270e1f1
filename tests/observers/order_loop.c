/* SPDX-License-Identifier: MIT */
/*
 * A program that is built with ThreadSanitizer, and has an event loop: tasks
 * share memory with each other, with a pool and with other threads, in order,
 * and are suspended deep in their stacks. The tool has nothing to report. A
 * race of a task it does report.
 *
 * The tool has room for 65 536 frames of a thread. If it took all stacks for
 * one, those of the suspended tasks would be too many.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <stdatomic.h>

#include "tests/observers/child.h"
#include "tests/observers/order.h"

enum { ROUNDS = 20, TASKS = 64, DEPTH = 1100 };

static cf_executor *pool;
static long shared; /* by the tasks of a loop, in its thread */

/* --- deep stacks ---------------------------------------------------------- */

/* The sum of 1 to depth; the task is suspended at the bottom.
 * NOLINTBEGIN(misc-no-recursion): a deep stack */
static __attribute__((noinline)) long
dive(cf_call *call, int depth)
{
    volatile long here = depth;
    if (depth == 0) {
        (void)cf_yield(call);
        shared++;
        return 0;
    }
    long below = dive(call, depth - 1);
    return here + below;
}
/* NOLINTEND(misc-no-recursion) */

static int
task_dive(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return dive(call, DEPTH) != (long)DEPTH * (DEPTH + 1) / 2;
}

/* --- with others ---------------------------------------------------------- */

/* In the pool: what it writes, the loop reads, and the other way. */
static void
ask_pool(void)
{
    struct cell cells[2] = {{1, 0}, {2, 0}};
    cf_future *fs[2];
    for (int i = 0; i < 2; i++)
        CHECK(!cf_submit(pool, task_cell, &cells[i], 0, &fs[i]));
    CHECK(!cf_future_result(fs[0], CF_FOREVER, NULL));
    CHECK(!cf_wait(&fs[1], 1, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    CHECK(cells[0].out == 2 && cells[1].out == 3);
    cf_future_unref(fs[0]);
    cf_future_unref(fs[1]);
}

static int
task_send(cf_call *call, const void *arg, size_t arg_size)
{
    cf_channel *channel = (cf_channel *)(uintptr_t)arg;
    (void)call;
    (void)arg_size;
    for (long i = 1; i <= TASKS; i++) {
        struct cell *cell = malloc(sizeof *cell);
        if (!cell)
            exit(1);
        *cell = (struct cell){i, i};
        CHECK(!cf_channel_send(channel, &cell, CF_FOREVER));
    }
    return cf_channel_close(channel) != CF_OK;
}

static void
receive(cf_executor *sender)
{
    cf_channel *channel;
    struct cell *cell;
    long sum = 0;
    CHECK(!cf_channel_create(sizeof cell, 2, &channel));
    cf_future *f;
    CHECK(!cf_submit(sender, task_send, channel, 0, &f));
    while (!cf_channel_receive(channel, CF_FOREVER, &cell)) {
        sum += cell->in;
        free(cell);
    }
    CHECK(!cf_future_result(f, CF_FOREVER, NULL));
    CHECK(sum == TASKS * (TASKS + 1) / 2);
    cf_future_unref(f);
    cf_channel_destroy(channel);
}

static int
task_first(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *loop = cf_call_executor(call);
    cf_future *fs[TASKS];
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < TASKS; i++)
        CHECK(!cf_submit(loop, task_dive, NULL, 0, &fs[i]));
    CHECK(!cf_wait(fs, TASKS, CF_ALL_COMPLETED, CF_FOREVER, NULL));
    for (int i = 0; i < TASKS; i++) {
        CHECK(!cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    for (int i = 0; i < ROUNDS; i++) {
        ask_pool();
        receive(loop);
        receive(pool);
        CHECK(!cf_sleep(call, 1000));
    }
    return 0;
}

/* A loop in this thread. */
static void
run_here(void)
{
    const cf_event_loop_options o =
        CF_EVENT_LOOP_OPTIONS(.stack_size = 1 << 20);
    cf_future *f;
    shared = 0;
    CHECK(!cf_event_loop_run(&o, task_first, NULL, 0, &f));
    CHECK(!cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    CHECK(shared == TASKS);
}

/* A loop in a thread of its own. */
static void
run_there(void)
{
    const cf_event_loop_options o =
        CF_EVENT_LOOP_OPTIONS(.stack_size = 1 << 20);
    struct cell cells[TASKS];
    cf_executor *loop;
    cf_future *f;
    CHECK(!cf_event_loop_create(&o, &loop));
    CHECK(!cf_submit(loop, task_first, NULL, 0, &f));
    CHECK(!cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    for (int i = 0; i < TASKS; i++) {
        cells[i] = (struct cell){i, 0};
        CHECK(!cf_submit(loop, task_cell, &cells[i], 0, &f));
        if (i % 2)
            CHECK(!cf_future_wait(f, CF_FOREVER));
        else
            CHECK(!cf_executor_wait_idle(loop, CF_FOREVER));
        CHECK(cells[i].out == i + 1);
        cf_future_unref(f);
    }
    cells[0] = (struct cell){7, 0};
    CHECK(!cf_submit(loop, task_cell, &cells[0], 0, NULL));
    cf_executor_destroy(loop);
    CHECK(cells[0].out == 8);
}

/* --- a race --------------------------------------------------------------- */

static atomic_bool written;

static int
task_race(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    (void)cf_yield(call);
    shared++;
    atomic_store_explicit(&written, true, memory_order_relaxed);
    return 0;
}

/* A relaxed flag orders nothing. */
static void
race(void)
{
    cf_executor *loop;
    CHECK(!cf_event_loop_create(NULL, &loop));
    CHECK(!cf_submit(loop, task_race, NULL, 0, NULL));
    while (!atomic_load_explicit(&written, memory_order_relaxed))
        continue;
    shared++;
    cf_executor_destroy(loop);
}

int
main(int argc, char **argv)
{
    const char *found[] = {"data race", "task_race", NULL};
    static char said[1 << 16];
    fix_addresses(argv);
    if (argc < 2) {
        int status = run_again("well", said, sizeof said);
        if (status != 0 || said[0]) {
            fprintf(stderr, "status %x, it said:\n%s\n", status, said);
            return 1;
        }
        return !ends("race", false, found);
    }
    if (strcmp(argv[1], "race") == 0) {
        race();
        return 0;
    }
    CHECK(!cf_thread_pool_create(&CF_THREAD_POOL_OPTIONS(.max_workers = 2),
                                 &pool));
    run_here();
    run_there();
    cf_executor_destroy(pool);
    return 0;
}
