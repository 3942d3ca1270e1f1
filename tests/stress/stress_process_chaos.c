/* SPDX-License-Identifier: MIT */
/*
 * A process pool whose workers are killed all the time, from outside, by
 * SIGKILL and SIGSEGV, while it runs tasks of all kinds. Each future completes
 * once; no task runs twice; one death costs at most one task, whose error names
 * a process that really was killed; what has succeeded is right. Afterwards the
 * program has as many descriptors as before, and not more memory.
 */
#define _GNU_SOURCE
#include "common.h"
#include "hunter.h"

#include <cfutures/process_pool.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/shared.h"

enum {
    TASKS = 150,             /* per round */
    ROUNDS = 15,             /* per pool */
    RECORDS = 1 << 16,       /* reused after so many tasks */
    PIDS = 1 << 22,          /* the kernel has no larger ones */
    PAYLOAD_MAX = 300 << 10, /* bytes */
    ITEMS = 60,
    GROWTH = 48 << 20 /* bytes of memory that nobody minds */
};

/* What a task leaves behind. */
struct record {
    atomic_int starts;
    atomic_int ends;
};

/* Shared with the workers. */
static struct {
    struct record *records;
    atomic_int *pids; /* of worker i, as its last task saw it */
    atomic_int *visits;
} stage;

static struct hunter *hunter;

static struct {
    unsigned tasks, died, unstarted, ended, late;
} sum;

/* --- tasks ---------------------------------------------------------------- */

struct work {
    struct record *record;
    unsigned seed;
    unsigned size; /* bytes that follow */
};

static void
begin(cf_call *call, struct record *record)
{
    atomic_store(&stage.pids[cf_call_worker(call)], (int)getpid());
    atomic_fetch_add(&record->starts, 1);
}

static int
end(cf_call *call, const struct work *w)
{
    unsigned answer = w->seed * 2654435761u;
    if (cf_return(call, &answer, sizeof answer) != CF_OK)
        return cf_fail(call, 1, "no room for the answer");
    atomic_fetch_add(&w->record->ends, 1);
    return 0;
}

static int
task_small(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    return end(call, &w);
}

/* As long as it takes to be killed now and then. */
static int
task_long(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    struct random r = {w.seed};
    random_delay(&r, 3000000);
    return end(call, &w);
}

static int
task_payload(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    const unsigned char *from = (const unsigned char *)arg + sizeof w;
    if (arg_size != sizeof w + w.size)
        return cf_fail(call, 2, "%zu bytes", arg_size);
    unsigned char *to = cf_return_buffer(call, w.size);
    if (to == NULL)
        return cf_fail(call, 3, "no room for %u bytes", w.size);
    for (unsigned i = 0; i < w.size; i++)
        to[i] = (unsigned char)(from[i] + 1);
    atomic_fetch_add(&w.record->ends, 1);
    return 0;
}

/* Forks: the child comes back as its parent does. */
static int
task_forks(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    pid_t child = fork();
    if (child == 0) {
        unsigned wrong = w.seed;
        return cf_return(call, &wrong, sizeof wrong) != CF_OK;
    }
    if (child > 0 && w.seed % 2)
        (void)waitpid(child, NULL, 0);
    return end(call, &w);
}

/* Forks by a bare system call. */
static int
task_forks_barely(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
        return cf_fail(call, 5, "a child");
    return end(call, &w);
}

/* Takes away its death signal, if it may change its user. */
static int
task_changes_user(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (geteuid() == 0)
        (void)(setresgid(1000, 1000, 0) == 0 && setresuid(1000, 1000, 0) == 0 &&
               setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0);
    return end(call, &w);
}

static int
task_inner(cf_call *call, const void *arg, size_t arg_size)
{
    return cf_return(call, arg, arg_size) != CF_OK;
}

static int
task_nested(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    for (unsigned i = 0; i < 3; i++) {
        cf_future *f = NULL;
        cf_bytes bytes;
        if (cf_submit(cf_call_executor(call), task_inner, &w, sizeof w, &f) ||
            cf_future_result(f, CF_FOREVER, &bytes) != CF_OK ||
            bytes.size != sizeof w || memcmp(bytes.data, &w, sizeof w) != 0)
            return cf_fail(call, 4, "inside");
        cf_future_unref(f);
    }
    return end(call, &w);
}

/* Runs, or is stopped, until it is killed for it. */
static int
task_late(cf_call *call, const void *arg, size_t arg_size)
{
    struct work w;
    (void)arg_size;
    memcpy(&w, arg, sizeof w);
    begin(call, w.record);
    if (w.seed % 3 == 0)
        (void)raise(SIGSTOP);
    for (volatile bool endless = true; endless;)
        continue;
    return 0;
}

static int
task_item(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned n;
    (void)arg_size;
    memcpy(&n, arg, sizeof n);
    n *= 3;
    return cf_return(call, &n, sizeof n) != CF_OK;
}

static int
visit(cf_call *call, size_t first, size_t last, void *data)
{
    (void)call;
    (void)data;
    for (size_t i = first; i < last; i++)
        atomic_fetch_add(&stage.visits[i], 1);
    return 0;
}

/* --- the program ------------------------------------------------------------- */

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
    static cf_task_fn *const fns[] = {task_small, task_long, task_nested};
    static cf_task_fn *const odd[] = {
        task_forks, task_forks_barely, task_changes_user};
    struct record *record = &stage.records[next_record++ % RECORDS];
    atomic_store(&record->starts, 0);
    atomic_store(&record->ends, 0);
    unsigned what = random_below(r, 100);
    s->work = (struct work){record, (unsigned)random_next(r), 0};
    s->fn = what < 2    ? task_late
            : what < 8  ? odd[random_below(r, 3)]
            : what < 24 ? task_payload
                        : fns[random_below(r, 3)];
    if (s->fn == task_payload)
        s->work.size = random_below(r, PAYLOAD_MAX >> random_below(r, 18));
    memcpy(buffer, &s->work, sizeof s->work);
    memset(buffer + sizeof s->work, (int)(s->work.seed & 0xff), s->work.size);
    cf_task task = CF_TASK_INIT;
    task.fn = s->fn;
    task.arg = buffer;
    task.arg_size = sizeof s->work + s->work.size;
    task.timeout_ns = s->fn == task_late ? CF_MS(4) : 0;
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
    if (s->fn == task_payload) {
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
        CHECK(s->fn == task_late);
        sum.late++;
    } else if (err == CF_EWORKERDIED) {
        check_death(cf_future_error(s->f), true);
        sum.died++;
        sum.unstarted += starts == 0;
        sum.ended += (unsigned)atomic_load(&s->work.record->ends);
    } else {
        if (err != CF_OK)
            FAIL("%s: %s", cf_err_name(err), cf_future_error(s->f)->message);
        CHECK(s->fn != task_late);
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
    CHECK_EQ(cf_map(ex, task_item, items, sizeof *items, ITEMS, NULL, &results),
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
        atomic_store(&stage.visits[i], 0);
    cf_future *failed = NULL;
    cf_err err = cf_parallel_for(ex, 0, ITEMS, 5, visit, NULL, &failed);
    if (err == CF_EWORKERDIED) {
        check_death(cf_future_error(failed), false);
        cf_future_unref(failed);
    } else {
        CHECK_EQ(err, CF_OK);
    }
    for (int i = 0; i < ITEMS; i++) {
        int visits = atomic_load(&stage.visits[i]);
        CHECK(visits == 1 || (visits == 0 && err != CF_OK));
    }
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
        atomic_store(&stage.pids[i], 0);
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
    stage.records = shared_new(RECORDS * sizeof *stage.records);
    stage.pids = shared_new(STRESS_WORKERS_MAX * sizeof *stage.pids);
    stage.visits = shared_new(ITEMS * sizeof *stage.visits);
    struct random r = random_stream(0);
    hunter = hunter_start(stage.pids, STRESS_WORKERS_MAX);
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
    return stress_end("%u tasks, %u kills; %u tasks died (%u not begun, %u at "
                      "their end), %u were late",
                      sum.tasks,
                      kills,
                      sum.died,
                      sum.unstarted,
                      sum.ended,
                      sum.late);
}
