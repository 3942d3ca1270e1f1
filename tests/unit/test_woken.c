/* SPDX-License-Identifier: MIT */
/* What other threads tell a loop's thread: event_loop/woken.h. */
#include "event_loop/woken.h"

#include <criterion/criterion.h>

enum { N = 20 };

static struct cf__woken woken;
static struct cf__links links[N + 1];

static uint32_t
push(uint32_t number, uint32_t kind)
{
    return cf__woken_push(
        &woken, cf__woken_entry(number, kind), &links[number]);
}

static uint32_t
below(uint32_t entry)
{
    return links[cf__woken_number(entry)].below[entry & CF__DELIVERED];
}

Test(woken, entries_come_out_newest_first)
{
    for (uint32_t i = 1; i <= N; i++) {
        cr_assert_eq(push(i, i % 2), 0);
        cr_assert(cf__woken_any(&woken));
    }
    uint32_t entry = cf__woken_take(&woken);
    for (uint32_t i = N; i >= 1; i--) {
        cr_assert_eq(cf__woken_number(entry), i);
        cr_assert_eq(entry & CF__DELIVERED, i % 2);
        cr_assert_eq(!(entry & CF__LAST), i > 1);
        if (i > 1)
            entry = below(entry);
    }
    cr_assert(!cf__woken_any(&woken));
}

Test(woken, a_coroutine_is_there_once_for_each_reason)
{
    cr_assert_eq(push(7, 0) | push(7, CF__DELIVERED) | push(3, 0), 0);
    uint32_t entry = cf__woken_take(&woken);
    cr_assert_eq(entry, cf__woken_entry(3, 0));
    entry = below(entry);
    cr_assert_eq(entry, cf__woken_entry(7, CF__DELIVERED));
    cr_assert_eq(below(entry), cf__woken_entry(7, CF__LAST));
}

Test(woken, the_push_that_replaces_a_mark_returns_it)
{
    const uint32_t marks[] = {CF__ASLEEP, CF__ASLEEP_IN_ENGINE};
    for (int i = 0; i < 2; i++) {
        cr_assert(cf__woken_mark(&woken, marks[i]));
        cr_assert(!cf__woken_any(&woken));
        cr_assert_eq(push(1, CF__DELIVERED), marks[i]);
        cr_assert_eq(push(2, 0), 0);
        cr_assert(!cf__woken_mark(&woken, marks[i]));
        cr_assert_eq(cf__woken_unmark(&woken), 0);
        uint32_t entry = cf__woken_take(&woken);
        cr_assert_eq(below(entry),
                     cf__woken_entry(1, CF__DELIVERED | CF__LAST));
    }
}

Test(woken, a_mark_is_taken_away_once)
{
    cr_assert(cf__woken_mark(&woken, CF__ASLEEP));
    cr_assert_eq(cf__woken_unmark(&woken), CF__ASLEEP);
    cr_assert_eq(cf__woken_unmark(&woken), 0);
}

/* Threads sleep on the word while it is a mark. */
Test(woken, no_entry_looks_like_a_mark)
{
    const uint32_t numbers[] = {1, 2, CF__NUMBER_MAX};
    for (int i = 0; i < 3; i++) {
        for (uint32_t bits = 0; bits < 4; bits++) {
            uint32_t entry = cf__woken_entry(numbers[i], bits);
            cr_assert(!cf__is_woken_mark(entry) && entry != 0);
            cr_assert_eq(cf__woken_number(entry), numbers[i]);
        }
    }
}
