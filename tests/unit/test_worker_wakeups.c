/* SPDX-License-Identifier: MIT */
/*
 * When a worker process sleeps, and when it rings the manager before
 * (process_pool/README.md, "Waking"). The worker is a thread here that runs
 * cf__worker_main(), in a pool without processes (bare_processes.h). At the
 * moments of worker.h, that thread does what the program would do just then.
 */
#include <criterion/criterion.h>
#include <semaphore.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "process_pool/collect.h"
#include "process_pool/lock.h"
#include "tests/unit/bare_processes.h"

static struct cf__processes *pool;
static struct cf__process_lane *lane;
static struct cf__board *board;

static void (*steps[CF__BEFORE_SLEEP + 1])(void); /* at each moment, once */
static void (*at_wait)(void);
static sem_t at_rest; /* the worker sleeps for ever, or has ended */
static int waits;     /* of the worker, for its bell */
static int ran;       /* tasks */
static bool ended;
static bool rung_at_wait, asked_at_ring;

_Noreturn static void
rest(void)
{
    sem_post(&at_rest);
    for (;;)
        (void)pause();
}

static void
at_moment(enum cf__moment moment, int index)
{
    (void)index;
    void (*step)(void) = steps[moment];
    steps[moment] = NULL;
    if (step)
        step();
}

/* NOLINTBEGIN: the names are the linker's (--wrap). */
void __real_cf__bell_ring(struct cf__bell *bell);
void __wrap_cf__bell_ring(struct cf__bell *bell);
bool __wrap_cf__futex_wait_shared(void *word, uint32_t expected);

void
__wrap_cf__bell_ring(struct cf__bell *bell)
{
    asked_at_ring = cf_load_relaxed(&lane->out->requests) !=
                    cf_load_relaxed(&lane->in->answers);
    __real_cf__bell_ring(bell);
}

bool
__wrap_cf__futex_wait_shared(void *word, uint32_t expected)
{
    waits++;
    rung_at_wait = bare_is_rung(pool);
    void (*step)(void) = at_wait;
    at_wait = NULL;
    if (step)
        step();
    if (cf_load_relaxed((_Atomic uint32_t *)word) == expected)
        rest();
    return false;
}
/* NOLINTEND */

static int
task_count(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    ran++;
    return 0;
}

static void
note_end(void *data, void *worker_data)
{
    (void)data, (void)worker_data;
    ended = true;
    rest();
}

static void
order(cf_task_fn *fn)
{
    cf__processes_lock(pool);
    (void)bare_hand(pool, bare_task(pool, fn), 0);
    cf__processes_unlock_alone(pool);
}

static void
publish(void)
{
    cf__processes_lock(pool);
    cf__lane_publish(lane, cf__now_ns());
    cf__processes_unlock_alone(pool);
}

static void
answer(void)
{
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
}

/* The manager sleeps. */
static void
open_pool(void)
{
    pool = bare_open(1);
    lane = &pool->lanes[0];
    board = pool->shared->board;
    pool->setup.options.finalizer = note_end;
    sem_init(&at_rest, 0, 0);
    cf_store_relaxed(&board->sleeps, 1);
    answer();
    cf__worker_probe = at_moment;
}

static void
run_worker(void)
{
    publish();
    bare_start_worker(pool);
    while (sem_wait(&at_rest) != 0)
        continue;
}

/* The worker's thread rests in it. */
static void
leave_pool(void)
{
    bare_leave(pool);
}

#define WORKER_TEST(name)                                                      \
    Test(worker_wakeups, name, .init = open_pool, .fini = leave_pool)

/* --- before it sleeps ----------------------------------------------------- */

static void
order_one(void)
{
    order(task_count);
    publish();
}

static void
quit(void)
{
    cf__processes_lock(pool);
    cf__lane_quit(lane);
    cf__processes_unlock_alone(pool);
}

static void
collect(void)
{
    cf__processes_lock(pool);
    cf__processes_collect(pool, lane, cf__now_ns());
    cf__processes_unlock_alone(pool);
    answer();
}

WORKER_TEST(finds_an_order_that_comes_before_it_sleeps)
{
    steps[CF__BEFORE_SLEEP] = order_one;
    run_worker();
    cr_assert(ran == 1);
    cr_assert(waits == 1, "after that");
}

WORKER_TEST(finds_that_it_is_to_quit_before_it_sleeps)
{
    steps[CF__BEFORE_SLEEP] = quit;
    run_worker();
    cr_assert(ended);
    cr_assert(waits == 0);
}

WORKER_TEST(rings_before_it_sleeps_if_not_all_was_collected)
{
    order(task_count);
    run_worker();
    cr_assert(ran == 1 && rung_at_wait);
}

WORKER_TEST(does_not_ring_if_all_was_collected)
{
    order(task_count);
    steps[CF__AFTER_DONE] = collect;
    run_worker();
    cr_assert(ran == 1 && !rung_at_wait);
}

/* --- at the end of a task ------------------------------------------------- */

static bool rung_before_next;

static void
look_at_bell(void)
{
    rung_before_next = bare_is_rung(pool);
}

static void
look_before_next(void)
{
    steps[CF__BEFORE_TAKING] = look_at_bell;
}

static void
expect(void)
{
    cf__lane_expect(lane, lane->oldest);
}

static void
notify_all(void)
{
    cf_store_relaxed(&board->notify_all, 1);
}

/* Whether it rings between two orders, if the program does that just before the
 * first one ends. */
static bool
rings_after(void (*step)(void))
{
    order(task_count);
    order(task_count);
    steps[CF__AFTER_TAKING] = look_before_next;
    steps[CF__BEFORE_DONE] = step;
    run_worker();
    cr_assert(ran == 2);
    return rung_before_next;
}

WORKER_TEST(rings_at_the_end_of_a_task_that_is_expected)
{
    cr_assert(rings_after(expect));
}

WORKER_TEST(rings_at_the_end_of_each_task_if_a_thread_waits_for_all)
{
    cr_assert(rings_after(notify_all));
}

WORKER_TEST(does_not_ring_at_the_end_of_a_task_for_which_no_thread_waits)
{
    cr_assert_not(rings_after(NULL));
}

/* --- when its outbox is full ---------------------------------------------- */

enum { LARGE = 1 << 20, RESULTS = 6 }; /* the outbox holds four of them */

static int
task_large(cf_call *call, const void *arg, size_t size)
{
    (void)arg, (void)size;
    ran += cf_return_buffer(call, LARGE) != NULL;
    return 0;
}

static bool rung_for_room, asked_for_room;
static int ran_before;

static void
make_room(void)
{
    rung_for_room = rung_at_wait;
    asked_for_room = asked_at_ring;
    ran_before = ran;
    collect();
}

WORKER_TEST(asks_for_room_and_then_rings)
{
    for (int i = 0; i < RESULTS; i++)
        order(task_large);
    at_wait = make_room;
    run_worker();
    /* in the end the answer has kept it awake */
    cr_assert(ran_before > 0 && ran_before < RESULTS && asked_for_room &&
                  rung_for_room && ran == RESULTS,
              "%d",
              ran_before);
}
