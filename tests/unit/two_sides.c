/* SPDX-License-Identifier: MIT */
/* The two threads of a race: see two_sides.h. */
#include "tests/unit/two_sides.h"

#include "lib/base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { DELAY_MOST = 128, PATIENCE = 1000 };

/* begun and ended are the numbers of rounds. */
struct sides {
    const struct race *race;
    atomic_uint begun, ended;
    atomic_bool over;
};

/* Spins until the round has that number; yields, as the other thread may need
 * this processor. */
static void
await_round(atomic_uint *round, unsigned number)
{
    for (int spins = 1; atomic_load(round) != number; spins++)
        if (spins % PATIENCE == 0)
            sched_yield();
}

/* So that each instruction of one side meets each of the other. */
static void
delay(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1;
    for (volatile uint64_t left = (*random >> 33) % DELAY_MOST; left > 0;)
        left = left - 1;
}

static void *
be_right_side(void *data)
{
    struct sides *sides = data;
    uint64_t random = 1;
    for (unsigned round = 1;; round++) {
        await_round(&sides->begun, round);
        if (atomic_load(&sides->over))
            return NULL;
        delay(&random);
        sides->race->right();
        atomic_store(&sides->ended, round);
    }
}

unsigned
race_run(const struct race *race, int64_t duration_ns)
{
    struct sides sides = {.race = race};
    const int64_t until = cf__now_ns() + duration_ns;
    uint64_t random = 2;
    unsigned round = 1, lost = 0;
    pthread_t right_side;
    if (pthread_create(&right_side, NULL, be_right_side, &sides) != 0)
        abort();
    for (; cf__now_ns() < until; round++) {
        race->begin();
        atomic_store(&sides.begun, round);
        delay(&random);
        race->left();
        await_round(&sides.ended, round);
        lost += !race->is_right();
    }
    atomic_store(&sides.over, true);
    atomic_store(&sides.begun, round);
    pthread_join(right_side, NULL);
    printf("%s: %u of %u rounds lost\n", race->name, lost, round - 1);
    return lost;
}
