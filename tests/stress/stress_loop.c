/* SPDX-License-Identifier: MIT */
/*
 * Coroutines that wait, against all that ends a wait at once: threads complete
 * what they wait for, others interrupt them, and deadlines pass. Attacks the
 * parker and the lists of event_loop/coroutine.c, the sleep of sleep.c, and the
 * mark of an iterator's user (lib/many/as_completed_ready.c).
 *
 * What a wait returns fits what it waited for, and each task ends once all is
 * completed. A loop is destroyed as soon as the last task has ended, while
 * threads may still be on their way out of waking it.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROMISES = 40, TASKS = 60, STEPS = 12, COMPLETERS = 3, SOME = 4 };

struct round {
    uint64_t number;
    cf_executor *pool;
    cf_future *promises[PROMISES];
    cf_future *tasks[TASKS];
    atomic_bool submitted;
    atomic_int to_complete; /* so many are not yet taken by a completer */
};

struct job {
    struct round *round;
    uint64_t stream;
};

static atomic_uint_fast64_t waits, interrupted, timed_out;

static void
expect(cf_call *call, cf_err err, bool may_time_out)
{
    atomic_fetch_add(&waits, 1);
    if (err == CF_EINTERRUPTED) {
        CHECK(cf_call_canceled(call));
        atomic_fetch_add(&interrupted, 1);
    } else if (err == CF_ETIMEDOUT) {
        CHECK(may_time_out);
        atomic_fetch_add(&timed_out, 1);
    } else {
        CHECK_EQ(err, CF_OK);
    }
}

static int64_t
random_timeout(struct random *r)
{
    return random_percent(r, 50) ? CF_FOREVER : 1 + random_below(r, 200000);
}

static void
wait_for_one(cf_call *call, struct random *r, cf_future *f)
{
    int64_t timeout_ns = random_timeout(r);
    cf_err err = cf_future_wait(f, timeout_ns);
    expect(call, err, timeout_ns != CF_FOREVER);
    CHECK(err || cf_future_done(f));
}

static void
iterate(cf_call *call, struct random *r, struct round *round)
{
    cf_future *some[SOME], *f;
    cf_as_completed *it;
    for (int i = 0; i < SOME; i++)
        some[i] = round->promises[random_below(r, PROMISES)];
    CHECK_EQ(cf_as_completed_create(some, SOME, &it), CF_OK);
    for (cf_err err = CF_OK; !err;) {
        int64_t timeout_ns = random_timeout(r);
        err = cf_as_completed_next(it, timeout_ns, &f);
        if (err == CF_EDONE)
            break;
        expect(call, err, timeout_ns != CF_FOREVER);
        CHECK(err || cf_future_done(f));
    }
    cf_as_completed_destroy(it);
}

static int
nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static void
await_child(cf_call *call, struct random *r, cf_executor *ex)
{
    cf_future *f;
    cf_err err = cf_submit(ex, nothing, NULL, 0, &f);
    if (err == CF_ESHUTDOWN) /* the loop is being destroyed */
        return;
    CHECK_EQ(err, CF_OK);
    wait_for_one(call, r, f);
    cf_future_unref(f);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct random r = random_stream(job.stream);
    for (int step = 0; step < STEPS; step++) {
        switch (random_below(&r, 6)) {
        case 0:
            iterate(call, &r, job.round);
            break;
        case 1:
            expect(call, cf_sleep(call, random_below(&r, 100000)), false);
            break;
        case 2:
            expect(call, cf_yield(call), false);
            break;
        case 3:
            await_child(call, &r, cf_call_executor(call));
            break;
        case 4:
            await_child(call, &r, job.round->pool);
            break;
        default:
            wait_for_one(
                call, &r, job.round->promises[random_below(&r, PROMISES)]);
        }
    }
    return 0;
}

static void
complete(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + index);
    for (int i; (i = atomic_fetch_sub(&round->to_complete, 1)) > 0;) {
        random_delay(&r, 100000);
        CHECK_EQ(cf_future_set_result(round->promises[i - 1], &i, sizeof i),
                 CF_OK);
    }
}

static void
interrupt(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + 50 + index);
    while (!atomic_load(&round->submitted))
        random_delay(&r, 1000);
    for (int i = 0; i < TASKS / 2; i++) {
        random_delay(&r, 50000);
        (void)cf_future_interrupt(round->tasks[random_below(&r, TASKS)]);
    }
}

/* The last two of the crew interrupt. */
static void
act(unsigned index, void *data)
{
    if (index < COMPLETERS)
        complete(index, data);
    else
        interrupt(index, data);
}

static void
run_round(uint64_t number, cf_executor *pool)
{
    struct round round = {.number = number, .pool = pool};
    struct random r = random_stream(number * 100 + 99);
    cf_executor *loop;
    struct crew crew;
    CHECK_EQ(cf_executor_open("loop", &loop), CF_OK);
    for (int i = 0; i < PROMISES; i++)
        CHECK_EQ(cf_future_create(&round.promises[i]), CF_OK);
    atomic_store(&round.to_complete, PROMISES);
    crew_start(&crew, COMPLETERS + 2, act, &round);
    for (int i = 0; i < TASKS; i++) {
        struct job job = {&round, random_next(&r)};
        cf_task task = CF_TASK_INIT;
        task.fn = run;
        task.arg = &job;
        task.arg_size = sizeof job;
        task.timeout_ns =
            random_percent(&r, 20) ? 1 + random_below(&r, 1000000) : 0;
        CHECK_EQ(cf_submit_task(loop, &task, &round.tasks[i]), CF_OK);
    }
    atomic_store(&round.submitted, true);
    if (random_percent(&r, 30))
        random_delay(&r, 1000000);
    else
        CHECK_EQ(
            cf_wait(round.tasks, TASKS, CF_ALL_COMPLETED, CF_FOREVER, NULL),
            CF_OK);
    cf_executor_destroy(loop);
    crew_join(&crew);
    for (int i = 0; i < TASKS; i++) {
        CHECK(cf_future_done(round.tasks[i]));
        cf_future_unref(round.tasks[i]);
    }
    for (int i = 0; i < PROMISES; i++)
        cf_future_unref(round.promises[i]);
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
                      " interrupted, %" PRIuFAST64 " timed out",
                      rounds,
                      atomic_load(&waits),
                      atomic_load(&interrupted),
                      atomic_load(&timed_out));
}
