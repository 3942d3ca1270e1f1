/* SPDX-License-Identifier: MIT */
/* lib/many/future_set.h: add, remove, growth, no memory, and its check. The
 * linker puts __wrap_calloc() in calloc()'s place. */
#include "lib/many/future_set.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { FUTURES = 3000 };

static cf_future futures[FUTURES];
static struct cf__future_set set;
static bool no_memory;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void
check(void)
{
#ifdef CF_ASSERTIONS
    cf__future_set_check(&set);
#endif
}

static void
expect_room(size_t count)
{
    cr_assert(cf__future_set_reserve(&set, count) == CF_OK);
    check();
}

static void
add(size_t i)
{
    expect_room(1);
    cr_assert(cf__future_set_add(&set, &futures[i]), "%zu is new", i);
    check();
}

/* The set has futures[i] for each i that begin, end and step give, and no
 * more than that. */
static void
expect_every(size_t begin, size_t end, size_t step)
{
    size_t count = 0;
    expect_room(1);
    for (size_t i = begin; i < end; i += step, count++)
        cr_assert_not(cf__future_set_add(&set, &futures[i]), "has %zu", i);
    cr_assert(set.count == count, "%zu, not %zu", set.count, count);
}

static void
fini(void)
{
    cf__future_set_fini(&set);
}

Test(future_set, tells_what_is_given_twice, .fini = fini)
{
    check();
    add(7);
    expect_room(1);
    cr_assert_not(cf__future_set_add(&set, &futures[7]));
    cr_assert(set.count == 1);
    cf__future_set_remove(&set, &futures[7]);
    cr_assert(set.count == 0);
    add(7);
}

Test(future_set, grows_and_keeps_all, .fini = fini)
{
    for (size_t i = 0; i < FUTURES; i++)
        add(i);
    expect_every(0, FUTURES, 1);
    cr_assert(set.mask + 1 < 8 * FUTURES, "not much larger than needed");
}

Test(future_set, has_the_room_that_was_reserved, .fini = fini)
{
    expect_room(FUTURES);
    cf_future **slots = set.slots;
    no_memory = true;
    for (size_t i = 0; i < FUTURES; i++) {
        cr_assert(cf__future_set_reserve(&set, 1) == CF_OK);
        cr_assert(cf__future_set_add(&set, &futures[i]));
    }
    cr_assert(set.slots == slots);
    no_memory = false;
    expect_every(0, FUTURES, 1);
}

/* A removal moves those that had to make way for another future. */
Test(future_set, finds_the_rest_after_removals, .fini = fini)
{
    unsigned seed = 1;
    for (size_t i = 0; i < FUTURES; i++)
        add(i);
    for (size_t i = 0; i < FUTURES; i++) {
        if (i % 3) {
            cf__future_set_remove(&set, &futures[i]);
            check();
        }
    }
    expect_every(0, FUTURES, 3);
    bool in[FUTURES] = {false};
    for (size_t i = 0; i < FUTURES; i += 3)
        in[i] = true;
    for (int round = 0; round < 20000; round++) {
        size_t i = (unsigned)rand_r(&seed) % FUTURES;
        expect_room(1);
        cr_assert(cf__future_set_add(&set, &futures[i]) == !in[i]);
        in[i] = (unsigned)rand_r(&seed) % 2;
        if (!in[i])
            cf__future_set_remove(&set, &futures[i]);
    }
    check();
}

Test(future_set, without_memory_nothing_changes, .fini = fini)
{
    no_memory = true;
    cr_assert(cf__future_set_reserve(&set, 1) == CF_ENOMEM);
    cr_assert_null(set.slots);
    no_memory = false;
    expect_room(1);
    size_t room = (set.mask + 1) / 2;
    for (size_t i = 0; i < room; i++)
        add(i);
    no_memory = true;
    cr_assert(cf__future_set_reserve(&set, 1) == CF_ENOMEM);
    no_memory = false;
    check();
    cr_assert(set.count == room);
    expect_every(0, room, 1);
}

Test(future_set, refuses_a_count_that_no_object_can_have, .fini = fini)
{
    add(0);
    cr_assert(cf__future_set_reserve(&set, SIZE_MAX) == CF_ENOMEM);
    cr_assert(cf__future_set_reserve(&set, SIZE_MAX / 32) == CF_ENOMEM);
    expect_every(0, 1, 1);
}

#ifdef CF_ASSERTIONS

static void
fill(void)
{
    for (size_t i = 0; i < 20; i++)
        add(i);
}

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(future_set, broken_##what, .init = fill, .signal = SIGABRT)

static size_t
slot_of(const cf_future *f)
{
    size_t i = 0;
    while (set.slots[i] != f)
        i++;
    return i;
}

BROKEN(by_a_future_that_was_not_counted)
{
    set.count--;
    cf__future_set_check(&set);
}

BROKEN(by_a_future_that_is_lost)
{
    set.slots[slot_of(&futures[3])] = NULL;
    cf__future_set_check(&set);
}

BROKEN(by_a_future_behind_a_gap)
{
    size_t i = slot_of(&futures[3]), at = (i + 1) & set.mask;
    while (set.slots[at])
        at = (at + 1) & set.mask;
    set.slots[i] = NULL;
    set.slots[(at + 1) & set.mask] = &futures[3];
    cf__future_set_check(&set);
}

BROKEN(by_too_few_slots)
{
    set.count = (set.mask + 1) / 2 + 1;
    cf__future_set_check(&set);
}

BROKEN(by_a_number_of_slots_that_is_no_power_of_2)
{
    set.mask--;
    cf__future_set_check(&set);
}

BROKEN(by_a_count_without_slots)
{
    set.slots = NULL;
    cf__future_set_check(&set);
}

#endif
