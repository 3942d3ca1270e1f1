/* SPDX-License-Identifier: MIT */
/* cf__as_completed_check(): an iterator is whole at each step, and what is
 * broken is found. */
#include "lib/many/as_completed_iterator.h"

#include <criterion/criterion.h>
#include <signal.h>

enum { FUTURES = 30, FIRST = 20, HANDED_OUT = 1, TAKEN = 5, READY = 2 };

static cf_future *futures[FUTURES];
static cf_as_completed *it;

static void
complete(int i)
{
    cr_assert(cf_future_set_result(futures[i], &i, sizeof i) == CF_OK);
}

static void
expect_next(int i)
{
    cf_future *f;
    cr_assert(cf_as_completed_next(it, 0, &f) == CF_OK);
    cr_assert(f == futures[i], "%d comes next", i);
}

/* One is handed out, 5 are taken, 2 are ready, the others pending. */
static void
begin(void)
{
    for (int i = 0; i < FUTURES; i++)
        cr_assert(cf_future_create(&futures[i]) == CF_OK);
    cr_assert(cf_as_completed_create(futures, FIRST, &it) == CF_OK);
    for (int i = 0; i < HANDED_OUT + TAKEN; i++)
        complete(i);
    expect_next(0);
    for (int i = 0; i < READY; i++)
        complete(HANDED_OUT + TAKEN + i);
}

static void
end(void)
{
    cf_as_completed_destroy(it);
    for (int i = 0; i < FUTURES; i++) {
        (void)cf_future_cancel(futures[i]);
        cf_future_unref(futures[i]);
    }
}

Test(as_completed, is_whole_at_each_step, .init = begin, .fini = end)
{
    cf__as_completed_check(it);
    for (int i = 1; i < HANDED_OUT + TAKEN + READY; i++) {
        expect_next(i);
        cf__as_completed_check(it);
    }
    for (int i = FIRST; i < FUTURES; i++) {
        cr_assert(cf_as_completed_add(it, futures[i]) == CF_OK);
        cr_assert(cf_as_completed_add(it, futures[i]) == CF_OK, "twice");
        cf__as_completed_check(it);
    }
    int next = FUTURES - 1;
    for (int i = FUTURES - 1; i >= HANDED_OUT + TAKEN + READY; i--) {
        complete(i);
        cf__as_completed_check(it);
        if (i % 3 == 0)
            expect_next(next--);
        cf__as_completed_check(it);
    }
}

Test(as_completed, is_whole_when_it_is_new_and_at_its_end)
{
    cf_future *f, *next;
    cr_assert(cf_as_completed_create(NULL, 0, &it) == CF_OK);
    cf__as_completed_check(it);
    cr_assert(cf_future_create(&f) == CF_OK);
    cr_assert(cf_as_completed_add(it, f) == CF_OK);
    cf__as_completed_check(it);
    cr_assert(cf_future_cancel(f));
    cr_assert(cf_as_completed_next(it, 0, &next) == CF_OK);
    cr_assert(cf_as_completed_next(it, 0, &next) == CF_EDONE);
    cf__as_completed_check(it);
    cf_as_completed_destroy(it);
    cf_future_unref(f);
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(as_completed, broken_##what, .init = begin, .signal = SIGABRT)

static struct cf__node *
node_of(const cf_future *f)
{
    struct cf__node_slab *slab = it->slabs;
    size_t i = 0;
    while (slab->nodes[i].awaited.f != f)
        i++;
    return &slab->nodes[i];
}

static struct cf__node *
pending_node(void)
{
    return node_of(futures[FIRST - 1]);
}

static struct cf__node *
taken_node(void)
{
    return (struct cf__node *)it->taken;
}

BROKEN(by_a_future_that_was_not_counted)
{
    it->remaining--;
    it->members.count--;
    cf__as_completed_check(it);
}

BROKEN(by_members_that_are_not_the_ring)
{
    it->members.count++;
    cf__as_completed_check(it);
}

BROKEN(by_a_future_of_the_ring_that_is_no_member)
{
    cf__future_set_remove(&it->members, futures[FIRST - 1]);
    cf__future_set_add(&it->members, futures[FUTURES - 1]);
    cf__as_completed_check(it);
}

BROKEN(by_a_link_of_the_ring)
{
    pending_node()->awaited.prev = &pending_node()->awaited;
    cf__as_completed_check(it);
}

BROKEN(by_a_future_that_left_the_ring_only)
{
    cf__awaited_unlink(&pending_node()->awaited);
    cf__as_completed_check(it);
}

BROKEN(by_no_future_in_the_ring)
{
    pending_node()->awaited.f = NULL;
    cf__as_completed_check(it);
}

BROKEN(by_a_future_that_was_freed)
{
    atomic_store(&futures[FIRST - 1]->word, 0);
    cf__as_completed_check(it);
}

BROKEN(by_an_empty_ring)
{
    it->first = NULL;
    cf__as_completed_check(it);
}

BROKEN(by_an_untried_one_outside_of_the_ring)
{
    struct cf__awaited stray = {&stray, &stray, futures[0]};
    it->untried = &stray;
    cf__as_completed_check(it);
}

BROKEN(by_a_first_look_outside_of_the_ring)
{
    struct cf__awaited stray = {&stray, &stray, futures[0]};
    it->first_look = &stray;
    cf__as_completed_check(it);
}

BROKEN(by_no_first_look)
{
    it->first_look = NULL;
    cf__as_completed_check(it);
}

Test(as_completed, broken_by_an_untried_one_at_the_end, .signal = SIGABRT)
{
    struct cf__awaited stray = {&stray, &stray, NULL};
    cr_assert(cf_as_completed_create(NULL, 0, &it) == CF_OK);
    it->untried = &stray;
    cf__as_completed_check(it);
}

BROKEN(by_a_taken_future_that_is_not_done)
{
    taken_node()->awaited.f = futures[FIRST - 1];
    cf__as_completed_check(it);
}

BROKEN(by_a_taken_node_that_is_free)
{
    taken_node()->awaited.f = NULL;
    cf__as_completed_check(it);
}

BROKEN(by_a_push_before_the_future_is_done)
{
    cf__as_completed_push(&pending_node()->waiter, futures[FIRST - 1]);
    cf__as_completed_check(it);
}

BROKEN(by_a_ready_node_that_is_in_a_list)
{
    atomic_load(&it->ready)->prev = NULL;
    cf__as_completed_check(it);
}

BROKEN(by_a_node_of_another_iterator)
{
    taken_node()->it = NULL;
    cf__as_completed_check(it);
}

BROKEN(by_a_free_node_that_has_a_future)
{
    ((struct cf__node *)it->free_nodes)->awaited.f = futures[0];
    cf__as_completed_check(it);
}

BROKEN(by_a_free_node_that_is_lost)
{
    it->free_nodes = it->free_nodes->next;
    cf__as_completed_check(it);
}

/* More are done than have not been handed out. */
BROKEN(by_nodes_that_were_taken_twice)
{
    struct cf__waiter *last = it->taken;
    while (last->next)
        last = last->next;
    last->next = it->taken;
    cf__as_completed_check(it);
}

/* The library checks at its turns. */
BROKEN(and_found_by_the_next_add)
{
    it->remaining++;
    (void)cf_as_completed_add(it, futures[FUTURES - 1]);
}

#endif
