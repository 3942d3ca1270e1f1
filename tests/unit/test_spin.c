/* SPDX-License-Identifier: MIT */
/* What a thread learns of how its waits end: lib/base/spin.h. */
#include "lib/base/spin.h"

#include <criterion/criterion.h>

/* The thread's last wait ended with a yield in which another thread ran; or not
 * so. */
static void
have_learned(bool other_ran)
{
    cf__yield_learn(1, other_ran ? 1 + 2 * CF__OTHER_RAN_NS : 2);
    cr_assert_eq(cf__thread.yields_early, other_ran);
}

/* The turn of a spin, from 1, that yields for the first time. */
static int
first_yield(struct cf__spin *spin)
{
    for (int turn = 1;; turn++) {
        cr_assert(cf__spin_on(spin, CF__NEVER));
        if (spin->yield_at)
            return turn;
    }
}

static unsigned
first_yield_of_search(struct cf__search *search)
{
    while (!search->yield_at)
        cr_assert(cf__search_on(search, CF__MS(1000)));
    return search->looks;
}

Test(spin, yields_early_only_after_a_yield_in_which_another_ran)
{
    cf__yield_learn(0, CF__MS(1));
    cr_assert(!cf__thread.yields_early, "there was no yield");
    have_learned(false);
    have_learned(true);
    cf__yield_learn(0, CF__MS(1));
    cr_assert(!cf__thread.yields_early);
}

Test(spin, pauses_first_when_yields_bring_nothing)
{
    struct cf__spin spin = cf__spin_begin();
    have_learned(false);
    cr_assert_eq(first_yield(&spin), CF__SPINS_BEFORE_YIELD + 1);
}

Test(spin, yields_once_when_yields_bring_something_and_then_pauses)
{
    struct cf__spin spin = cf__spin_begin();
    have_learned(true);
    cr_assert_eq(first_yield(&spin), CF__SPINS_BEFORE_EARLY_YIELD + 1);
    cr_assert(cf__spin_on(&spin, CF__NEVER));
    cr_assert_eq(spin.yield_at, 0, "the yield has brought nothing");
    cf__spin_learn(&spin);
    cr_assert(!cf__thread.yields_early);
}

Test(spin, a_search_yields_in_the_same_way)
{
    struct cf__search late = {0}, early = {0};
    have_learned(false);
    cr_assert(first_yield_of_search(&late) >= CF__LOOKS_PER_CLOCK);
    have_learned(true);
    cr_assert_eq(first_yield_of_search(&early), CF__SPINS_BEFORE_EARLY_YIELD);
    cr_assert(cf__search_on(&early, CF__MS(1000)));
    cr_assert_eq(early.yield_at, 0, "the yield has brought nothing");
    cf__search_learn(&early);
    cr_assert(!cf__thread.yields_early);
}
