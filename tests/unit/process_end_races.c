/* SPDX-License-Identifier: MIT */
/*
 * A worker process ends a task, and at the same time the program looks whether
 * it has, or takes the next task back: one of both sees the other
 * (process_pool/README.md, "Waking" and "The state of a position"). As
 * process_fence_races.c; but the right side is a thread that runs
 * cf__worker_main(). A round is a task of it: each task ends in the next round.
 */
#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"
#include "tests/unit/process_sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RACE_NS = CF__MS(300) };

static bool seen;  /* the left side has seen that the task has ended */
static bool slept; /* the manager sleeps, and is not woken */

/* NOLINTBEGIN: the names are the linker's (--wrap). */
void __wrap_cf__bell_await(struct cf__bell *bell,
                           const struct cf__pulse *pulse,
                           int64_t deadline_ns);
bool __wrap_cf__cond_wait_or_end(pthread_cond_t *cond,
                                 pthread_mutex_t *lock,
                                 int64_t deadline_ns,
                                 void (*undo)(void *data),
                                 void *data);
void __real_cf__processes_send_due_signal(struct cf__processes *of,
                                          struct cf__process_lane *to,
                                          int64_t now);
void __wrap_cf__processes_send_due_signal(struct cf__processes *of,
                                          struct cf__process_lane *to,
                                          int64_t now);

void
__wrap_cf__bell_await(struct cf__bell *bell,
                      const struct cf__pulse *pulse,
                      int64_t deadline_ns)
{
    (void)bell, (void)pulse, (void)deadline_ns;
    seen = lane->oldest > position;
    race_await_right();
    slept = !bare_is_rung(pool);
}

/* The manager's last step before it goes to sleep. */
void
__wrap_cf__processes_send_due_signal(struct cf__processes *of,
                                     struct cf__process_lane *to,
                                     int64_t now)
{
    __real_cf__processes_send_due_signal(of, to, now);
    race_start();
}

bool
__wrap_cf__cond_wait_or_end(pthread_cond_t *cond,
                            pthread_mutex_t *lock,
                            int64_t deadline_ns,
                            void (*undo)(void *data),
                            void *data)
{
    (void)cond, (void)lock, (void)deadline_ns, (void)undo, (void)data;
    race_await_right();
    return false;
}
/* NOLINTEND */

static atomic_int runs; /* of a contested task */

/* In the worker: ends in the next round. So the worker always has one more. */
static int
task_turn(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    race_await_turn();
    return 0;
}

static int
task_run(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    atomic_fetch_add(&runs, 1);
    return 0;
}

static bool
is_done(void)
{
    return cf_load_acquire(&cf__lane_outcome(lane, position)->state) ==
           cf__position_state(position, CF__DONE);
}

/* Hands the next task out, behind the one that the worker is in. */
static void
begin_end(bool contested)
{
    cf__processes_lock(pool);
    cf__processes_collect(pool, lane, 1);
    position = lane->oldest;
    if (contested)
        (void)bare_hand(pool, bare_task(pool, task_run), 0);
    (void)bare_hand(pool, bare_task(pool, task_turn), 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    seen = rang = slept = false;
    atomic_store(&runs, 0);
    let_manager_sleep();
    seen = is_done(); /* so that the line is in this processor's cache */
}

static void
begin_task(void)
{
    begin_end(false);
}

static void
expect(void)
{
    cf__lane_expect(lane, position);
    seen = is_done();
}

static bool
seen_or_rang(void)
{
    return seen || rang;
}

/* The service in it sees the end, or not. */
static void
wait_idle(void)
{
    (void)pool->base.ops->wait_idle(&pool->base, 1);
    seen = lane->oldest > position;
}

static void
begin_notified(void)
{
    begin_end(false);
    cf__lane_expect(lane, position);
    cf_store_relaxed(&board->sleeps, cf_load_relaxed(&board->sleeps) + 1);
}

static void
step(void)
{
    bare_step(pool);
}

static bool
seen_or_awake(void)
{
    return seen || !slept;
}

static void
begin_contested(void)
{
    begin_end(true);
}

/* The contested task comes after that in which the worker is. */
static void
take_back(void)
{
    cf__processes_lock(pool);
    seen = cf__processes_take_back(pool, lane, position + 1);
    cf__processes_unlock_alone(pool);
}

static bool
has_one_owner(void)
{
    bare_drop(pool);
    return seen + atomic_load(&runs) == 1;
}

/* --- the program ---------------------------------------------------------- */

static const struct race races[] = {
    {"expect, the task ends", begin_task, expect, NULL, seen_or_rang},
    {"wait_idle, the last task ends",
     begin_task,
     wait_idle,
     NULL,
     seen_or_rang},
    {"a task is taken back, the worker takes it",
     begin_contested,
     take_back,
     NULL,
     has_one_owner},
};

/* The round begins where the manager has looked for the first time. */
static const struct race sleep_race = {"the manager falls asleep, a task ends",
                                       begin_notified,
                                       step,
                                       NULL,
                                       seen_or_awake};

/* The worker begins in a round's task. */
static void
start_worker(void)
{
    cf__processes_lock(pool);
    (void)bare_hand(pool, bare_task(pool, task_turn), 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
    bare_start_worker(pool);
}

int
main(void)
{
    unsigned lost = 0;
    open_sides();
    start_worker();
    for (size_t i = 0; i < sizeof races / sizeof *races; i++)
        lost += race_run(&races[i], RACE_NS);
    lost += race_run_late(&sleep_race, RACE_NS);
    (void)fflush(stdout);
    _exit(race_status(lost)); /* the worker's thread never ends */
}
