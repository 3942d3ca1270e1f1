/* SPDX-License-Identifier: MIT */
/*
 * Two sides of the process pool that each store and then look what the other
 * one has stored: at least one of them must see the other
 * (process_pool/README.md, "Waking"). Each race has the real steps of both
 * sides. They are run at once, again and again: so a fence that is missing
 * shows. A plain program, for the thread sanitizer.
 *
 * The pool has no processes (bare_processes.h). The left side is what the
 * program does, the right side what another thread of it or a worker does. No
 * thread sleeps, but it is noted that it would. What a worker does at the end
 * of a task: process_end_races.c.
 */
#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "tests/unit/process_sides.h"

#include <stdlib.h>

enum { RACE_NS = CF__MS(300) };

static struct cf__bells bells; /* of the worker, where the test plays it */

static bool seen;  /* the left side has seen what the right one did */
static bool slept; /* the worker or the manager is not woken */
static bool back;  /* the worker comes back from its sleep */

/* NOLINTBEGIN: the names are the linker's (--wrap). */
cf_err
__real_cf__inbox_push(struct cf__inbox *inbox, cf_future *oldest, size_t count);
cf_err
__wrap_cf__inbox_push(struct cf__inbox *inbox, cf_future *oldest, size_t count);
bool __wrap_cf__futex_wait_shared(void *word, uint32_t expected);

cf_err
__wrap_cf__inbox_push(struct cf__inbox *inbox, cf_future *oldest, size_t count)
{
    cf_err err = __real_cf__inbox_push(inbox, oldest, count);
    race_delay_stores();
    return err;
}

bool
__wrap_cf__futex_wait_shared(void *word, uint32_t expected)
{
    race_await_left();
    slept = cf_load_relaxed((_Atomic uint32_t *)word) == expected;
    back = true;
    return false;
}
/* NOLINTEND */

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

static void
begin(void)
{
    bare_empty(pool);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    seen = rang = slept = back = false;
    cf_store_relaxed(&pool->again, 0);
    cf_store_relaxed(&lane->out->asleep, 0);
    position = lane->next;
}

/* The worker does not sleep, or is woken. */
static bool
rises(void)
{
    return !slept;
}

/* --- the worker falls asleep ---------------------------------------------- */

static bool
must_rise(void *unused)
{
    (void)unused;
    return back || cf_load_acquire(&lane->in->published) != position ||
           cf_load_acquire(&lane->in->quit);
}

static void
fall_asleep(void)
{
    cf__bells_sleep(&bells, must_rise, NULL);
}

static void
begin_order(void)
{
    begin();
    cf__processes_lock(pool);
    (void)bare_hand(pool, bare_task(pool, task_nothing), 0);
    cf__processes_unlock_alone(pool);
}

static void
publish(void)
{
    cf__lane_publish(lane, 1);
}

static void
begin_quit(void)
{
    begin();
    lane->quitting = false;
    cf_store_relaxed(&lane->in->quit, 0);
}

static void
quit(void)
{
    cf__lane_quit(lane);
}

static bool
quits(void)
{
    bool right = rises();
    lane->quitting = false;
    cf_store_relaxed(&lane->in->quit, 0);
    return right;
}

/* --- a submit ------------------------------------------------------------- */

static void
submit(void)
{
    cf_future *f = bare_task(pool, task_nothing);
    if (pool->base.ops->submit(&pool->base, f, f, 1) != CF_OK)
        abort();
}

/* The idle worker is awake, as the last dispatch has seen. */
static void
begin_awake(void)
{
    begin();
    let_manager_sleep();
    cf_store_relaxed(&board->backlog, 0);
    cf_store_relaxed(&pool->wanting, CF__AWAKE);
}

/* The submit has left its task to a worker that goes to sleep without a word,
 * or the worker wakes the manager, or is woken. */
static bool
rises_or_rings(void)
{
    return rises() || rang;
}

/* No lane could start something, as the last dispatch has seen; now one can. */
static void
begin_content(void)
{
    begin();
    cf_store_relaxed(&lane->out->asleep, 1);
    cf_store_relaxed(&board->backlog, 0);
    cf_store_relaxed(&pool->wanting, CF__CONTENT);
}

/* An earlier submit has set the backlog. */
static void
begin_backlog(void)
{
    begin();
    cf_store_relaxed(&board->backlog, 1);
    cf_store_relaxed(&pool->wanting, CF__AWAKE);
}

static void
dispatch(void)
{
    cf__processes_lock(pool);
    cf__processes_dispatch(pool, 1);
    cf__processes_unlock_serving(pool);
}

static bool
handed_out(void)
{
    return lane->published > position;
}

static bool
handed_out_or_backlog(void)
{
    return handed_out() || cf_load_relaxed(&board->backlog);
}

/* --- a thread that does not get the lock ---------------------------------- */

static void
attend(void)
{
    cf__processes_attend(pool);
}

static void
lock_and_unlock(void)
{
    cf__processes_lock(pool);
    cf__processes_unlock_serving(pool);
}

static void
look_at_state(void)
{
    (void)pool->base.ops->phase(&pool->base);
}

static bool
is_attended(void)
{
    return !cf_load_relaxed(&pool->again);
}

/* --- the bell ------------------------------------------------------------- */

static _Atomic uint32_t done_before;

static void
begin_bell(void)
{
    begin();
    cf_store_relaxed(&done_before, 0);
}

static void
do_and_ring(void)
{
    cf_store_release(&done_before, 1);
    cf__bell_ring(pool->shared->bell);
}

static void
answer_and_look(void)
{
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    seen = cf_load_acquire(&done_before);
}

static bool
seen_or_rung(void)
{
    return seen || bare_is_rung(pool);
}

/* --- a request to collect all --------------------------------------------- */

static void
begin_request(void)
{
    begin_order();
    publish();
}

static void
collect(void)
{
    cf__processes_lock(pool);
    cf__processes_collect(pool, lane, 1);
    cf__processes_unlock_alone(pool);
}

/* As the worker: a task ends, and the next one asks. */
static void
end_and_request(void)
{
    bare_end(pool, position);
    cf_bump_release(&lane->out->requests);
}

/* Collects what has ended, if that has not been done. */
static bool
answered_what_was_collected(void)
{
    bool answered = cf_load_relaxed(&lane->in->answers) ==
                    cf_load_relaxed(&lane->out->requests);
    bool right = !answered || lane->oldest > position;
    collect();
    return right;
}

/* --- the program ---------------------------------------------------------- */

static const struct race races[] = {
    {"an order, a worker falls asleep",
     begin_order,
     publish,
     fall_asleep,
     rises},
    {"quit, a worker falls asleep", begin_quit, quit, fall_asleep, quits},
    {"a submit, the awake worker falls asleep",
     begin_awake,
     submit,
     fall_asleep,
     rises_or_rings},
    {"a submit, a lane becomes idle",
     begin_content,
     submit,
     dispatch,
     handed_out},
    {"a submit, the backlog is cleared",
     begin_backlog,
     submit,
     dispatch,
     handed_out_or_backlog},
    {"attend, unlock", begin, attend, lock_and_unlock, is_attended},
    {"attend, the state", begin, attend, look_at_state, is_attended},
    {"a ring, an answer",
     begin_bell,
     do_and_ring,
     answer_and_look,
     seen_or_rung},
    {"a collection, a request",
     begin_request,
     collect,
     end_and_request,
     answered_what_was_collected},
};

int
main(void)
{
    unsigned lost = 0;
    open_sides();
    bells = bare_bells(pool);
    for (size_t i = 0; i < sizeof races / sizeof *races; i++)
        lost += race_run(&races[i], RACE_NS);
    begin();
    bare_close(pool);
    return race_status(lost);
}
