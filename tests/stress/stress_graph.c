/* SPDX-License-Identifier: MIT */
/*
 * Graphs of tasks on several executors, whose inputs are completed, cancelled
 * and fail in other threads, and one of whose pools is destroyed meanwhile.
 * Attacks lib/executor/deferred.c and settle.c: a task that is queued twice or
 * never, before an input is done or before its time, or in a pool that has
 * gone.
 *
 * Each task runs at most once; what it finds and how its future ends fits how
 * its inputs ended.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 150, INPUTS = 5, THREADS = 2, EXECUTORS = 4, SHORT = 3 };

struct node {
    cf_future *f;
    int executor; /* -1: it is a promise */
    unsigned count;
    int inputs[INPUTS]; /* older nodes */
    bool anyway, fails;
    int64_t not_before;
    int waits_for; /* in the task, an older node; -1: none */
    atomic_int ran, freed;
    atomic_bool canceled; /* a thread has tried to */
};

struct round {
    cf_executor *executors[EXECUTORS];
    struct node nodes[NODES];
    atomic_int made; /* nodes that are there */
};

struct job {
    struct round *round;
    int index;
};

static atomic_uint_fast64_t ran, skipped, canceled, refused;

/* --- the tasks ------------------------------------------------------------ */

static void
check_inputs(const struct round *round, const struct node *node)
{
    for (unsigned i = 0; i < node->count; i++) {
        cf_future *f = round->nodes[node->inputs[i]].f;
        CHECK(cf_future_done(f));
        CHECK(node->anyway || cf_future_result(f, 0, NULL) == CF_OK);
    }
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    const struct job *job = arg;
    struct round *round = job->round;
    struct node *node = &round->nodes[job->index];
    (void)arg_size;
    CHECK_EQ(atomic_fetch_add(&node->ran, 1), 0);
    CHECK(atomic_load(&node->freed) == 0);
    CHECK(stress_now_ns() >= node->not_before);
    check_inputs(round, node);
    if (node->waits_for >= 0) {
        cf_future *f = round->nodes[node->waits_for].f;
        cf_err err = cf_future_wait(f, CF_FOREVER);
        CHECK(err == CF_OK ||
              (err == CF_EINTERRUPTED && atomic_load(&node->canceled)));
    }
    return node->fails ? cf_fail(call, job->index, "by chance") : 0;
}

static void
free_job(void *arg)
{
    struct job *job = arg;
    CHECK_EQ(atomic_fetch_add(&job->round->nodes[job->index].freed, 1), 0);
    free(job);
}

/* --- the graph ------------------------------------------------------------ */

/* Only a pool's tasks wait, and for tasks of that pool: waits that cross two
 * pools may end nowhere. */
static int
choose_awaited(const struct round *round, int index, struct random *r)
{
    if (round->nodes[index].executor != 0 || !random_percent(r, 30))
        return -1;
    int older = index ? (int)random_below(r, (unsigned)index) : 0;
    return index && round->nodes[older].executor == 0 ? older : -1;
}

static void
submit_node(struct round *round, int index, struct random *r)
{
    struct node *node = &round->nodes[index];
    cf_future *inputs[INPUTS];
    struct job *job = malloc(sizeof *job);
    CHECK(job != NULL);
    *job = (struct job){round, index};
    cf_task task = CF_TASK(.fn = run, .arg = job, .arg_free = free_job);
    if (random_percent(r, 20))
        task.delay_ns = random_below(r, 300000);
    if (random_percent(r, 10))
        task.timeout_ns = CF_SECONDS(100);
    if (random_percent(r, 10))
        task.priority = (int)random_below(r, 3);
    if (node->anyway)
        task.flags = CF_WHEN_ANYWAY;
    for (unsigned i = 0; i < node->count; i++)
        inputs[i] = round->nodes[node->inputs[i]].f;
    node->not_before = task.delay_ns ? stress_now_ns() + task.delay_ns : 0;
    CHECK_EQ(cf_submit_when(round->executors[node->executor],
                            &task,
                            inputs,
                            node->count,
                            &node->f),
             CF_OK);
}

static void
make_node(struct round *round, int index, struct random *r)
{
    struct node *node = &round->nodes[index];
    memset(node, 0, sizeof *node);
    node->executor = random_percent(r, 20) ? -1 : (int)random_below(r, 4);
    node->anyway = random_percent(r, 40);
    node->fails = random_percent(r, 6);
    if (index)
        node->count = random_below(r, INPUTS + 1);
    for (unsigned i = 0; i < node->count; i++)
        node->inputs[i] = (int)random_below(r, (unsigned)index);
    node->waits_for = choose_awaited(round, index, r);
    if (node->executor < 0) {
        node->count = 0;
        CHECK_EQ(cf_future_create(&node->f), CF_OK);
    } else {
        submit_node(round, index, r);
    }
    atomic_store(&round->made, index + 1);
}

/* --- the threads ---------------------------------------------------------- */

static void
complete(struct node *node)
{
    cf_error error = CF_ERROR_INIT;
    cf_err err = node->fails ? cf_future_set_error(node->f, &error)
                             : cf_future_set_result(node->f, NULL, 0);
    CHECK(err == CF_OK || err == CF_ESTATE);
}

/* Completes promises, and cancels tasks now and then. */
static void
act(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream((uint64_t)(uintptr_t)round + index);
    for (int i = 0; i < NODES; i++) {
        while (atomic_load(&round->made) <= i)
            cf_yield(NULL);
        struct node *node = &round->nodes[i];
        if (node->executor < 0) {
            if (random_percent(&r, 50))
                random_delay(&r, 20000);
            complete(node);
        } else if (random_percent(&r, 4)) {
            atomic_store(&node->canceled, true);
            (void)(random_percent(&r, 50) ? cf_future_cancel(node->f)
                                          : cf_future_interrupt(node->f));
        }
    }
}

/* --- checking ------------------------------------------------------------- */

/* An input that is a reason not to run. */
static bool
has_failed_input(const struct round *round, const struct node *node)
{
    for (unsigned i = 0; i < node->count && !node->anyway; i++)
        if (cf_future_result(round->nodes[node->inputs[i]].f, 0, NULL))
            return true;
    return false;
}

static void
check_node(const struct round *round, const struct node *node)
{
    const bool may_end = node->executor == SHORT;
    cf_err err = cf_future_result(node->f, 0, NULL);
    bool has_run = atomic_load(&node->ran);
    stress_alive();
    if (node->executor < 0)
        return;
    while (!atomic_load(&node->freed)) /* a canceller is not through */
        cf_yield(NULL);
    if (has_run) {
        CHECK(!has_failed_input(round, node));
        CHECK(!node->fails == (err == CF_OK));
        atomic_fetch_add(&ran, 1);
    } else if (cf_future_state(node->f) == CF_CANCELED) {
        CHECK(atomic_load(&node->canceled));
        atomic_fetch_add(&canceled, 1);
    } else if (err == CF_ESHUTDOWN && may_end) {
        atomic_fetch_add(&refused, 1);
    } else {
        CHECK(err != CF_OK && has_failed_input(round, node));
        CHECK(strncmp(cf_future_message(node->f), "not run", 7) == 0);
        atomic_fetch_add(&skipped, 1);
    }
}

static void
run_round(cf_executor **executors, struct random *r)
{
    static struct round round;
    struct crew crew;
    memset(&round, 0, sizeof round);
    for (int i = 0; i < SHORT; i++)
        round.executors[i] = executors[i];
    round.executors[SHORT] = stress_pool(1 + (int)random_below(r, 2));
    crew_start(&crew, THREADS, act, &round);
    for (int i = 0; i < NODES; i++)
        make_node(&round, i, r);
    const bool early = random_percent(r, 50);
    if (early)
        stress_pool_destroy(round.executors[SHORT]);
    crew_join(&crew);
    for (int i = 0; i < NODES; i++)
        CHECK_EQ(cf_future_wait(round.nodes[i].f, CF_FOREVER), CF_OK);
    for (int i = 0; i < NODES; i++)
        check_node(&round, &round.nodes[i]);
    if (!early)
        stress_pool_destroy(round.executors[SHORT]);
    for (int i = 0; i < NODES; i++)
        cf_future_unref(round.nodes[i].f);
}

int
main(int argc, char **argv)
{
    static const char *const specs[SHORT] = {"threads:2", "loop", "inline"};
    cf_executor *executors[SHORT];
    stress_begin(argc, argv);
    for (int i = 0; i < SHORT; i++)
        CHECK_EQ(cf_executor_open(specs[i], &executors[i]), CF_OK);
    struct random r = random_stream(0);
    unsigned rounds = 0;
    while (stress_goes_on()) {
        run_round(executors, &r);
        rounds++;
    }
    for (int i = 0; i < SHORT; i++)
        cf_executor_destroy(executors[i]);
    CHECK(atomic_load(&ran) > 0);
    return stress_end("%u graphs: %" PRIu64 " tasks ran, %" PRIu64
                      " were skipped, %" PRIu64 " cancelled, %" PRIu64
                      " refused",
                      rounds,
                      (uint64_t)ran,
                      (uint64_t)skipped,
                      (uint64_t)canceled,
                      (uint64_t)refused);
}
