/* SPDX-License-Identifier: MIT */
/* The units that a runner has before it: taken from the front, halved from the
 * back, each once. */
#include "lib/many/share.h"

#include <criterion/criterion.h>
#include <pthread.h>

/* A function, as the macro has many branches. */
static void
expect(bool truth, const char *what)
{
    cr_assert(truth, "%s", what);
}

#define EXPECT(condition) expect(condition, #condition)

static bool
equal(struct cf__units u, uint32_t first, uint32_t end)
{
    return u.first == first && u.end == end;
}

Test(share, its_runner_takes_from_the_front)
{
    struct cf__share share = {0};
    struct cf__units u;
    EXPECT(!cf__share_take(&share, 1, &u));
    cf__share_fill(&share, (struct cf__units){3, 10});
    EXPECT(cf__share_take(&share, 2, &u) && equal(u, 3, 5));
    EXPECT(cf__share_take(&share, UINT32_MAX, &u) && equal(u, 5, 10));
    EXPECT(!cf__share_take(&share, 1, &u));
}

Test(share, another_one_gets_the_latter_half)
{
    struct cf__share share = {0};
    struct cf__units u;
    EXPECT(!cf__share_halve(&share, 1, &u));
    cf__share_fill(&share, (struct cf__units){3, 10});
    EXPECT(!cf__share_halve(&share, 8, &u));
    EXPECT(cf__share_halve(&share, 7, &u) && equal(u, 6, 10));
    EXPECT(cf__share_halve(&share, 1, &u) && equal(u, 4, 6));
    EXPECT(cf__share_halve(&share, 1, &u) && equal(u, 3, 4));
    EXPECT(!cf__share_halve(&share, 0, &u));
}

Test(share, the_last_units_of_all_fit)
{
    const uint32_t end = CF__SHARE_END_MAX;
    struct cf__share share = {0};
    struct cf__units u;
    cf__share_fill(&share, (struct cf__units){end - 3, end});
    EXPECT(cf__share_halve(&share, 1, &u) && equal(u, end - 2, end));
    EXPECT(equal(cf__share_look(&share), end - 3, end - 2));
    EXPECT(cf__share_take(&share, 9, &u) && equal(u, end - 3, end - 2));
}

/* --- each unit has one taker ---------------------------------------------- */

enum { RUNNERS = 3, UNITS = 200000 };

struct race {
    struct cf__share shares[RUNNERS];
    atomic_int left;
    atomic_uchar taken[UNITS];
};

struct racer {
    struct race *race;
    int self;
};

/* Takes from its share. If that is empty, halves those of the others. */
static void *
take_all(void *of_racer)
{
    const struct racer *racer = of_racer;
    struct race *race = racer->race;
    struct cf__share *own = &race->shares[racer->self];
    struct cf__units u;
    int other = 0;
    while (atomic_load(&race->left) > 0) {
        if (cf__share_take(own, 2, &u)) {
            for (uint32_t i = u.first; i < u.end; i++)
                atomic_fetch_add(&race->taken[i], 1);
            atomic_fetch_sub(&race->left, (int)(u.end - u.first));
            continue;
        }
        other = (other + 1) % RUNNERS;
        if (other != racer->self &&
            cf__share_halve(&race->shares[other], 1, &u))
            cf__share_fill(own, u);
    }
    return NULL;
}

Test(share, each_unit_is_taken_once, .timeout = 60)
{
    static struct race race;
    struct racer racers[RUNNERS];
    pthread_t threads[RUNNERS];
    atomic_store(&race.left, UNITS);
    cf__share_fill(&race.shares[0], (struct cf__units){0, UNITS});
    for (int i = 0; i < RUNNERS; i++) {
        racers[i] = (struct racer){&race, i};
        EXPECT(pthread_create(&threads[i], NULL, take_all, &racers[i]) == 0);
    }
    for (int i = 0; i < RUNNERS; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < UNITS; i++)
        EXPECT(atomic_load(&race.taken[i]) == 1);
}
