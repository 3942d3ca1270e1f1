/* SPDX-License-Identifier: MIT */
/*
 * The two threads of a race: see two_sides.h. Each has a processor of its own,
 * if there are two: on one, no store is seen late. On a machine with other work
 * they seldom run at the same time all the same; then a race takes longer.
 */
#include "tests/unit/two_sides.h"

#include "lib/base/atomic.h"
#include "lib/base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The left side waits longer: the right one hears of the round a little later
 * than the left one. */
enum {
    LEFT_MOST = 512,
    RIGHT_MOST = 128,
    PATIENCE = 1000,
    CONTESTED = 16,
    MEETINGS = 10000, /* of both sides, in a race; */
    TIMES_MOST = 5    /* but it takes at most so many times as long */
};

/* All but race and over are numbers of rounds: what the right side may begin,
 * what it has begun before the left side had ended, what the left and the right
 * side have ended. */
struct sides {
    const struct race *race;
    atomic_uint begun, met, left, ended;
    atomic_bool over;
};

/* Of the race that runs, in the thread that calls race_run(). */
static struct sides *running;
static unsigned round_now;
static bool ended_first; /* the right side, before the left one */
static bool some_met;
static uint64_t random_left = 2;

/* Of all races whose right side is a thread of the program's own. */
static struct sides own;

/* Spins until the round has that number; yields, as the other thread may need
 * this processor. */
static void
await_round(atomic_uint *round, unsigned number)
{
    for (int spins = 1; atomic_load(round) != number; spins++)
        if (spins % PATIENCE == 0)
            sched_yield();
}

/* The processors that this process may use. */
static cpu_set_t all;

static void
find_processors(void)
{
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        CPU_ZERO(&all);
}

/* The nth of them is the calling thread's only one. */
static void
use_processor(int nth)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_processors);
    if (CPU_COUNT(&all) == 0)
        return;
    cpu_set_t one;
    CPU_ZERO(&one);
    nth = (nth + (int)getpid()) % CPU_COUNT(&all);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all) && nth-- == 0)
            CPU_SET(i, &one);
    (void)pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

/* So that each instruction of one side meets each of the other. */
static void
delay(uint64_t *random, unsigned most)
{
    *random = *random * UINT64_C(6364136223846793005) + 1;
    for (volatile uint64_t left = (*random >> 33) % most; left > 0;)
        left = left - 1;
}

/* Both sides write to these lines, so each store has to fetch one. The stores
 * that come after them stay in the processor's store buffer for longer: what a
 * fence is there for shows more often. */
static struct {
    _Alignas(CF_CACHE_LINE) atomic_uint word;
} contested[CONTESTED];

void
race_delay_stores(void)
{
    static _Thread_local unsigned value;
    value++;
    for (int i = 0; i < CONTESTED; i++)
        cf_store_relaxed(&contested[i].word, value);
}

/* Waits for a round of the right side. */
static void
begin_right(struct sides *sides, unsigned round)
{
    static uint64_t random = 1; /* there is one right side at a time */
    await_round(&sides->begun, round);
    if (cf_load_relaxed(&sides->left) != round)
        cf_store_relaxed(&sides->met, round);
    delay(&random, RIGHT_MOST);
    race_delay_stores();
}

static void *
be_right_side(void *data)
{
    struct sides *sides = data;
    use_processor(1);
    for (unsigned round = 1;; round++) {
        begin_right(sides, round);
        if (atomic_load(&sides->over))
            return NULL;
        sides->race->right();
        atomic_store(&sides->ended, round);
    }
}

void
race_await_turn(void)
{
    static unsigned turn; /* there is one such thread */
    if (turn == 0)
        use_processor(1);
    atomic_store(&own.ended, turn);
    begin_right(&own, ++turn);
}

void
race_start(void)
{
    atomic_store(&running->begun, round_now);
    delay(&random_left, LEFT_MOST);
    race_delay_stores();
}

void
race_await_right(void)
{
    ended_first = cf_load_relaxed(&running->ended) == round_now;
    await_round(&running->ended, round_now);
}

void
race_await_left(void)
{
    await_round(&running->left, atomic_load(&running->begun));
}

/* true: the sides have met. */
static bool
one_round(const struct race *race, bool late)
{
    race->begin();
    ended_first = true;
    if (!late)
        race_start();
    race->left(); /* which may wait for the right side itself */
    bool met = cf_load_relaxed(&running->met) == round_now;
    atomic_store(&running->left, round_now);
    if (atomic_load(&running->ended) != round_now)
        race_await_right();
    return met && !ended_first;
}

static unsigned
run(const struct race *race, int64_t duration_ns, bool late)
{
    struct sides sides = {.race = race};
    const int64_t begun = cf__now_ns();
    unsigned rounds = 0, met = 0, lost = 0;
    pthread_t right_side;
    use_processor(0);
    running = race->right ? &sides : &own;
    round_now = atomic_load(&running->begun);
    if (race->right &&
        pthread_create(&right_side, NULL, be_right_side, &sides) != 0)
        abort();
    for (int64_t took = 0; took < duration_ns ||
                           (met < MEETINGS && took < duration_ns * TIMES_MOST);
         took = cf__now_ns() - begun) {
        rounds++;
        round_now++;
        met += one_round(race, late);
        lost += !race->is_right();
    }
    if (race->right) {
        atomic_store(&sides.over, true);
        atomic_store(&sides.begun, round_now + 1);
        pthread_join(right_side, NULL);
    }
    running = NULL;
    some_met = some_met || met > 0;
    printf("%s: %u of %u rounds lost, the sides met in %u\n",
           race->name,
           lost,
           rounds,
           met);
    return lost;
}

unsigned
race_run(const struct race *race, int64_t duration_ns)
{
    return run(race, duration_ns, false);
}

unsigned
race_run_late(const struct race *race, int64_t duration_ns)
{
    return run(race, duration_ns, true);
}

int
race_status(unsigned lost)
{
    return lost > 0 ? 1 : some_met ? 0 : 77;
}
