/* SPDX-License-Identifier: MIT */
/* What a wake-up costs, as learned: lib/base/wake_cost.h. */
#include "lib/base/wake_cost.h"

#include <criterion/criterion.h>

static void
learn_often(int64_t took_ns)
{
    for (int i = 0; i < 100; i++)
        cf__wake_cost_learn(took_ns);
}

Test(wake_cost, follows_what_is_seen)
{
    learn_often(100000);
    cr_assert(cf__wake_cost() > 95000 && cf__wake_cost() <= 100000);
    learn_often(150000);
    cr_assert(cf__wake_cost() > 140000 && cf__wake_cost() <= 150000);
}

Test(wake_cost, less_counts_for_more)
{
    for (int i = 0; i < 100; i++)
        cf__wake_cost_learn(i % 2 ? 180000 : 60000);
    cr_assert(cf__wake_cost() < 100000, "not the mean, 120000");
}

Test(wake_cost, one_bad_moment_changes_little)
{
    learn_often(100000);
    int64_t before = cf__wake_cost();
    cf__wake_cost_learn(INT64_MAX);
    cr_assert(cf__wake_cost() < before * 5 / 4);
}

Test(wake_cost, stays_within_bounds_whatever_is_said)
{
    int64_t first = cf__wake_cost();
    learn_often(INT64_MIN);
    learn_often(0);
    cr_assert_eq(cf__wake_cost(), first, "no news");
    learn_often(1);
    cr_assert_eq(cf__wake_cost(), first, "the first guess is the least");
    learn_often(INT64_MAX);
    cr_assert(cf__wake_cost() > first && cf__wake_cost() <= 200000);
}
