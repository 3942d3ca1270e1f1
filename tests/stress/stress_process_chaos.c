/* SPDX-License-Identifier: MIT */
/*
 * A process pool whose workers are killed all the time, from outside, by
 * SIGKILL and SIGSEGV, while it runs tasks of all kinds. Each future completes
 * once. No task runs twice. One death costs at most one task, and its error
 * names a process that really was killed. Every result is right. Afterwards the
 * program has as many descriptors as before, and not more memory.
 */
#define _GNU_SOURCE
#include "chaos_tasks.h"
#include "common.h"
#include "hunter.h"

#include <cfutures/process_pool.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/process.h"
#include "tests/support/shared.h"

enum {
    TASKS = 150,             /* per round */
    ROUNDS = 15,             /* per pool */
    RECORDS = 1 << 16,       /* reused after so many tasks */
    PIDS = 1 << 22,          /* the kernel has no larger ones */
    PAYLOAD_MAX = 300 << 10, /* bytes */
    ITEMS = 60,
    BURST_MAX = 8000, /* more than two rings of a lane have */
    GROWTH = 48 << 20 /* bytes of memory that are no leak */
};

static struct hunter *hunter;

static struct {
    unsigned tasks, burst, died, unstarted, ended, late;
} sum;

struct submitted {
    cf_future *f;
    cf_task_fn *fn;
    struct work work;
    atomic_int completions;
};

static void
count_completion(cf_future *f, void *data)
{
    struct submitted *s = data;
    (void)f;
    atomic_fetch_add(&s->completions, 1);
}

static void
submit(cf_executor *ex, struct random *r, struct submitted *s)
{
    static unsigned next_record;
    static unsigned char buffer[sizeof(struct work) + PAYLOAD_MAX];
    static cf_task_fn *const fns[] = {chaos_small, chaos_long, chaos_nested};
    static cf_task_fn *const odd[] = {
        chaos_forks, chaos_forks_barely, chaos_changes_user};
    struct record *record = &chaos_stage.records[next_record++ % RECORDS];
    atomic_store(&record->starts, 0);
    atomic_store(&record->ends, 0);
    unsigned what = random_below(r, 100);
    s->work = (struct work){record, (unsigned)random_next(r), 0};
    s->fn = what < 2    ? chaos_late
            : what < 8  ? odd[random_below(r, 3)]
            : what < 24 ? chaos_payload
                        : fns[random_below(r, 3)];
    if (s->fn == chaos_payload)
        s->work.size = random_below(r, PAYLOAD_MAX >> random_below(r, 18));
    memcpy(buffer, &s->work, sizeof s->work);
    memset(buffer + sizeof s->work, (int)(s->work.seed & 0xff), s->work.size);
    cf_task task = CF_TASK_INIT;
    task.fn = s->fn;
    task.arg = buffer;
    task.arg_size = sizeof s->work + s->work.size;
    task.timeout_ns = s->fn == chaos_late ? CF_MS(4) : 0;
    atomic_store(&s->completions, 0);
    CHECK_EQ(cf_submit_task(ex, &task, &s->f), CF_OK);
    CHECK_EQ(cf_future_on_done(s->f, count_completion, s), CF_OK);
}

/* A task has been lost with its worker. */
static void
check_death(const cf_error *error, bool alone)
{
    CHECK(error != NULL);
    CHECK(error->signal == SIGKILL || error->signal == SIGSEGV);
    if (!hunter_has_killed(hunter, error->pid))
        FAIL("process %d was never killed", (int)error->pid);
    if (alone && hunter_was_blamed(hunter, error->pid))
        FAIL("process %d took two tasks with it", (int)error->pid);
}

static void
check_success(const struct submitted *s, cf_bytes bytes)
{
    CHECK_EQ(atomic_load(&s->work.record->starts), 1);
    CHECK_EQ(atomic_load(&s->work.record->ends), 1);
    if (s->fn == chaos_payload) {
        const unsigned char *p = bytes.data;
        CHECK_EQ(bytes.size, s->work.size);
        for (unsigned i = 0; i < s->work.size; i++)
            CHECK_EQ(p[i], (s->work.seed + 1) & 0xff);
    } else {
        unsigned answer;
        CHECK_EQ(bytes.size, sizeof answer);
        memcpy(&answer, bytes.data, sizeof answer);
        CHECK_EQ(answer, s->work.seed * 2654435761u);
    }
}

static void
check(struct submitted *s)
{
    cf_bytes bytes = {NULL, 0};
    cf_err err = cf_future_result(s->f, CF_FOREVER, &bytes);
    int starts = atomic_load(&s->work.record->starts);
    stress_alive();
    sum.tasks++;
    CHECK(starts <= 1);
    if (err == CF_EDEADLINE) {
        CHECK(s->fn == chaos_late);
        sum.late++;
    } else if (err == CF_EWORKERDIED) {
        check_death(cf_future_error(s->f), true);
        sum.died++;
        sum.unstarted += starts == 0;
        sum.ended += (unsigned)atomic_load(&s->work.record->ends);
    } else {
        if (err != CF_OK)
            FAIL("%s: %s", cf_err_name(err), cf_future_error(s->f)->message);
        CHECK(s->fn != chaos_late);
        check_success(s, bytes);
    }
}

static void
map(cf_executor *ex)
{
    unsigned items[ITEMS];
    cf_results *results = NULL;
    cf_bytes bytes;
    for (unsigned i = 0; i < ITEMS; i++)
        items[i] = i;
    CHECK_EQ(
        cf_map(ex, chaos_item, items, sizeof *items, ITEMS, NULL, &results),
        CF_OK);
    for (unsigned i = 0; i < ITEMS; i++) {
        cf_err err = cf_results_next(results, CF_FOREVER, &bytes);
        CHECK_EQ(cf_results_index(results), i);
        if (err == CF_EWORKERDIED) {
            check_death(cf_results_error(results), false);
            continue;
        }
        CHECK_EQ(err, CF_OK);
        CHECK_EQ(*(const unsigned *)bytes.data, 3 * i);
    }
    CHECK_EQ(cf_results_next(results, CF_FOREVER, &bytes), CF_EDONE);
    cf_results_destroy(results, false);
}

static void
loop(cf_executor *ex)
{
    for (int i = 0; i < ITEMS; i++)
        atomic_store(&chaos_stage.visits[i], 0);
    cf_future *failed = NULL;
    cf_err err = cf_parallel_for(ex, 0, ITEMS, 5, chaos_visit, NULL, &failed);
    if (err == CF_EWORKERDIED) {
        check_death(cf_future_error(failed), false);
        cf_future_unref(failed);
    } else {
        CHECK_EQ(err, CF_OK);
    }
    for (int i = 0; i < ITEMS; i++) {
        int visits = atomic_load(&chaos_stage.visits[i]);
        CHECK(visits == 1 || (visits == 0 && err != CF_OK));
    }
}

/* So many empty tasks that a death finds many of them in a lane, begun and not
 * begun. */
static void
burst(cf_executor *ex, unsigned count)
{
    static cf_future *fs[BURST_MAX];
    for (unsigned i = 0; i < count; i++) {
        atomic_int *visits = &chaos_stage.bursts[i];
        atomic_store(visits, 0);
        CHECK_EQ(cf_submit(ex, chaos_empty, &visits, sizeof visits, &fs[i]),
                 CF_OK);
    }
    for (unsigned i = 0; i < count; i++) {
        cf_err err = cf_future_result(fs[i], CF_FOREVER, NULL);
        int visits = atomic_load(&chaos_stage.bursts[i]);
        if (err == CF_EWORKERDIED) {
            check_death(cf_future_error(fs[i]), true);
            CHECK(visits <= 1);
        } else {
            CHECK_EQ(err, CF_OK);
            CHECK_EQ(visits, 1);
        }
        cf_future_unref(fs[i]);
        stress_alive();
    }
    sum.burst += count;
}

static void
run_round(cf_executor *ex, struct random *r)
{
    static struct submitted all[TASKS];
    hunter_begin_round(hunter);
    for (int i = 0; i < TASKS; i++)
        submit(ex, r, &all[i]);
    if (random_percent(r, 30))
        map(ex);
    if (random_percent(r, 30))
        loop(ex);
    if (random_percent(r, 20))
        burst(ex, 1 + random_below(r, BURST_MAX));
    for (int i = 0; i < TASKS; i++)
        check(&all[i]);
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    for (int i = 0; i < TASKS; i++) {
        while (atomic_load(&all[i].completions) == 0)
            sched_yield(); /* its callback is still to come */
        CHECK_EQ(atomic_load(&all[i].completions), 1);
        cf_future_unref(all[i].f);
    }
}

static void
use_a_pool(struct random *r)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    options.max_workers = 1 + (int)random_below(r, STRESS_WORKERS_MAX);
    options.name_prefix = hunter->prefix;
    options.kill_grace_ns = CF_MS(20);
    options.max_tasks_per_worker =
        random_percent(r, 30) ? 1 + random_below(r, 50) : 0;
    CHECK_EQ(cf_process_pool_create(&options, &ex), CF_OK);
    stress_show(ex);
    for (int i = 0; i < STRESS_WORKERS_MAX; i++)
        atomic_store(&chaos_stage.pids[i], 0);
    hunter_set(hunter, true);
    for (int i = 0; i < ROUNDS && stress_goes_on(); i++)
        run_round(ex, r);
    if (random_percent(r, 50)) /* the end too is hunted */
        hunter_set(hunter, false);
    stress_pool_destroy(ex);
    hunter_set(hunter, false);
    (void)process_await_found(hunter->prefix, 0);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN) /* fork in a program with threads: not its thing */
        return STRESS_SKIPPED;
    stress_begin(argc, argv);
    chaos_stage.records = shared_new(RECORDS * sizeof *chaos_stage.records);
    chaos_stage.pids =
        shared_new(STRESS_WORKERS_MAX * sizeof *chaos_stage.pids);
    chaos_stage.visits = shared_new(ITEMS * sizeof *chaos_stage.visits);
    chaos_stage.bursts = shared_new(BURST_MAX * sizeof *chaos_stage.bursts);
    struct random r = random_stream(0);
    hunter = hunter_start(chaos_stage.pids, STRESS_WORKERS_MAX);
    use_a_pool(&r);
    int fds = process_fds();
    size_t resident = process_resident();
    for (int pools = 1; stress_goes_on(); pools++) {
        use_a_pool(&r);
        CHECK_EQ(process_fds(), fds);
        if (pools == 10)
            resident = process_resident();
    }
    size_t now = process_resident();
    if (now > resident + GROWTH)
        FAIL("%zu bytes of memory, %zu before", now, resident);
    unsigned kills = hunter_stop(hunter);
    return stress_end("%u tasks, %u in bursts, %u kills; %u tasks died (%u not "
                      "begun, %u at their end), %u were late",
                      sum.tasks,
                      sum.burst,
                      kills,
                      sum.died,
                      sum.unstarted,
                      sum.ended,
                      sum.late);
}
