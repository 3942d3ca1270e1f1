/* SPDX-License-Identifier: MIT */
/*
 * lib/executor/queue.h with one thread: order over the blocks of the inbox,
 * chains, counts, opening and closing. What several threads do to it is the
 * business of the stress programs.
 */
#include "lib/executor/inbox.h"
#include "lib/future/block.h"
#include "tests/unit/queue_tasks.h"

#include <sys/resource.h>

Test(queue,
     gives_single_tasks_in_order,
     .init = open_queue,
     .fini = close_queue)
{
    for (int i = 0; i < TASKS; i++)
        cr_assert(push(i, 1) == CF_OK);
    cr_assert(cf__queue_pushed(&queue) == TASKS);
    expect_taken(0, TASKS);
    cr_assert_null(cf__queue_take(&queue));
    cr_assert(cf__queue_next_place(&queue) == TASKS);
}

Test(queue, gives_chains_in_order, .init = open_queue, .fini = close_queue)
{
    int at = 0;
    for (int size = 1; at + size <= TASKS; size = size % 37 + 1) {
        cr_assert(push(at, size) == CF_OK);
        at += size;
    }
    cr_assert(cf__queue_count(&queue) == (uint64_t)at);
    expect_taken(0, at);
    cr_assert_null(cf__queue_take(&queue));
}

/* Runs of all lengths, over the ends of the ring, mixed with single tasks. */
Test(queue, gives_runs_in_order, .init = open_queue, .fini = close_queue)
{
    cf_future *run[CF__RING_SIZE + 1];
    int at = 0;
    for (int i = 0; i < TASKS; i++)
        cr_assert(push(i, 1) == CF_OK);
    for (size_t most = 1; at < TASKS; most = most % CF__RING_SIZE + 1) {
        size_t count = cf__queue_take_run(&queue, run, most);
        cr_assert(count > 0 && count <= most);
        for (size_t i = 0; i < count; i++, at++)
            cr_assert(run[i] == &tasks[at], "task %d", at);
        if (at < TASKS)
            cr_assert(cf__queue_take(&queue) == &tasks[at++]);
    }
    cr_assert(cf__queue_take_run(&queue, run, 1) == 0);
    cr_assert_not(cf__queue_has_work(&queue));
}

/* A push that holds the inbox's lock, and one that has made its stores. */
Test(queue,
     missed_work_is_what_is_there,
     .init = open_queue,
     .fini = close_queue)
{
    cf__fence_init();
    cr_assert_not(cf__queue_missed_work(&queue));
    cf__lock(&queue.inbox.lock);
    cr_assert_not(cf__queue_missed_work(&queue), "a lock is no task");
    cf__unlock(&queue.inbox.lock);
    cr_assert(push(0, 1) == CF_OK);
    cf__queue_fence_after_push();
    cr_assert(cf__queue_missed_work(&queue));
    cr_assert(cf__queue_take(&queue) == &tasks[0]);
}

Test(queue, reuses_what_has_been_read, .init = open_queue, .fini = close_queue)
{
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < TASKS; i += 10) {
            cr_assert(push(i, 3) == CF_OK && push(i + 3, 1) == CF_OK);
            cr_assert(push(i + 4, 6) == CF_OK);
            expect_taken(i, i + 5);
            cr_assert(cf__queue_has_work(&queue));
            expect_taken(i + 5, i + 10);
            cr_assert(!cf__queue_has_work(&queue));
        }
    }
}

Test(queue, closed_refuses_and_keeps_what_it_has)
{
    open_queue();
    cr_assert(push(0, 1) == CF_OK && push(1, 2) == CF_OK);
    cr_assert(!cf__queue_close_if_empty(&queue), "there are three");
    cf__queue_close(&queue);
    cr_assert(push(3, 1) == CF_ESHUTDOWN && push(3, 2) == CF_ESHUTDOWN);
    expect_taken(0, 3);
    cr_assert_null(cf__queue_take(&queue));
    cf__queue_open(&queue);
    cr_assert(push(3, 1) == CF_OK);
    expect_taken(3, 4);
    cr_assert(cf__queue_close_if_empty(&queue));
    cr_assert(push(4, 1) == CF_ESHUTDOWN);
    close_queue();
}

Test(queue, is_empty_and_closed_after_a_fork)
{
    open_queue();
    for (int i = 0; i < 1000; i++)
        cr_assert(push(i, 1) == CF_OK);
    expect_taken(0, 10);
    cf__queue_after_fork(&queue);
    cr_assert(!cf__queue_has_work(&queue));
    cr_assert_null(cf__queue_take(&queue));
    cr_assert(push(1000, 1) == CF_ESHUTDOWN);
    close_queue();
}

static void
tidy_completely(void)
{
    for (int i = 1; i <= 20; i++)
        tidy();
}

static void
expect_every(int each)
{
    for (int i = 0; i < TASKS; i += each)
        cr_assert(cf__queue_take(&queue) == &tasks[i], "task %d", i);
    cr_assert_null(cf__queue_take(&queue));
    cr_assert_not(cf__queue_has_work(&queue));
    cr_assert(cf__queue_next_place(&queue) == TASKS);
    for (int i = 0; i < TASKS; i++) {
        uint64_t handles = atomic_load(&tasks[i].word) >> 32;
        cr_assert(handles == (i % each ? 1 : 2), "task %d", i);
    }
}

Test(queue, drops_what_is_cancelled, .init = open_queue, .fini = close_queue)
{
    for (int i = 0; i < TASKS; i++)
        cr_assert(push(i, 1) == CF_OK);
    cancel_all_but(7);
    tidy_completely();
    expect_every(7);
}

Test(queue,
     drops_what_is_cancelled_in_chains,
     .init = open_queue,
     .fini = close_queue)
{
    for (int i = 0; i < TASKS; i += 50)
        cr_assert(push(i, 50) == CF_OK);
    cancel_all_but(13);
    tidy_completely();
    expect_every(13);
}

Test(queue, drops_from_one_long_chain, .init = open_queue, .fini = close_queue)
{
    cr_assert(push(0, TASKS) == CF_OK);
    cancel_all_but(1);
    cr_assert(cf__queue_take(&queue) == &tasks[0]); /* and 127 to the ring */
    for (int i = 128; i < TASKS; i++)
        if (i % 50)
            atomic_store(&tasks[i].word, 2 * CF__HANDLE | CF_CANCELED);
    tidy_completely();
    expect_taken(1, 128);
    for (int i = 150; i < TASKS; i += 50)
        cr_assert(cf__queue_take(&queue) == &tasks[i], "task %d", i);
    cr_assert_null(cf__queue_take(&queue));
    cr_assert(cf__queue_next_place(&queue) == TASKS);
}

Test(queue, drops_all_and_goes_on, .init = open_queue, .fini = close_queue)
{
    cancel_all_but(TASKS);
    for (int i = 1; i < TASKS; i++) {
        cr_assert(push(i, 1) == CF_OK);
        if (i % 100 == 0)
            tidy();
    }
    atomic_store(&tasks[0].word, CF__HANDLE | CF_PENDING);
    cr_assert(push(0, 1) == CF_OK);
    tidy_completely();
    cr_assert(cf__queue_take(&queue) == &tasks[0]);
    cr_assert_null(cf__queue_take(&queue));
    cr_assert_not(cf__queue_has_work(&queue));
}

/* --- no memory ------------------------------------------------------------ */

/* From now on there is no memory: not from the system, and no block is free. */
static void
end_memory(void)
{
    const struct rlimit none = {0, 0};
    cr_assert(setrlimit(RLIMIT_AS, &none) == 0);
    while (cf__block_alloc())
        continue;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MEMORY_TEST(name)                                                      \
    Test(queue, name, .init = open_queue, .fini = close_queue)
#else /* whose own memory would end, too */
#define MEMORY_TEST(name) __attribute__((unused)) static void name(void)
#endif

MEMORY_TEST(pushes_that_are_reserved_need_no_memory)
{
    enum { PUSHES = TASKS / CF__INBOX_SLOTS };
    cr_assert(push(0, 1) == CF_OK);
    cr_assert(cf__inbox_reserve(PUSHES));
    end_memory();
    for (int i = 0; i < PUSHES; i++) {
        int from = 1 + i * (CF__INBOX_SLOTS - 1);
        cr_assert(push(from, CF__INBOX_SLOTS - 1) == CF_OK);
    }
    cf__inbox_unreserve();
    expect_taken(0, 1 + PUSHES * (CF__INBOX_SLOTS - 1));
}

MEMORY_TEST(a_chain_without_memory_leaves_the_queue_as_it_was)
{
    cr_assert(push(0, 300) == CF_OK);
    end_memory();
    for (int count = 300; count < 4000; count += 1000)
        cr_assert(push(300, count) == CF_ENOMEM, "%d", count);
    cr_assert(push(300, CF__INBOX_SLOTS - 300) == CF_OK); /* fits */
    expect_taken(0, CF__INBOX_SLOTS);
    cr_assert_null(cf__queue_take(&queue));
}
