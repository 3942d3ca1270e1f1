/* SPDX-License-Identifier: MIT */
/*
 * lib/executor/bound.h with one thread, and a claim that is undone: what a
 * process pool does with a task that a worker has not begun.
 */
#include "lib/executor/bound_line.h"
#include "lib/executor/executor.h"
#include "lib/executor/pending.h"
#include "lib/future/life.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>

static struct cf__bound *bound;
static cf_executor executor;
static cf_future future;

/* CF_OK: the tasks have room. */
static cf_err
acquire(size_t count, enum cf__entry entry)
{
    cf_err why = CF_OK;
    enum cf__bound_answer answer = cf__bound_acquire(bound, count, entry, &why);
    cr_assert((answer == CF__BOUND_REFUSED) == (why != CF_OK));
    return why;
}

static void
begin(void)
{
    bound = cf__bound_new(2, CF_QUEUE_REJECT);
    cr_assert_not_null(bound);
    executor.bound = bound;
    future.executor = &executor;
    atomic_init(&future.word, CF__HANDLE | CF_PENDING);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
}

static void
end(void)
{
    cf__bound_free(bound);
}

Test(bound, lets_in_by_policy_or_over_it, .init = begin, .fini = end)
{
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_EAGAIN);
    cr_assert(acquire(1, CF__ENTRY_AT_ONCE) == CF_EAGAIN);
    cr_assert(acquire(3, CF__ENTRY_BY_POLICY) == CF_ETOOBIG);
    cr_assert(acquire(3, CF__ENTRY_OVER) == CF_OK);
    cf__bound_release(bound, 3);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_EAGAIN);
    cf__bound_release(bound, 1);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
}

Test(bound, tells_the_caller_to_run_what_has_no_room)
{
    cf_err why = CF_OK;
    bound = cf__bound_new(1, CF_QUEUE_CALLER_RUNS);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
    cr_assert(cf__bound_acquire(bound, 1, CF__ENTRY_BY_POLICY, &why) ==
              CF__BOUND_CALLER_RUNS);
    cr_assert(cf__bound_pending(bound) == 1);
    cf__bound_close(bound, CF_ESHUTDOWN);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_ESHUTDOWN);
    cf__bound_free(bound);
}

Test(bound, counts_a_claim_that_is_undone, .init = begin, .fini = end)
{
    cr_assert(cf__future_claim(&future, 3));
    cr_assert(cf__bound_pending(bound) == 0);
    cr_assert(cf__future_unclaim(&future));
    cr_assert(cf__state(atomic_load(&future.word)) == CF_PENDING);
    cr_assert(cf__runner(atomic_load(&future.word)) == -1);
    cr_assert(cf__bound_pending(bound) == 1);
    cr_assert(cf__future_claim(&future, 3), "once more");
    cr_assert(cf__bound_pending(bound) == 0);
}

Test(bound, counts_it_when_it_is_full_or_closed, .init = begin, .fini = end)
{
    cr_assert(cf__future_claim(&future, 0));
    cr_assert(acquire(2, CF__ENTRY_BY_POLICY) == CF_OK);
    cf__bound_close(bound, CF_ESHUTDOWN);
    cr_assert(cf__future_unclaim(&future));
    cr_assert(cf__bound_pending(bound) == 3, "%zu", cf__bound_pending(bound));
    cf__bound_release(bound, 3);
    cr_assert(cf__bound_pending(bound) == 0, "%zu", cf__bound_pending(bound));
}

Test(bound, is_left_alone_if_the_timer_was_faster, .init = begin, .fini = end)
{
    cr_assert(cf__future_claim(&future, 0));
    cr_assert(cf__future_begin_completing(&future, false));
    cr_assert_not(cf__future_unclaim(&future));
    cr_assert(cf__state(atomic_load(&future.word)) == CF_RUNNING);
    cr_assert(cf__bound_pending(bound) == 0);
}

static pthread_barrier_t round_begins;
static bool timer_won;
enum { ROUNDS = 3000 };

static void *
begin_completing_each_round(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&round_begins);
        timer_won = cf__future_begin_completing(&future, false);
        pthread_barrier_wait(&round_begins);
    }
    return NULL;
}

Test(bound, counts_a_claim_that_is_undone_or_timed_out)
{
    pthread_t timer;
    begin();
    pthread_barrier_init(&round_begins, NULL, 2);
    cr_assert(pthread_create(&timer, NULL, begin_completing_each_round, NULL) ==
              0);
    for (int i = 0; i < ROUNDS; i++) {
        cr_assert(cf__future_claim(&future, 0));
        cr_assert(cf__bound_pending(bound) == 0);
        pthread_barrier_wait(&round_begins);
        bool undone = cf__future_unclaim(&future);
        pthread_barrier_wait(&round_begins);
        cr_assert(undone != timer_won, "one of them, in round %d", i);
        cr_assert(cf__bound_pending(bound) == (undone ? 1 : 0));
        if (!undone) { /* the next round's task */
            atomic_store(&future.word, CF__HANDLE | CF_PENDING);
            cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
        }
    }
    pthread_join(timer, NULL);
    pthread_barrier_destroy(&round_begins);
    end();
}

/* --- the line and cf__bound_check() --------------------------------------- */

static void *
acquire_two(void *answer)
{
    *(cf_err *)answer = acquire(2, CF__ENTRY_BY_POLICY);
    return NULL;
}

/* Waits until so many threads stand in line or have just been called. */
static void
await_inside(size_t count)
{
    size_t inside;
    do {
        sched_yield();
        pthread_mutex_lock(&bound->lock);
        inside = bound->inside;
        pthread_mutex_unlock(&bound->lock);
    } while (inside != count);
}

Test(bound, is_whole_at_each_step)
{
    pthread_t threads[3];
    cf_err answers[3];
    bound = cf__bound_new(2, CF_QUEUE_BLOCK);
    cf__bound_check(bound);
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
    for (int i = 0; i < 3; i++) {
        pthread_create(&threads[i], NULL, acquire_two, &answers[i]);
        await_inside((size_t)i + 1);
        cf__bound_check(bound);
    }
    cf__bound_release(bound, 1);
    cf__bound_check(bound);
    await_inside(2);
    cr_assert(acquire(1, CF__ENTRY_OVER) == CF_OK);
    cf__bound_check(bound);
    cf__bound_release(bound, 3);
    cf__bound_check(bound);
    await_inside(1);
    cf__bound_close(bound, CF_ESHUTDOWN);
    cf__bound_check(bound);
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        refused += answers[i] == CF_ESHUTDOWN;
    }
    cr_assert(refused == 1 && answers[2] == CF_ESHUTDOWN);
    cf__bound_check(bound);
    cf__bound_free(bound);
}

Test(bound, lets_no_thread_in_before_a_claim_that_is_undone_has_room)
{
    pthread_t thread;
    cf_err answer = CF_EAGAIN;
    begin();
    bound->policy = CF_QUEUE_BLOCK;
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
    cr_assert(cf__future_claim(&future, 0));
    cr_assert(acquire(1, CF__ENTRY_BY_POLICY) == CF_OK);
    pthread_create(&thread, NULL, acquire_two, &answer);
    await_inside(1);
    cr_assert(cf__future_unclaim(&future));
    for (size_t pending = 3; pending > 0; pending--) {
        cr_assert(cf__bound_pending(bound) == pending && bound->inside == 1);
        cf__bound_check(bound);
        cf__bound_release(bound, 1);
    }
    pthread_join(thread, NULL);
    cr_assert(answer == CF_OK && cf__bound_pending(bound) == 2);
    end();
}

#ifdef CF_ASSERTIONS

static struct cf__waiting line[2];

/* A full bound, and a line of two. */
static void
make_line(void)
{
    bound = cf__bound_new(2, CF_QUEUE_BLOCK);
    cr_assert(acquire(2, CF__ENTRY_BY_POLICY) == CF_OK);
    for (int i = 0; i < 2; i++) {
        line[i] = (struct cf__waiting){.bound = bound, .count = 1};
        *bound->end = &line[i];
        bound->end = &line[i].next;
        bound->inside++;
    }
    cf__bound_check(bound);
}

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(bound, broken_##what, .init = make_line, .signal = SIGABRT)

BROKEN(by_a_release_too_many)
{
    bound->first = NULL;
    bound->end = &bound->first;
    cf__bound_release(bound, 3);
}

BROKEN(by_a_count_below_0)
{
    bound->pending = (size_t)-1;
    cf__bound_check(bound);
}

BROKEN(by_room_for_the_first_of_the_line)
{
    bound->pending = 1;
    cf__bound_check(bound);
}

BROKEN(by_a_line_that_is_closed)
{
    bound->closed = CF_ESHUTDOWN;
    cf__bound_check(bound);
}

BROKEN(by_a_line_where_none_is_to_be)
{
    bound->policy = CF_QUEUE_REJECT;
    cf__bound_check(bound);
}

BROKEN(by_an_end_that_is_not_the_end)
{
    bound->end = &line[0].next;
    cf__bound_check(bound);
}

BROKEN(by_one_in_line_that_was_called)
{
    line[1].called = true;
    cf__bound_check(bound);
}

BROKEN(by_one_in_line_for_too_much)
{
    line[1].count = 3;
    cf__bound_check(bound);
}

BROKEN(by_one_in_line_for_nothing)
{
    line[1].count = 0;
    cf__bound_check(bound);
}

BROKEN(by_a_line_that_is_longer_than_was_counted)
{
    bound->inside = 1;
    cf__bound_check(bound);
}

#endif
