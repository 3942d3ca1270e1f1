/* SPDX-License-Identifier: MIT */
/*
 * Scopes and shields in random order, against all that strikes them at once:
 * deadlines, cancels by other threads, interrupts. In tasks of an event loop
 * and of a pool, and in threads that end right after a scope. Attacks
 * lib/executor/scope.c and stop.c: a cancel that is lost, or that touches a
 * scope after its end.
 *
 * Each stack keeps a model of its scopes: what a wait and an end return must be
 * possible in it.
 */
#include "common.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { TASKS = 12, STEPS = 60, DEPTH = 5, CANCELERS = 2, THREADS = 2 };

/* Where a scope can be found by those that cancel. The lock makes them sure
 * that it is open. */
struct slot {
    pthread_mutex_t lock;
    cf_scope *scope;
    bool canceled; /* by one of them */
};

/* A scope that is open, or a shield (no slot). */
struct level {
    cf_scope *scope;
    struct slot *slot;
    int64_t deadline_ns; /* INT64_MAX: none */
    bool canceled;       /* the owner knows */
};

struct actor {
    cf_call *call;
    struct random r;
    struct level levels[DEPTH];
    int depth;
    bool task_told; /* the task has been seen to be told */
};

struct round {
    cf_future *promises[TASKS];
    cf_future *tasks[TASKS];
    struct slot slots[TASKS + THREADS];
    atomic_bool submitted;
    atomic_bool over; /* the tasks have ended */
};

struct job {
    struct round *round;
    unsigned index;
    uint64_t stream;
};

static atomic_uint_fast64_t waits, told_waits, timed_out, canceled_ends,
    interrupted_ends;

static bool
slot_canceled(struct slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    bool canceled = slot->canceled;
    pthread_mutex_unlock(&slot->lock);
    return canceled;
}

/* Whether level may have struck by now. */
static bool
may_have_struck(const struct level *level)
{
    return level->canceled || stress_now_ns() >= level->deadline_ns ||
           (level->slot && slot_canceled(level->slot));
}

/* Whether a wait may be told to stop; surely: whether it must be. */
static bool
may_be_told(const struct actor *a, bool *surely)
{
    *surely = false;
    for (int i = a->depth; i-- > 0;) {
        const struct level *level = &a->levels[i];
        if (!level->scope)
            return false;
        if (level->canceled)
            *surely = true;
        if (may_have_struck(level))
            return true;
    }
    *surely = *surely || a->task_told;
    return a->call != NULL; /* it may be interrupted */
}

static void
check_wait(struct actor *a, cf_err err, int64_t timeout_ns)
{
    bool surely;
    atomic_fetch_add(&waits, 1);
    if (err == CF_EINTERRUPTED) {
        CHECK(may_be_told(a, &surely));
        atomic_fetch_add(&told_waits, 1);
    } else if (err == CF_ETIMEDOUT) {
        CHECK(timeout_ns < CF_SECONDS(1000) && timeout_ns != CF_FOREVER);
    } else {
        CHECK_EQ(err, CF_OK);
    }
}

static void
wait_somehow(struct actor *a, struct round *round)
{
    struct random *r = &a->r;
    bool surely;
    (void)may_be_told(a, &surely);
    cf_future *f = round->promises[random_below(r, TASKS)];
    int64_t timeout_ns =
        random_percent(r, 60) ? 1 + random_below(r, 100000) : CF_SECONDS(1000);
    cf_err err;
    switch (random_below(r, 4)) {
    case 0:
        err = cf_sleep(a->call, random_below(r, 50000) + 1);
        CHECK(err || !surely);
        check_wait(a, err, CF_FOREVER);
        break;
    case 1:
        err = cf_yield(a->call);
        CHECK(err || !surely);
        check_wait(a, err, CF_FOREVER);
        break;
    case 2:
        err = cf_wait(&f, 1, CF_FIRST_COMPLETED, timeout_ns, NULL);
        CHECK(err || cf_future_done(f));
        check_wait(a, err, timeout_ns);
        break;
    default:
        err = cf_future_wait(f, timeout_ns);
        CHECK(err || cf_future_done(f));
        check_wait(a, err, timeout_ns);
    }
}

static void
begin_scope(struct actor *a, struct slot *slot)
{
    struct level level = {.deadline_ns = INT64_MAX};
    int64_t timeout_ns = CF_FOREVER;
    if (random_percent(&a->r, 60)) {
        timeout_ns = random_below(&a->r, 100000);
        level.deadline_ns = stress_now_ns() + timeout_ns;
    }
    CHECK_EQ(cf_scope_begin(a->call, timeout_ns, &level.scope), CF_OK);
    pthread_mutex_lock(&slot->lock);
    if (!slot->scope) { /* one of a stack can be cancelled at a time */
        slot->scope = level.scope;
        slot->canceled = false;
        level.slot = slot;
    }
    pthread_mutex_unlock(&slot->lock);
    a->levels[a->depth++] = level;
}

static void
end_level(struct actor *a)
{
    struct level *level = &a->levels[--a->depth];
    if (!level->scope) {
        cf_shield_end(a->call);
        return;
    }
    bool canceled = level->canceled;
    /* A canceller is not sure of the scope from here on, but one may be in
     * cf_scope_cancel(): it has set canceled, and does not have the lock. */
    if (level->slot) {
        pthread_mutex_lock(&level->slot->lock);
        level->slot->scope = NULL;
        canceled = canceled || level->slot->canceled;
        pthread_mutex_unlock(&level->slot->lock);
    }
    cf_err err = cf_scope_end(level->scope);
    if (err == CF_ETIMEDOUT) {
        CHECK(stress_now_ns() >= level->deadline_ns);
        atomic_fetch_add(&timed_out, 1);
    } else if (err == CF_ECANCELED) {
        CHECK(canceled);
        atomic_fetch_add(&canceled_ends, 1);
    } else if (err == CF_EINTERRUPTED) {
        CHECK(!canceled);
        atomic_fetch_add(&interrupted_ends, 1);
    } else {
        CHECK_EQ(err, CF_OK);
        CHECK(!canceled);
    }
}

static void
cancel_own(struct actor *a)
{
    struct level *level = &a->levels[random_below(&a->r, (unsigned)a->depth)];
    if (!level->scope)
        return;
    cf_scope_cancel(level->scope);
    level->canceled = true;
}

static void
step(struct actor *a, struct round *round, struct slot *slot)
{
    unsigned what = random_below(&a->r, 10);
    if (what < 2 && a->depth < DEPTH) {
        begin_scope(a, slot);
    } else if (what == 2 && a->depth < DEPTH) {
        cf_shield_begin(a->call);
        a->levels[a->depth++] = (struct level){.deadline_ns = INT64_MAX};
    } else if (what < 5 && a->depth > 0) {
        end_level(a);
    } else if (what == 5 && a->depth > 0 && random_percent(&a->r, 20)) {
        cancel_own(a);
    } else {
        wait_somehow(a, round);
    }
}

static void
play(cf_call *call, const struct job *job)
{
    struct actor a = {.call = call, .r = random_stream(job->stream)};
    struct slot *slot = &job->round->slots[job->index];
    for (int i = 0; i < STEPS; i++)
        step(&a, job->round, slot);
    while (a.depth > 0)
        end_level(&a);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    play(call, &job);
    return 0;
}

static void
cancel_some(struct round *round, struct random *r)
{
    struct slot *slot = &round->slots[random_below(r, TASKS + THREADS)];
    cf_scope *scope = NULL;
    pthread_mutex_lock(&slot->lock);
    if (slot->scope && !slot->canceled) {
        scope = slot->scope;
        slot->canceled = true;
        /* Under the lock: the owner's end waits for it, and then perhaps in
         * cf_scope_end() for the rest of the call. */
        cf_scope_cancel(scope);
    }
    pthread_mutex_unlock(&slot->lock);
}

static void
act(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(index + 1000);
    if (index >= CANCELERS) {
        struct job job = {round, TASKS + index - CANCELERS, random_next(&r)};
        play(NULL, &job);
        return;
    }
    while (!atomic_load(&round->submitted))
        random_delay(&r, 1000);
    while (!atomic_load(&round->over)) {
        random_delay(&r, 20000);
        cancel_some(round, &r);
        if (random_percent(&r, 3))
            (void)cf_future_interrupt(round->tasks[random_below(&r, TASKS)]);
        if (random_percent(&r, 5))
            (void)cf_future_set_result(
                round->promises[random_below(&r, TASKS)], NULL, 0);
    }
}

static void
run_round(uint64_t number, const char *spec)
{
    struct round round = {.over = false};
    struct random r = random_stream(number);
    cf_executor *ex;
    struct crew crew;
    CHECK_EQ(cf_executor_open(spec, &ex), CF_OK);
    for (int i = 0; i < TASKS; i++)
        CHECK_EQ(cf_future_create(&round.promises[i]), CF_OK);
    for (int i = 0; i < TASKS + THREADS; i++)
        pthread_mutex_init(&round.slots[i].lock, NULL);
    crew_start(&crew, CANCELERS + THREADS, act, &round);
    for (unsigned i = 0; i < TASKS; i++) {
        struct job job = {&round, i, random_next(&r)};
        CHECK_EQ(cf_submit(ex, run, &job, sizeof job, &round.tasks[i]), CF_OK);
    }
    atomic_store(&round.submitted, true);
    cf_executor_destroy(ex);
    for (int i = 0; i < TASKS; i++) /* threads may still wait */
        (void)cf_future_set_result(round.promises[i], NULL, 0);
    atomic_store(&round.over, true);
    crew_join(&crew);
    for (int i = 0; i < TASKS; i++) {
        cf_future_unref(round.tasks[i]);
        cf_future_unref(round.promises[i]);
    }
}

/* --- a cancel, and at once the end of all that it uses -------------------- */

struct last {
    _Atomic(cf_scope *) scope;
};

static void
wait_for_cancel(cf_call *call, struct last *last)
{
    cf_scope *scope;
    CHECK_EQ(cf_scope_begin(call, CF_FOREVER, &scope), CF_OK);
    atomic_store(&last->scope, scope);
    CHECK_EQ(cf_sleep(call, CF_FOREVER), CF_EINTERRUPTED);
    CHECK_EQ(cf_scope_end(scope), CF_ECANCELED);
}

static int
run_last(cf_call *call, const void *arg, size_t arg_size)
{
    struct last *last;
    memcpy(&last, arg, arg_size);
    wait_for_cancel(call, last);
    return 0;
}

static void *
thread_last(void *last)
{
    wait_for_cancel(NULL, last);
    return NULL;
}

static void
cancel_last(unsigned index, void *data)
{
    struct last *last = data;
    cf_scope *scope;
    (void)index;
    while (!(scope = atomic_load(&last->scope)))
        sched_yield();
    cf_scope_cancel(scope);
}

static void
end_at_once(const char *spec)
{
    struct last *last = calloc(1, sizeof *last);
    cf_executor *ex = NULL;
    pthread_t thread;
    struct crew crew;
    CHECK(last != NULL);
    crew_start(&crew, 1, cancel_last, last);
    if (spec) {
        CHECK_EQ(cf_executor_open(spec, &ex), CF_OK);
        CHECK_EQ(cf_submit(ex, run_last, &last, sizeof last, NULL), CF_OK);
        cf_executor_destroy(ex);
    } else {
        CHECK_EQ(pthread_create(&thread, NULL, thread_last, last), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    crew_join(&crew);
    free(last);
}

int
main(int argc, char **argv)
{
    static const char *const specs[] = {"loop", "threads:3", NULL};
    stress_begin(argc, argv);
    uint64_t rounds = 0;
    while (stress_goes_on()) {
        run_round(rounds, specs[rounds % 2]);
        for (int i = 0; i < 10; i++)
            end_at_once(specs[i % 3]);
        rounds++;
        stress_alive();
    }
    return stress_end("%" PRIu64 " rounds, %" PRIuFAST64 " waits, %" PRIuFAST64
                      " told; scopes: %" PRIuFAST64 " timed out, %" PRIuFAST64
                      " cancelled, %" PRIuFAST64 " interrupted",
                      rounds,
                      atomic_load(&waits),
                      atomic_load(&told_waits),
                      atomic_load(&timed_out),
                      atomic_load(&canceled_ends),
                      atomic_load(&interrupted_ends));
}
