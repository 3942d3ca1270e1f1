/* SPDX-License-Identifier: MIT */
/* The program's account of a lane, and cf__lane_check(). */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process_pool/lane.h"

enum { TASKS = CF__LANE, ADDED = 5, TAKEN_BACK = 2 };

static struct cf__shared *shared;
static struct cf__process_lane lane;
static cf_future tasks[TASKS];

static void
add(int i)
{
    atomic_store(&tasks[i].word, CF__HANDLE | CF__REMOTE | CF_RUNNING);
    cf__lane_add(&lane, &tasks[i], (uint64_t)i + 1, 0);
}

static void
open_lane(void)
{
    shared = cf__shared_new(1, 64 << 10);
    cr_assert_not_null(shared);
    cf__lane_init(&lane, shared, 0);
    cf__lane_reset(&lane);
    lane.state = CF__LANE_STAFFED;
}

/* Some tasks in hand, one of them taken back. */
static void
fill_lane(void)
{
    open_lane();
    for (int i = 0; i < ADDED; i++)
        add(i);
    cf__lane_publish(&lane, 1);
    cr_assert(cf__lane_revoke(&lane, lane.oldest + TAKEN_BACK) ==
              &tasks[TAKEN_BACK]);
}

static void
close_lane(void)
{
    cf__shared_release(shared);
}

Test(lane, is_whole_at_each_step, .init = open_lane, .fini = close_lane)
{
    cf__lane_check(&lane);
    for (int i = 0; i < TASKS; i++) {
        add(i);
        cf__lane_check(&lane);
    }
    cf__lane_publish(&lane, 1);
    cf__lane_check(&lane);
    for (uint64_t p = lane.oldest; p < lane.next; p += 3) {
        cr_assert_not_null(cf__lane_revoke(&lane, p));
        cr_assert_null(cf__lane_revoke(&lane, p), "it is not there");
        cf__lane_check(&lane);
    }
    cf__lane_quit(&lane);
    cf__lane_check(&lane);
}

/* As the worker: takes the oldest order and ends it. Then as a collection. */
static void
end_oldest(void)
{
    uint64_t p = lane.oldest;
    _Atomic uint64_t *state = &cf__lane_outcome(&lane, p)->state;
    cr_assert(cf__lane_is_untaken(&lane, p), "%d", (int)(p - lane.oldest));
    atomic_store(state, cf__position_state(p, CF__TAKEN));
    cr_assert_not(cf__lane_is_untaken(&lane, p));
    atomic_store(state, cf__position_state(p, CF__DONE));
    lane.tasks[p % CF__LANE] = NULL;
    atomic_store(&lane.in->collected, ++lane.oldest);
}

/* Whatever the worker before has left, also in entries of its second lap. */
Test(lane, has_only_untaken_orders_for_a_new_worker, .init = open_lane)
{
    for (int worker = 0; worker < 3; worker++) {
        for (int i = 0; i < TASKS + TASKS / 3; i++) {
            add(0);
            cf__lane_publish(&lane, 1);
            end_oldest();
        }
        for (int i = 0; i < TASKS; i++)
            atomic_store(&lane.out->outcomes[i].state,
                         cf__position_state(lane.next - (uint64_t)i,
                                            i % 2 ? CF__TAKEN : CF__REVOKED));
        cf__lane_reset(&lane);
        cf__lane_check(&lane);
    }
    close_lane();
}

/* How many pages of such a range have memory. */
static size_t
pages_with_memory(void *from, size_t size)
{
    static unsigned char pages[TASKS];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    cr_assert(size / page < sizeof pages);
    cr_assert(mincore(from, size, pages) == 0);
    for (size_t i = 0; i < size / page; i++)
        count += pages[i] & 1;
    return count;
}

/* The head of each half, and the first entries. */
Test(lane, has_memory_for_what_it_was_used_for, .init = fill_lane)
{
    cr_assert(pages_with_memory(lane.in, sizeof *lane.in) <= 2);
    cr_assert(pages_with_memory(lane.out, sizeof *lane.out) <= 2);
    close_lane();
}

Test(lane, finds_its_tasks, .init = fill_lane, .fini = close_lane)
{
    for (int i = 0; i < ADDED; i++) {
        uint64_t p = i == TAKEN_BACK ? UINT64_MAX : lane.oldest + (uint64_t)i;
        cr_assert(cf__lane_find(&lane, &tasks[i]) == p, "%d", i);
    }
    cr_assert(cf__lane_in_hand(&lane) == ADDED);
    cr_assert(cf__lane_tasks(&lane) == ADDED - 1);
}

Test(lane, believes_no_failure_outside_the_outbox, .init = fill_lane)
{
    struct cf__lane_failure failure;
    uint64_t size = lane.outbox_size;
    cr_assert(cf__lane_read_failure(&lane, 0, &failure), "all zero is one");
    cr_assert_not(cf__lane_read_failure(&lane, size - 8, &failure));
    cr_assert_not(cf__lane_read_failure(&lane, UINT64_MAX, &failure));
    struct cf__wire_failure *wire =
        (struct cf__wire_failure *)(void *)cf__shared_outbox(shared, 0);
    wire->message_size = CF__MESSAGE_MAX + 1;
    cr_assert_not(cf__lane_read_failure(&lane, 0, &failure));
    close_lane();
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(lane, broken_##what, .init = fill_lane, .signal = SIGABRT)

BROKEN(by_an_oldest_above_published)
{
    lane.oldest = lane.published + 1;
    cf__lane_check(&lane);
}

BROKEN(by_a_published_above_next)
{
    lane.published = lane.next + 1;
    cf__lane_check(&lane);
}

BROKEN(by_an_oldest_below_the_first)
{
    lane.oldest = CF__FIRST_POSITION - 1;
    cf__lane_check(&lane);
}

BROKEN(by_more_than_the_ring_holds)
{
    lane.next = lane.published = lane.oldest + CF__LANE + 1;
    cf__lane_check(&lane);
}

BROKEN(by_adding_more_than_the_ring_holds)
{
    for (int i = ADDED; i <= TASKS; i++)
        add(i % TASKS);
}

BROKEN(by_a_task_taken_back_and_not_counted)
{
    lane.revoked = 0;
    cf__lane_check(&lane);
}

BROKEN(by_a_task_that_is_elsewhere)
{
    atomic_store(&tasks[0].base, 7);
    cf__lane_check(&lane);
}

BROKEN(by_a_task_that_is_there_twice)
{
    lane.tasks[(lane.oldest + 1) % CF__LANE] = &tasks[0];
    cf__lane_check(&lane);
}

BROKEN(by_a_task_without_a_handle)
{
    atomic_store(&tasks[0].word, CF__REMOTE | CF_RUNNING);
    cf__lane_check(&lane);
}

BROKEN(by_a_task_that_is_not_remote)
{
    atomic_store(&tasks[0].word, CF__HANDLE | CF_RUNNING);
    cf__lane_check(&lane);
}

BROKEN(by_more_failures_than_ends)
{
    lane.failed = lane.done + 1;
    cf__lane_check(&lane);
}

BROKEN(by_a_mark_above_next)
{
    lane.mark = lane.next + 1;
    cf__lane_check(&lane);
}

BROKEN(by_tasks_without_a_worker)
{
    lane.state = CF__LANE_ABSENT;
    cf__lane_check(&lane);
}

BROKEN(by_orders_that_were_not_published)
{
    atomic_fetch_sub(&lane.in->published, 1);
    cf__lane_check(&lane);
}

BROKEN(by_outcomes_that_were_not_collected)
{
    atomic_fetch_add(&lane.in->collected, 1);
    cf__lane_check(&lane);
}

BROKEN(by_a_request_that_was_not_answered)
{
    lane.answered++;
    cf__lane_check(&lane);
}

BROKEN(by_a_quit_that_was_not_told)
{
    lane.quitting = true;
    cf__lane_check(&lane);
}

BROKEN(by_a_reset_with_tasks_in_hand)
{
    cf__lane_reset(&lane);
}

#endif
