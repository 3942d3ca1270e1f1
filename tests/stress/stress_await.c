/* SPDX-License-Identifier: MIT */
/*
 * Tasks of an event loop await tasks of a pool, most of them as the sole
 * waiter, while other threads come in between: they add callbacks, sleep on the
 * same futures, cancel them, interrupt the tasks, and fork. Attacks
 * lib/future/sole.c, the list of what other threads tell a loop
 * (event_loop/woken.h) and the loop's sleep.
 *
 * Each wait ends, and with what fits; each callback is called once. The futures
 * are recycled at once, and a loop is destroyed as soon as its last task has
 * ended, while threads of the pool are on their way out of the delivery.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SHARED = 24, /* futures that several know */
    TASKS = 40,
    STEPS = 12,
    MEDDLERS = 3,
    FORK_EVERY = 16, /* rounds */
    CHILD_SECONDS_MAX = 15
};

struct round {
    uint64_t number;
    cf_executor *pool;
    cf_future *shared[SHARED];
    cf_future *tasks[TASKS];
    atomic_int called; /* callbacks */
    atomic_int added;
};

struct job {
    struct round *round;
    uint64_t stream;
};

static atomic_uint_fast64_t waits, ended, forks;

static int
work(cf_call *call, const void *arg, size_t arg_size)
{
    uint64_t stream;
    CHECK_EQ(arg_size, sizeof stream);
    memcpy(&stream, arg, sizeof stream);
    struct random r = random_stream(stream);
    if (random_percent(&r, 50))
        random_delay(&r, 20000);
    return (int)cf_return(call, &stream, sizeof stream);
}

/* What a wait in a task may return. limited: it has a time limit. */
static void
expect(cf_call *call, const cf_future *f, cf_err err, bool limited)
{
    atomic_fetch_add(&waits, 1);
    if (err == CF_OK) {
        CHECK(cf_future_done(f));
        return;
    }
    atomic_fetch_add(&ended, 1);
    if (err == CF_EINTERRUPTED)
        CHECK(limited || cf_call_canceled(call));
    else
        CHECK(limited && err == CF_ETIMEDOUT);
}

static void
wait_somehow(cf_call *call, struct random *r, cf_future *f)
{
    int64_t timeout_ns = 1 + random_below(r, 50000);
    switch (random_below(r, 4)) {
    case 0:
        expect(call, f, cf_future_wait(f, timeout_ns), true);
        break;
    case 1: {
        cf_scope *scope;
        CHECK_EQ(cf_scope_begin(call, timeout_ns, &scope), CF_OK);
        expect(call, f, cf_future_wait(f, CF_FOREVER), true);
        (void)cf_scope_end(scope);
        break;
    }
    default:
        expect(call, f, cf_future_wait(f, CF_FOREVER), false);
    }
}

/* No other code knows the future: it is freed right after the wait. Some have
 * a timeout, and are finished by that while their runner goes on. */
static void
await_own(cf_call *call, struct random *r, cf_executor *pool)
{
    uint64_t stream = random_next(r);
    cf_task task = CF_TASK(work, &stream, sizeof stream);
    cf_future *f;
    cf_bytes bytes;
    if (random_percent(r, 10))
        task.timeout_ns = 1 + random_below(r, 30000);
    else if (random_percent(r, 10))
        task.name = "named";
    CHECK_EQ(cf_submit_task(pool, &task, &f), CF_OK);
    if (random_percent(r, 30))
        wait_somehow(call, r, f);
    cf_err err = cf_future_result(f, CF_FOREVER, &bytes);
    if (err == CF_EDEADLINE)
        CHECK(task.timeout_ns > 0 && cf_future_done(f));
    else
        expect(call, f, err, false);
    if (!err) {
        CHECK_EQ(bytes.size, sizeof stream);
        CHECK(memcmp(bytes.data, &stream, sizeof stream) == 0);
    }
    cf_future_unref(f);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct random r = random_stream(job.stream);
    for (int step = 0; step < STEPS; step++) {
        if (random_percent(&r, 50))
            await_own(call, &r, job.round->pool);
        else
            wait_somehow(call, &r, job.round->shared[random_below(&r, SHARED)]);
    }
    return 0;
}

static void
count(cf_future *f, void *data)
{
    struct round *round = data;
    CHECK(cf_future_done(f));
    atomic_fetch_add(&round->called, 1);
}

static void
meddle(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + index);
    for (int i = 0; i < SHARED; i++) {
        cf_future *f = round->shared[random_below(&r, SHARED)];
        random_delay(&r, 30000);
        switch (random_below(&r, 5)) {
        case 0:
            (void)cf_future_cancel(f);
            break;
        case 1:
            (void)cf_future_interrupt(round->tasks[random_below(&r, TASKS)]);
            break;
        case 2:
            (void)cf_future_wait(f, random_below(&r, 50000));
            break;
        default:
            atomic_fetch_add(&round->added, 1);
            CHECK_EQ(cf_future_on_done(f, count, round), CF_OK);
        }
    }
}

static void
never(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    FAIL("a callback of the parent's task ran in the child");
}

/* In the child no sole waiter lives on, and no call waits for one. */
static void
use_in_child(struct round *round)
{
    alarm(CHILD_SECONDS_MAX);
    for (int i = 0; i < SHARED; i++) {
        cf_future *f = round->shared[i];
        if (cf_future_done(f))
            continue;
        (void)cf_future_on_done(f, never, NULL);
        CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_EFORKED);
    }
    _exit(0);
}

static void
fork_once(struct round *round)
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        use_in_child(round);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    atomic_fetch_add(&forks, 1);
}

static void
submit_all(struct round *round, struct random *r, cf_executor *loop)
{
    for (int i = 0; i < SHARED; i++) {
        uint64_t stream = random_next(r);
        CHECK_EQ(
            cf_submit(
                round->pool, work, &stream, sizeof stream, &round->shared[i]),
            CF_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        struct job job = {round, random_next(r)};
        CHECK_EQ(cf_submit(loop, run, &job, sizeof job, &round->tasks[i]),
                 CF_OK);
    }
}

static void
run_round(uint64_t number, cf_executor *pool)
{
    struct round round = {.number = number, .pool = pool};
    struct random r = random_stream(number * 100 + 99);
    cf_executor *loop;
    struct crew crew;
    CHECK_EQ(cf_executor_open("loop", &loop), CF_OK);
    submit_all(&round, &r, loop);
    crew_start(&crew, MEDDLERS, meddle, &round);
    if (number % FORK_EVERY == 0)
        fork_once(&round);
    CHECK_EQ(cf_wait(round.tasks, TASKS, CF_ALL_COMPLETED, CF_FOREVER, NULL),
             CF_OK);
    cf_executor_destroy(loop);
    crew_join(&crew);
    for (int i = 0; i < TASKS; i++)
        cf_future_unref(round.tasks[i]);
    for (int i = 0; i < SHARED; i++) {
        CHECK_EQ(cf_future_wait(round.shared[i], CF_FOREVER), CF_OK);
        cf_future_unref(round.shared[i]);
    }
    /* A callback may still run in a thread of the pool. */
    CHECK_EQ(cf_executor_wait_idle(pool, CF_FOREVER), CF_OK);
    CHECK_EQ(atomic_load(&round.called), atomic_load(&round.added));
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    cf_executor *pool = stress_pool(2);
    uint64_t rounds = 0;
    while (stress_goes_on()) {
        run_round(rounds++, pool);
        stress_alive();
    }
    stress_pool_destroy(pool);
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64 " waits, %" PRIuFAST64
                      " ended early, %" PRIuFAST64 " forks",
                      rounds,
                      atomic_load(&waits),
                      atomic_load(&ended),
                      atomic_load(&forks));
}
