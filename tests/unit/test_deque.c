/* SPDX-License-Identifier: MIT */
/*
 * thread_pool/deque.h with one thread: order, popping, growing, withdrawing,
 * and what cf__deque_check() finds. What happens between two steps of the owner
 * is in test_deque_races.c.
 */
#include "thread_pool/deque.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { TASKS = 1000, FIRST_SIZE = 64, WORKER = 5 };

static struct cf__deque deque;
static cf_future *tasks;
static int room_wanted; /* calls of make_room */
static bool no_memory;

/* --- calloc(), which can be told to fail --------------------------------- */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

/* --- the deque under test ------------------------------------------------ */

static void
begin(void)
{
    tasks = aligned_alloc(CF_CACHE_LINE, TASKS * sizeof *tasks);
    cr_assert_not_null(tasks);
    memset(tasks, 0, TASKS * sizeof *tasks);
    for (int i = 0; i < TASKS;
         i++) /* a handle of the entry's, one of the test's */
        atomic_init(&tasks[i].word, 2 * CF__HANDLE | CF_PENDING);
    memset(&deque, 0, sizeof deque);
    cr_assert(cf__deque_init(&deque));
}

static void
end(void)
{
    cf__deque_check(&deque);
    cf__deque_fini(&deque);
    free(tasks);
}

static void
push(int from, int to)
{
    for (int i = from; i < to; i++)
        cr_assert(cf__deque_push(&deque, &tasks[i], (uint32_t)i));
}

static cf_future *
steal(void)
{
    return cf__deque_steal(&deque, 0, NULL);
}

static void
expect_stolen(int from, int to)
{
    for (int i = from; i < to; i++)
        cr_assert(steal() == &tasks[i], "task %d", i);
}

static uint64_t
ring_size(void)
{
    return atomic_load(&deque.ring)->size;
}

static uint64_t
handles(int i)
{
    return atomic_load(&tasks[i].word) >> 32;
}

Test(deque, gives_the_oldest_first, .init = begin, .fini = end)
{
    cr_assert_null(steal());
    for (int i = 0; i + 3 <= TASKS; i += 3) { /* one entry more in each round */
        push(i, i + 3);
        expect_stolen(i / 3 * 2, i / 3 * 2 + 2);
        cf__deque_check(&deque);
    }
    expect_stolen(TASKS / 3 * 2, TASKS / 3 * 3);
    cr_assert_null(steal());
    cr_assert(cf__deque_empty(&deque));
}

Test(deque, knows_the_place_of_its_oldest_entry, .init = begin, .fini = end)
{
    uint32_t place;
    cr_assert_not(cf__deque_oldest_place(&deque, &place));
    push(3, 6);
    for (uint32_t i = 3; i < 6; i++) {
        cr_assert(cf__deque_oldest_place(&deque, &place) && place == i);
        expect_stolen((int)i, (int)i + 1);
    }
    cr_assert_not(cf__deque_oldest_place(&deque, &place));
}

/* --- bases --------------------------------------------------------------- */

Test(deque, gives_no_entry_before_a_base, .init = begin, .fini = end)
{
    push(0, 2);
    uint32_t base = cf__deque_base(&deque);
    cr_assert_not(cf__deque_reaches(&deque, base));
    push(2, 4);
    cr_assert_null(cf__deque_steal(&deque, base, NULL), "the oldest is older");
    expect_stolen(0, 2);
    cr_assert(cf__deque_reaches(&deque, base));
    cr_assert(cf__deque_steal(&deque, base, NULL) == &tasks[2]);
    expect_stolen(3, 4);
    cr_assert_not(cf__deque_reaches(&deque, base));
    cr_assert_null(cf__deque_steal(&deque, base, NULL));
}

Test(deque, gives_nothing_for_a_task_that_has_ended, .init = begin, .fini = end)
{
    cf_future runs = {0};
    atomic_init(&runs.word, CF__HANDLE | CF_RUNNING);
    push(0, 2);
    cr_assert(cf__deque_steal(&deque, 0, &runs) == &tasks[0]);
    atomic_store(&runs.word, CF__HANDLE | CF_FINISHED);
    cr_assert_null(cf__deque_steal(&deque, 0, &runs));
    expect_stolen(1, 2);
}

/* A base has 32 bits, and 0 stands for none. */
Test(deque, has_bases_beyond_the_32nd_bit, .init = begin, .fini = end)
{
    const uint64_t first = (UINT64_C(1) << 32) - 2;
    atomic_store(&deque.top, first);
    atomic_store(&deque.bottom, first);
    deque.known_top = first;
    for (int i = 0; i < 6; i += 2) {
        uint32_t base = cf__deque_base(&deque);
        cr_assert(base == (i == 2 ? 1 : (uint32_t)(first + (uint64_t)i)));
        push(i, i + 2);
        cr_assert(cf__deque_reaches(&deque, base) == (i != 2));
        if (i ==
            2) /* the base is one entry too late: rather none than a wrong */
            expect_stolen(i, i + 1);
        cr_assert(cf__deque_steal(&deque, base, NULL) != NULL);
        while (steal())
            continue;
    }
}

/* --- popping ------------------------------------------------------------- */

Test(deque, pops_the_newest_and_claims_it, .init = begin, .fini = end)
{
    push(0, 3);
    for (int i = 2; i >= 0; i--) {
        enum cf__pop pop = cf__deque_pop_if(&deque, &tasks[i], WORKER);
        cr_assert(pop == CF__POP_CLAIMED_ENTRY, "task %d", i);
        uint64_t word = atomic_load(&tasks[i].word);
        cr_assert(cf__state(word) == CF_RUNNING && cf__runner(word) == WORKER);
        cr_assert(handles(i) == 2);
        cf__deque_check(&deque);
    }
    cr_assert(cf__deque_empty(&deque));
    push(3, 5);
    expect_stolen(3, 5);
}

Test(deque, leaves_what_is_not_the_newest, .init = begin, .fini = end)
{
    push(0, 2);
    cr_assert(cf__deque_pop_if(&deque, &tasks[0], WORKER) ==
              CF__POP_NOT_CLAIMED);
    cr_assert(cf__deque_pop_if(&deque, &tasks[2], WORKER) ==
              CF__POP_NOT_CLAIMED);
    cr_assert(cf__state(atomic_load(&tasks[0].word)) == CF_PENDING);
    cr_assert(cf__state(atomic_load(&tasks[2].word)) == CF_PENDING);
    expect_stolen(0, 2);
}

Test(deque, leaves_what_is_not_pending, .init = begin, .fini = end)
{
    push(0, 1);
    atomic_store(&tasks[0].word, 2 * CF__HANDLE | CF_CANCELED);
    cr_assert(cf__deque_pop_if(&deque, &tasks[0], WORKER) ==
              CF__POP_NOT_CLAIMED);
    cr_assert(handles(0) == 2, "the entry stays, with its handle");
    expect_stolen(0, 1);
}

/* The thief has the entry and not claimed it yet. */
Test(deque, claims_a_task_whose_entry_a_thief_has, .init = begin, .fini = end)
{
    push(0, 1);
    expect_stolen(0, 1);
    cr_assert(cf__deque_pop_if(&deque, &tasks[0], WORKER) == CF__POP_CLAIMED);
    cr_assert_not(cf__future_claim_word(&tasks[0], 0), "so the thief has not");
    cf__deque_check(&deque);
    push(1, 2);
    expect_stolen(1, 2);
}

/* --- growing ------------------------------------------------------------- */

static void
count_room_wanted(struct cf__deque *d)
{
    cr_assert(d == &deque);
    room_wanted++;
}

/* Like a sweep that finds all tasks but the oldest stale. */
static void
make_much_room(struct cf__deque *d)
{
    uint64_t from, to;
    count_room_wanted(d);
    cr_assert(cf__deque_withdraw(d, &from, &to));
    cf__deque_release(d, from);
}

Test(deque, grows_when_it_is_full, .init = begin, .fini = end)
{
    deque.make_room = count_room_wanted;
    push(0, FIRST_SIZE);
    cr_assert(ring_size() == FIRST_SIZE && room_wanted == 0);
    push(FIRST_SIZE, FIRST_SIZE + 1);
    cr_assert(ring_size() == 2 * FIRST_SIZE && room_wanted == 1);
    cf__deque_check(&deque);
    push(FIRST_SIZE + 1, TASKS);
    cr_assert(ring_size() == 1024 && room_wanted == 4);
    expect_stolen(0, TASKS);
}

Test(deque, stays_as_it_is_if_there_is_room, .init = begin, .fini = end)
{
    push(0, FIRST_SIZE);
    expect_stolen(0, 1); /* the owner does not know of it yet */
    deque.make_room = count_room_wanted;
    push(FIRST_SIZE, FIRST_SIZE + 1);
    cr_assert(ring_size() == FIRST_SIZE && room_wanted == 0);
    deque.make_room = make_much_room;
    push(FIRST_SIZE + 1, FIRST_SIZE + 2);
    cr_assert(ring_size() == FIRST_SIZE && room_wanted == 1);
    expect_stolen(1, 2);
    expect_stolen(FIRST_SIZE + 1, FIRST_SIZE + 2);
    cr_assert_null(steal());
}

Test(deque, reserves_for_many_at_once, .init = begin, .fini = end)
{
    push(0, 10);
    cr_assert(cf__deque_reserve(&deque, 500) && ring_size() == 512);
    push(10, 510);
    cr_assert(ring_size() == 512);
    expect_stolen(0, 510);
}

Test(deque, refuses_without_memory, .init = begin, .fini = end)
{
    push(0, FIRST_SIZE);
    no_memory = true;
    cr_assert_not(cf__deque_reserve(&deque, 1));
    cr_assert_not(cf__deque_push(&deque, &tasks[FIRST_SIZE], 0));
    no_memory = false;
    expect_stolen(0, FIRST_SIZE);
    cr_assert_null(steal());
    no_memory = true; /* there is room now */
    push(0, FIRST_SIZE);
    no_memory = false;
    expect_stolen(0, FIRST_SIZE);
    struct cf__deque none;
    memset(&none, 0, sizeof none);
    no_memory = true;
    cr_assert_not(cf__deque_init(&none));
    no_memory = false;
}

/* --- withdrawing --------------------------------------------------------- */

Test(deque, withdraws_all_but_the_oldest, .init = begin, .fini = end)
{
    uint64_t from, to;
    push(0, 5);
    cr_assert(cf__deque_withdraw(&deque, &from, &to) && to - from == 4);
    expect_stolen(0, 1);
    cr_assert_null(steal());
    for (uint64_t i = from; i < to; i++)
        cr_assert(atomic_load(&cf__deque_slot(&deque, i)->f) ==
                  &tasks[1 + i - from]);
    /* The third and the fifth stay. */
    atomic_store(&cf__deque_slot(&deque, from)->f, &tasks[2]);
    atomic_store(&cf__deque_slot(&deque, from + 1)->f, &tasks[4]);
    cf__deque_release(&deque, from + 2);
    cf__deque_check(&deque);
    cr_assert(steal() == &tasks[2] && steal() == &tasks[4]);
    cr_assert_null(steal());
}

Test(deque, withdraws_nothing_from_few, .init = begin, .fini = end)
{
    uint64_t from, to;
    cr_assert_not(cf__deque_withdraw(&deque, &from, &to));
    push(0, 1);
    cr_assert_not(cf__deque_withdraw(&deque, &from, &to));
    expect_stolen(0, 1);
}

Test(deque, is_empty_after_a_fork, .init = begin, .fini = end)
{
    push(0, 100);
    expect_stolen(0, 10);
    cf__deque_after_fork(&deque);
    cr_assert(cf__deque_empty(&deque));
    cr_assert_null(steal());
    push(100, 200);
    expect_stolen(100, 200);
}

/* --- cf__deque_check() --------------------------------------------------- */

#ifdef CF_ASSERTIONS

static void
fill(void)
{
    begin();
    push(0, FIRST_SIZE + 10); /* two rings */
    expect_stolen(0, 5);
    cf__deque_check(&deque);
}

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what) Test(deque, broken_##what, .init = fill, .signal = SIGABRT)

BROKEN(by_a_top_beyond_the_bottom)
{
    atomic_store(&deque.top, atomic_load(&deque.bottom) + 2);
    cf__deque_check(&deque);
}

BROKEN(by_more_entries_than_slots)
{
    atomic_fetch_add(&deque.bottom, ring_size());
    cf__deque_check(&deque);
}

BROKEN(by_an_entry_without_a_task)
{
    struct cf__slot *oldest = cf__deque_slot(&deque, atomic_load(&deque.top));
    atomic_store(&oldest->f, NULL);
    cf__deque_check(&deque);
}

BROKEN(by_a_size_that_is_no_power_of_two)
{
    atomic_load(&deque.ring)->size--;
    cf__deque_check(&deque);
}

BROKEN(by_a_ring_that_has_not_grown)
{
    atomic_load(&deque.ring)->former->size = 2 * FIRST_SIZE;
    cf__deque_check(&deque);
}

BROKEN(by_a_push_of_nothing)
{
    (void)cf__deque_push(&deque, NULL, 0);
}

#endif
