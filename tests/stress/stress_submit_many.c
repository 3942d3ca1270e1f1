/* SPDX-License-Identifier: MIT */
/*
 * Batches that come in pieces (cf_submit_many()), beside single submits and
 * cancels, while the pool is shut down, terminated or destroyed, or has no
 * thread any more because it was idle. Attacks lib/executor/batch.c (an end
 * against a batch under way), submit_many.c, and what reserves memory for them.
 *
 * All tasks of a batch that was accepted run once, or are cancelled if that was
 * asked for; none of one that was refused. With one worker they start in their
 * order.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUBMITTERS = 3,
    BATCHES = 4,
    TASKS_MAX = 20000,
    DESTROYS = 20,
    IDLE_NS = 20000
};

/* How a round ends. */
enum end { AT_REST, SHUTDOWN, CANCEL, TERMINATE, DESTROY, ENDS };

static atomic_uint_fast64_t accepted_ever, refused_ever, in_between_ever;

struct batch {
    struct round *round;
    size_t count;
    size_t next;         /* the task that starts next, if they are in order */
    atomic_size_t begun; /* tasks */
    bool accepted;
    cf_future *futures[TASKS_MAX];
    atomic_uchar ran[TASKS_MAX];
    bool canceled[TASKS_MAX]; /* by its submitter */
};

struct round {
    cf_executor *ex;
    uint64_t stream;
    bool in_order; /* one worker */
    atomic_bool ending, ended;
    atomic_size_t begun; /* tasks of batches */
    struct batch batches[SUBMITTERS][BATCHES];
};

struct job {
    struct batch *batch;
    size_t index;
};

static int
run_job(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    (void)call;
    CHECK_EQ(arg_size, sizeof job);
    memcpy(&job, arg, sizeof job);
    struct batch *batch = job.batch;
    CHECK(job.index < batch->count);
    CHECK_EQ(atomic_fetch_add(&batch->ran[job.index], 1), 0);
    if (batch->round->in_order) {
        CHECK(job.index >= batch->next); /* some may be cancelled */
        batch->next = job.index + 1;
    }
    atomic_fetch_add(&batch->begun, 1);
    atomic_fetch_add(&batch->round->begun, 1);
    return 0;
}

static int
run_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call, (void)arg, (void)arg_size;
    return 0;
}

static void
cancel_some(struct batch *batch, struct random *r)
{
    for (size_t i = random_below(r, 100); i < batch->count;
         i += 1 + random_below(r, 100)) {
        batch->canceled[i] = cf_future_cancel(batch->futures[i]);
        if (batch->canceled[i])
            CHECK_EQ(cf_future_state(batch->futures[i]), CF_CANCELED);
    }
}

/* Of at least so many tasks. */
static void
submit_batch(struct round *round,
             struct batch *batch,
             unsigned least,
             struct random *r)
{
    static _Thread_local struct job jobs[TASKS_MAX];
    batch->round = round;
    unsigned most = random_percent(r, 50) ? TASKS_MAX : 200;
    batch->count = least + random_below(r, most - least + 1);
    for (size_t i = 0; i < batch->count; i++)
        jobs[i] = (struct job){batch, i};
    memset(batch->futures, 0xff, sizeof batch->futures);
    cf_err err = cf_submit_many(
        round->ex, run_job, jobs, sizeof *jobs, batch->count, batch->futures);
    batch->accepted = err == CF_OK;
    if (err) {
        CHECK_EQ(err, CF_ESHUTDOWN);
        CHECK(atomic_load(&round->ending));
        for (size_t i = 0; i < batch->count; i++)
            CHECK(!batch->futures[i]);
    }
    stress_alive();
}

static void
submit_all(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->stream + index);
    for (int i = 0; i < BATCHES; i++) {
        struct batch *batch = &round->batches[index][i];
        submit_batch(round, batch, 1, &r);
        if (batch->accepted && random_percent(&r, 30))
            cancel_some(batch, &r);
        for (unsigned n = random_below(&r, 20); n > 0; n--) {
            cf_err err = cf_submit(round->ex, run_nothing, NULL, 0, NULL);
            CHECK(err == CF_OK || atomic_load(&round->ending));
        }
        random_delay(&r, 3 * IDLE_NS); /* workers leave meanwhile */
    }
}

/* --- how it ends ---------------------------------------------------------- */

static void
end_with(struct round *round, enum end end)
{
    cf_executor *ex = round->ex;
    atomic_store(&round->ending, true);
    switch (end) {
    case SHUTDOWN:
        CHECK_EQ(cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0), CF_OK);
        break;
    case CANCEL:
        CHECK_EQ(cf_executor_shutdown(ex, CF_SHUTDOWN_CANCEL, CF_FOREVER),
                 CF_OK);
        break;
    case TERMINATE:
        CHECK_EQ(cf_executor_terminate(ex, 15), CF_OK);
        break;
    default:
        break;
    }
}

/* All tasks of the batch are done, in the way that the end allows. */
static void
check_batch(struct batch *batch, enum end end)
{
    size_t ran = 0;
    bool all = end == AT_REST || end == SHUTDOWN || end == DESTROY;
    for (size_t i = 0; i < batch->count; i++) {
        int times = atomic_load(&batch->ran[i]);
        ran += (size_t)times;
        if (!batch->accepted)
            continue;
        cf_state state = cf_future_state(batch->futures[i]);
        if (batch->canceled[i])
            CHECK_EQ(times, 0);
        else if (all)
            CHECK_EQ(times, 1);
        CHECK_EQ(state, times ? CF_FINISHED : CF_CANCELED);
        cf_future_unref(batch->futures[i]);
    }
    CHECK_EQ(ran, atomic_load(&batch->begun));
    CHECK(batch->accepted || ran == 0);
    atomic_fetch_add(batch->accepted ? &accepted_ever : &refused_ever, 1);
}

static cf_executor *
pool_of(int workers)
{
    cf_executor *ex;
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = workers;
    options.idle_timeout_ns = IDLE_NS;
    CHECK_EQ(cf_thread_pool_create(&options, &ex), CF_OK);
    return ex;
}

/* Several submitters; the pool ends while they are at it. */
static void
one_round(struct round *round, enum end end, struct random *r)
{
    struct crew crew;
    int workers = 1 + (int)random_below(r, STRESS_WORKERS_MAX);
    memset(round, 0, sizeof *round);
    round->stream = random_next(r);
    round->ex = pool_of(workers);
    round->in_order = workers == 1;
    stress_show(round->ex);
    crew_start(&crew, SUBMITTERS, submit_all, round);
    size_t until = random_below(r, SUBMITTERS * BATCHES * TASKS_MAX / 8);
    int64_t give_up = stress_now_ns() + 2000000;
    while (atomic_load(&round->begun) < until && stress_now_ns() < give_up)
        random_delay(r, 10000);
    end_with(round, end);
    crew_join(&crew);
    if (random_percent(r, 50))
        CHECK_EQ(cf_executor_wait_idle(round->ex, CF_FOREVER), CF_OK);
    stress_show(NULL);
    cf_executor_destroy(round->ex);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int n = 0; n < BATCHES; n++)
            check_batch(&round->batches[i][n], end);
}

/* One batch. When its first task has begun, this thread destroys the pool:
 * the submitter may be in the middle of it. */
static void
submit_once(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->stream);
    (void)index;
    /* So it comes in pieces, and the destroy waits for the last one. */
    submit_batch(round, &round->batches[0][0], 100, &r);
    if (!atomic_load(&round->ended))
        atomic_fetch_add(&in_between_ever, 1);
}

static void
destroy_in_between(struct round *round, struct random *r)
{
    struct crew crew;
    struct batch *batch = &round->batches[0][0];
    memset(batch, 0, sizeof *batch);
    atomic_store(&round->begun, 0);
    atomic_store(&round->ended, false);
    round->in_order = false;
    round->stream = random_next(r);
    round->ex = pool_of(2);
    CHECK_EQ(cf_submit(round->ex, run_nothing, NULL, 0, NULL), CF_OK);
    crew_start(&crew, 1, submit_once, round);
    while (atomic_load(&round->begun) == 0)
        random_delay(r, 100);
    if (random_percent(r, 50)) {
        CHECK_EQ(cf_executor_wait_idle(round->ex, CF_FOREVER), CF_OK);
        CHECK_EQ(atomic_load(&batch->begun), batch->count);
    }
    cf_executor_destroy(round->ex);
    atomic_store(&round->ended, true);
    crew_join(&crew);
    check_batch(batch, DESTROY);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct round *round = calloc(1, sizeof *round);
    CHECK(round);
    for (uint64_t number = 1; stress_goes_on(); number++) {
        struct random r = random_stream(number);
        enum end end = (enum end)random_below(&r, ENDS);
        for (int i = 0; end == DESTROY && i < DESTROYS; i++)
            destroy_in_between(round, &r);
        if (end != DESTROY)
            one_round(round, end, &r);
    }
    free(round);
    return stress_end("%llu batches were accepted, %llu refused, %llu were "
                      "submitted before the pool was destroyed",
                      (unsigned long long)accepted_ever,
                      (unsigned long long)refused_ever,
                      (unsigned long long)in_between_ever);
}
