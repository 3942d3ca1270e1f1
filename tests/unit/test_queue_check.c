/* SPDX-License-Identifier: MIT */
/* What cf__queue_check() finds. */
#include "lib/executor/inbox_block.h"
#include "tests/unit/queue_tasks.h"

#include <signal.h>

static struct cf__attributes ranks[TASKS];

static void
push_prioritized(int i, int priority)
{
    ranks[i].priority = priority;
    tasks[i].attributes = &ranks[i];
    cr_assert(cf__queue_push(&queue, &tasks[i], 1) == CF_OK);
}

/* Single tasks, chains, gaps and priorities: some in the ring, the rest not. */
static void
fill_queue(void)
{
    open_queue();
    cancel_all_but(3);
    for (int i = 0; i < 1000; i++)
        cr_assert(push(i, 1) == CF_OK);
    for (int i = 1000; i < 2000; i += 50)
        cr_assert(push(i, 50) == CF_OK);
    for (int i = 2000; i < 2100; i++)
        push_prioritized(i, i * 7 % 20 - 30);
    expect_taken(0, 10);
}

Test(queue_check,
     is_whole_at_each_step,
     .init = fill_queue,
     .fini = close_queue)
{
    cf__queue_check(&queue);
    for (int i = 0; i < 20; i++) {
        tidy();
        cf__queue_check(&queue);
    }
    while (cf__queue_take(&queue))
        cf__queue_check(&queue);
    while (cf__queue_take_prioritized(&queue, false))
        cf__queue_check(&queue);
    cf__queue_check(&queue);
}

Test(queue_check,
     is_whole_when_it_is_new,
     .init = open_queue,
     .fini = close_queue)
{
    cf__queue_check(&queue);
    cr_assert(push(0, 1) == CF_OK);
    atomic_store(&tasks[0].word, CF__HANDLE | CF_PENDING);
    cf__queue_check(&queue);
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(queue_check, broken_##what, .init = fill_queue, .signal = SIGABRT)

static struct cf__inbox_block *
first_block(void)
{
    return atomic_load(&queue.inbox.first);
}

BROKEN(by_a_top_above_the_bottom)
{
    atomic_store(&queue.ring_top, atomic_load(&queue.ring_bottom) + 1);
    cf__queue_check(&queue);
}

BROKEN(by_a_bottom_above_what_was_pushed)
{
    atomic_store(&queue.inbox.pushed, atomic_load(&queue.ring_bottom) - 1);
    cf__queue_check(&queue);
}

BROKEN(by_an_empty_slot_in_the_ring)
{
    atomic_store(&queue.ring[100], NULL);
    cf__queue_check(&queue);
}

BROKEN(by_a_task_that_was_not_counted)
{
    atomic_fetch_add(&queue.inbox.pushed, 1);
    cf__queue_check(&queue);
}

BROKEN(by_a_gap_that_was_not_counted)
{
    tidy();
    queue.gaps--;
    cf__queue_check(&queue);
}

BROKEN(by_a_task_that_was_freed)
{
    atomic_store(&tasks[500].word, 0);
    cf__queue_check(&queue);
}

BROKEN(by_a_freed_task_of_a_chain)
{
    atomic_store(&tasks[1500].word, 0);
    cf__queue_check(&queue);
}

BROKEN(by_a_block_that_ends_before_it_begins)
{
    queue.inbox.next = 1; /* of 508 */
    first_block()->begin = 2;
    cf__queue_check(&queue);
}

BROKEN(by_blocks_behind_the_last)
{
    queue.inbox.last = first_block();
    cf__queue_check(&queue);
}

BROKEN(by_a_sweep_that_has_no_end)
{
    queue.inbox.swept = first_block();
    cf__queue_check(&queue);
}

BROKEN(by_a_sweep_of_a_block_that_is_gone)
{
    static struct cf__inbox_block gone;
    queue.inbox.sweep_end = &gone;
    cf__queue_check(&queue);
}

BROKEN(by_an_order_of_the_heap)
{
    queue.heap.tasks[50].priority = 100;
    cf__queue_check(&queue);
}

BROKEN(by_a_priority_of_0)
{
    queue.heap.tasks[queue.heap.count - 1].priority = 0;
    cf__queue_check(&queue);
}

BROKEN(by_a_hint_that_is_false)
{
    atomic_store(&queue.heap_top, INT64_MIN);
    cf__queue_check(&queue);
}

BROKEN(by_more_in_the_heap_than_was_pushed)
{
    queue.heap_pushed = 10;
    cf__queue_check(&queue);
}

#endif
