/* SPDX-License-Identifier: MIT */
/*
 * Groups whose children fail, submit siblings, cancel the group and are
 * cancelled, while threads submit, wait, cancel and destroy. Attacks
 * lib/many/group*.c: a child that is told twice or never, one that is freed
 * while its submit returns, a turn that is lost.
 *
 * Each child runs at most once, none runs after the group's end, and what a
 * wait returns fits how the children ended.
 */
#include "common.h"

#include <inttypes.h>
#include <string.h>

enum { SUBMITTERS = 2, CHILDREN = 40, DEPTH = 3 };

struct round {
    cf_group *group;
    atomic_int begun, ended, inside, failed, submitted;
    size_t max_running;
    bool may_fail, may_cancel;
    atomic_bool canceled;
    atomic_bool over; /* the group has ended */
};

struct job {
    struct round *round;
    uint64_t stream;
    int depth;
};

static atomic_uint_fast64_t children, failures, refusals;

static int child(cf_call *call, const void *arg, size_t arg_size);

static void
submit_one(struct round *round, struct random *r, int depth)
{
    struct job job = {round, random_next(r), depth};
    cf_future *f = NULL;
    bool keep = random_percent(r, 40);
    atomic_fetch_add(&round->submitted, 1);
    cf_err err = cf_group_submit(
        round->group, child, &job, sizeof job, keep ? &f : NULL);
    if (err) {
        CHECK_EQ(err, CF_ECANCELED);
        CHECK(round->may_fail || atomic_load(&round->canceled));
        atomic_fetch_sub(&round->submitted, 1);
        atomic_fetch_add(&refusals, 1);
        CHECK(f == NULL);
        return;
    }
    CHECK(keep == (f != NULL));
    if (f && random_percent(r, 10))
        (void)cf_future_cancel(f);
    else if (f && random_percent(r, 10))
        (void)cf_future_interrupt(f);
    cf_future_unref(f);
}

static void
maybe_cancel(struct round *round, struct random *r)
{
    if (!round->may_cancel || !random_percent(r, 3))
        return;
    atomic_store(&round->canceled, true);
    cf_group_cancel(round->group);
}

static int
child(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct round *round = job.round;
    struct random r = random_stream(job.stream);
    CHECK(!atomic_load(&round->over));
    atomic_fetch_add(&round->begun, 1);
    if (random_percent(&r, 50))
        random_delay(&r, 20000);
    if (random_percent(&r, 20))
        (void)cf_sleep(call, random_below(&r, 50000));
    if (job.depth > 0 && random_percent(&r, 50))
        submit_one(round, &r, job.depth - 1);
    maybe_cancel(round, &r);
    int rc = round->may_fail && random_percent(&r, 5)
                 ? cf_fail(call, 1, "by chance")
                 : 0;
    if (rc)
        atomic_fetch_add(&round->failed, 1);
    CHECK(!atomic_load(&round->over));
    atomic_fetch_add(&round->ended, 1);
    return rc;
}

static void
act(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream((uint64_t)(uintptr_t)round + index);
    for (int i = 0; i < CHILDREN; i++) {
        submit_one(round, &r, DEPTH);
        if (random_percent(&r, 10)) {
            cf_err err = cf_group_wait(round->group, random_below(&r, 100000));
            CHECK(err == CF_OK || err == CF_ETIMEDOUT ||
                  (err == CF_ETASK && round->may_fail) ||
                  (err == CF_ECANCELED && atomic_load(&round->canceled)));
        }
        maybe_cancel(round, &r);
    }
}

static void
run_round(cf_executor *ex, struct random *r)
{
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    struct round round = {.max_running = random_below(r, 4)};
    round.may_fail = random_percent(r, 40);
    round.may_cancel = random_percent(r, 30);
    options.max_running = round.max_running;
    if (random_percent(r, 30))
        options.on_error = CF_ON_ERROR_KEEP_GOING;
    CHECK_EQ(cf_group_create(ex, &options, &round.group), CF_OK);
    in_threads(SUBMITTERS, act, &round);
    if (random_percent(r, 70)) {
        cf_err err = cf_group_wait(round.group, CF_FOREVER);
        CHECK_EQ(atomic_load(&round.begun), atomic_load(&round.ended));
        CHECK((err == CF_ETASK) == (cf_group_error(round.group) != NULL));
        CHECK(err != CF_ECANCELED || atomic_load(&round.canceled));
        /* One that fails after it was told to stop has not failed. */
        CHECK(err != CF_ETASK || atomic_load(&round.failed) > 0);
    }
    atomic_store(&round.canceled, true); /* by this: */
    cf_group_destroy(round.group);
    atomic_store(&round.over, true);
    CHECK_EQ(atomic_load(&round.begun), atomic_load(&round.ended));
    CHECK(atomic_load(&round.begun) <= atomic_load(&round.submitted));
    atomic_fetch_add(&children, (uint64_t)atomic_load(&round.begun));
    atomic_fetch_add(&failures, (uint64_t)atomic_load(&round.failed));
}

int
main(int argc, char **argv)
{
    static const char *const specs[] = {"threads:3", "loop", "inline"};
    enum { SPECS = sizeof specs / sizeof *specs };
    cf_executor *executors[SPECS];
    stress_begin(argc, argv);
    for (int i = 0; i < SPECS; i++) {
        CHECK_EQ(cf_executor_open(specs[i], &executors[i]), CF_OK);
        stress_show(executors[i]);
    }
    struct random r = random_stream(1);
    uint64_t rounds = 0;
    while (stress_goes_on()) {
        run_round(executors[rounds++ % SPECS], &r);
        stress_alive();
    }
    for (int i = 0; i < SPECS; i++) {
        cf_stats stats;
        CHECK_EQ(cf_executor_wait_idle(executors[i], CF_FOREVER), CF_OK);
        CHECK_EQ(cf_executor_stats(executors[i], &stats), CF_OK);
        CHECK_EQ(stats.queued, 0);
        stress_pool_destroy(executors[i]);
    }
    return stress_end("%" PRIu64 " groups, %" PRIuFAST64
                      " children, %" PRIuFAST64 " failed, %" PRIuFAST64
                      " refused",
                      rounds,
                      atomic_load(&children),
                      atomic_load(&failures),
                      atomic_load(&refusals));
}
