/* SPDX-License-Identifier: MIT */
/*
 * Deadlines and interrupts against the task's own end. Attacks CF__COMPLETING
 * in lib/future/life.h (either the runner or the timers' thread finishes), the
 * heap of lib/executor/timers.c against tasks that start and end, and the end
 * of an executor while tasks that have outrun their timeout still run.
 *
 * Each task has one outcome that fits what it did; callbacks and arg_free are
 * called once; far deadlines never fire, and passed ones always do.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 300, INTERRUPTERS = 2 };

enum kind {
    WITHOUT,  /* no timeout */
    FAR,      /* an hour: never */
    NEAR,     /* about as long as the task runs */
    UNTIL_END /* runs until it is asked to stop */
};

struct job {
    enum kind kind;
    bool fails; /* if it may end by itself */
    uint64_t stream;
    cf_future *f;
    atomic_int begun, ended, freed, called;
    atomic_bool interrupted; /* it was asked to stop, perhaps too late */
};

struct round {
    uint64_t number;
    struct job jobs[TASKS];
};

static atomic_uint_fast64_t outcomes[CF_ESYS + 1];

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct job *job = (struct job *)(uintptr_t)arg;
    struct random r = random_stream(job->stream);
    CHECK_EQ(atomic_fetch_add(&job->begun, 1), 0);
    if (job->kind == UNTIL_END) {
        while (!cf_call_canceled(call))
            random_delay(&r, 1000);
    } else {
        random_delay(&r, 150000);
    }
    CHECK_EQ(atomic_load(&job->freed), 0);
    /* Short and long results, written while the deadline passes. */
    unsigned char result[64] = {0};
    CHECK_EQ(cf_return(call, result, job->stream % 2 ? 64 : 8), CF_OK);
    atomic_fetch_add(&job->ended, 1);
    if (job->kind == UNTIL_END || job->fails)
        return cf_fail(call, 5, "job %" PRIu64, job->stream);
    return 0;
}

static void
free_arg(void *arg)
{
    struct job *job = arg;
    CHECK_EQ(atomic_fetch_add(&job->freed, 1), 0);
}

static void
done(cf_future *f, void *data)
{
    struct job *job = data;
    CHECK(cf_future_done(f));
    CHECK_EQ(atomic_fetch_add(&job->called, 1), 0);
}

static void
submit_job(cf_executor *ex, struct job *job, struct random *r)
{
    cf_task task = CF_TASK_INIT;
    task.fn = run;
    task.arg = job;
    task.arg_free = free_arg;
    task.priority = (int)random_below(r, 3) - 1;
    task.name = random_percent(r, 50) ? "job" : NULL;
    job->kind = (enum kind)random_below(r, 4);
    job->fails = random_percent(r, 20);
    job->stream = random_next(r);
    if (job->kind == FAR)
        task.timeout_ns = CF_SECONDS(3600);
    else if (job->kind == NEAR || job->kind == UNTIL_END)
        task.timeout_ns = 1 + random_below(r, 150000);
    CHECK_EQ(cf_submit_task(ex, &task, &job->f), CF_OK);
    CHECK_EQ(cf_future_on_done(job->f, done, job), CF_OK);
}

static void
interrupt(unsigned index, void *data)
{
    struct round *round = data;
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    for (int i = 0; i < TASKS; i++) {
        struct job *job = &round->jobs[random_below(&r, TASKS)];
        switch (random_below(&r, 8)) {
        case 0:
            /* Before the call: the task may end as soon as it is asked. */
            atomic_store(&job->interrupted, true);
            (void)cf_future_interrupt(job->f);
            break;
        case 1:
            (void)cf_future_cancel(job->f);
            break;
        default:
            (void)cf_future_wait(job->f, random_below(&r, 100000));
            break;
        }
        stress_alive();
    }
}

static void
check_outcome(struct job *job)
{
    cf_bytes bytes;
    cf_err err = cf_future_result(job->f, 0, &bytes);
    const cf_error *error = cf_future_error(job->f);
    atomic_fetch_add(&outcomes[err], 1);
    switch (err) {
    case CF_OK:
        CHECK(job->kind != UNTIL_END && !job->fails);
        CHECK_EQ(bytes.size, job->stream % 2 ? 64 : 8);
        break;
    case CF_ETASK:
        /* UNTIL_END sees its deadline pass when the future has failed by it;
         * so it can end otherwise only after an interrupt. */
        CHECK(job->kind != UNTIL_END && job->fails);
        CHECK_EQ(error->code, 5);
        CHECK(memcmp(error->message, "job ", 4) == 0);
        break;
    case CF_EDEADLINE:
        CHECK(job->kind == NEAR || job->kind == UNTIL_END);
        CHECK(strstr(error->message, "timeout"));
        break;
    case CF_ECANCELED:
        if (cf_future_state(job->f) == CF_CANCELED) {
            CHECK_EQ(atomic_load(&job->begun), 0);
            CHECK(!error);
        } else {
            CHECK(atomic_load(&job->interrupted));
            CHECK(job->kind == UNTIL_END || job->fails);
        }
        break;
    default:
        FAIL("outcome %s", cf_err_name(err));
    }
}

static void
one_round(struct round *round, uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    memset(round, 0, sizeof *round);
    round->number = number;
    cf_executor *ex = stress_random_pool(&r);
    for (unsigned i = 0; i < TASKS; i++)
        submit_job(ex, &round->jobs[i], &r);
    in_threads(random_below(&r, INTERRUPTERS) + 1, interrupt, round);
    if (random_percent(&r, 50)) {
        /* In pieces, as the whole may take longer than the watchdog. */
        for (unsigned i = 0; i < TASKS; i++) {
            CHECK_EQ(cf_future_wait(round->jobs[i].f, CF_FOREVER), CF_OK);
            stress_alive();
        }
    } else if (random_percent(&r, 50)) {
        CHECK_EQ(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, 0) == CF_EINVAL,
                 0);
    }
    stress_pool_destroy(ex);
    for (unsigned i = 0; i < TASKS; i++) {
        struct job *job = &round->jobs[i];
        CHECK_EQ(atomic_load(&job->called), 1);
        CHECK_EQ(atomic_load(&job->freed), 1);
        CHECK_EQ(atomic_load(&job->begun), atomic_load(&job->ended));
        check_outcome(job);
        cf_future_unref(job->f);
    }
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct round *round = malloc(sizeof *round);
    CHECK(round);
    for (uint64_t number = 1; stress_goes_on(); number++)
        one_round(round, number);
    free(round);
    return stress_end("%llu succeeded, %llu failed, %llu outran their timeout, "
                      "%llu were cancelled or interrupted",
                      (unsigned long long)outcomes[CF_OK],
                      (unsigned long long)outcomes[CF_ETASK],
                      (unsigned long long)outcomes[CF_EDEADLINE],
                      (unsigned long long)outcomes[CF_ECANCELED]);
}
