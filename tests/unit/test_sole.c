/* SPDX-License-Identifier: MIT */
/*
 * lib/future/sole.h: a future has a sole waiter once in its life, and only
 * before all other waiters; it is delivered to it once, or not after the waiter
 * has left; whatever else comes sends the waiter to the list.
 */
#include "lib/base/worker.h"
#include "lib/future/life.h"
#include "lib/future/sole.h"
#include "lib/future/waiter.h"

#include <criterion/criterion.h>
#include <pthread.h>

static struct cf_executor *const some_executor = (void *)&some_executor;

static cf_future *f;
static cf_future *delivered;
static int deliveries, unparks;

static void
deliver(struct cf__worker *worker, cf_future *done)
{
    (void)worker;
    delivered = done;
    deliveries++;
}

static void
unpark(struct cf__worker *worker)
{
    (void)worker;
    unparks++;
}

static const struct cf__suspend_ops ops = {.deliver = deliver,
                                           .unpark = unpark};
static struct cf__worker self = {.suspend = &ops}, other = {.suspend = &ops};

static void
make_pending(void)
{
    f = cf__block_alloc();
    cr_assert_not_null(f);
    cf__future_init(f, some_executor, NULL, 0, 2);
}

static void
finish(void)
{
    bool claimed = cf__future_claim_word(f, 0);
    cf__future_store_result(f, NULL, 8);
    cr_assert(cf__future_finish(f, 0, 0, true) && claimed);
}

static struct cf__callback *
ignore(struct cf__waiter *waiter, cf_future *done)
{
    (void)waiter;
    (void)done;
    return NULL;
}

static void
count_call(cf_future *done, void *data)
{
    cr_assert(cf_future_done(done));
    ++*(int *)data;
}

Test(sole, gets_the_future_when_that_is_done, .init = make_pending)
{
    cr_assert(cf__sole_publish(f, &self));
    cr_assert(!cf__sole_publish(f, &other));
    cf__future_check(f);
    finish();
    cr_assert_eq(delivered, f);
    cr_assert_eq(cf__sole_take(f), &self);
    cr_assert(!cf__sole_publish(f, &other));
    cf_future_unref(f);
    cr_assert_eq(deliveries, 1);
    cr_assert_eq(unparks, 0);
}

Test(sole, waits_for_a_task_that_runs, .init = make_pending)
{
    cr_assert(cf__future_claim_word(f, 0));
    cr_assert(cf__sole_publish(f, &self));
    cr_assert(cf__future_finish(f, 0, 0, true));
    cr_assert_eq(cf__sole_take(f), &self);
    cf_future_unref(f);
    cr_assert_eq(deliveries, 1);
}

Test(sole, gets_nothing_when_it_has_left, .init = make_pending)
{
    cr_assert(cf__sole_publish(f, &self));
    cr_assert(cf__sole_retract(f));
    cr_assert(!cf__sole_publish(f, &self));
    finish();
    cf_future_unref(f);
    cr_assert_eq(deliveries, 0);
}

Test(sole, that_leaves_too_late_gets_the_future, .init = make_pending)
{
    cr_assert(cf__sole_publish(f, &self));
    finish();
    cr_assert(!cf__sole_retract(f));
    cr_assert_eq(cf__sole_take(f), &self);
    cf_future_unref(f);
    cr_assert_eq(deliveries, 1);
}

Test(sole, goes_when_a_waiter_comes, .init = make_pending)
{
    struct cf__waiter waiter = {.notify = ignore};
    cr_assert(cf__sole_publish(f, &self));
    cr_assert(cf__waiter_add(f, &waiter));
    cr_assert_eq(unparks, 1);
    cr_assert(cf__sole_retract(f));
    cf__future_check(f);
    finish();
    cr_assert(cf__sole_retract(f), "it was evicted before the end");
    cf_future_unref(f);
    cr_assert_eq(deliveries, 0);
    cr_assert_eq(unparks, 1);
}

Test(sole, goes_when_a_callback_comes, .init = make_pending)
{
    int calls = 0;
    cr_assert(cf__sole_publish(f, &self));
    cr_assert_eq(cf_future_on_done(f, count_call, &calls), CF_OK);
    cr_assert_eq(unparks, 1);
    finish();
    cf_future_unref(f);
    cr_assert_eq(calls, 1);
    cr_assert_eq(deliveries, 0);
}

Test(sole, cannot_come_after_a_waiter, .init = make_pending)
{
    struct cf__waiter waiter = {.notify = ignore};
    cr_assert(cf__waiter_add(f, &waiter));
    cr_assert(!cf__sole_publish(f, &self));
    cf__waiter_remove(f, &waiter);
    cr_assert(!cf__sole_publish(f, &self));
    finish();
    cf_future_unref(f);
}

Test(sole, cannot_wait_for_what_is_done, .init = make_pending)
{
    finish();
    cr_assert(!cf__sole_publish(f, &self));
    cf_future_unref(f);
}

Test(sole, cannot_wait_for_a_promise)
{
    cr_assert_eq(cf_future_create(&f), CF_OK);
    cr_assert(!cf__sole_publish(f, &self));
    cf_future_unref(f);
}

Test(sole, gets_what_a_timer_finishes_while_it_runs, .init = make_pending)
{
    cr_assert(cf__future_claim_word(f, 0));
    cr_assert(cf__sole_publish(f, &self));
    cr_assert(cf__future_begin_completing(f, false));
    cr_assert(cf__future_finish_slow(f, CF__FAILED, CF__COMPLETING, false));
    cr_assert_eq(deliveries, 1);
    cr_assert_eq(cf__sole_take(f), &self);
    cr_assert(!cf__future_finish(f, 0, 0, true)); /* its runner */
    cf_future_unref(f);
    cr_assert_eq(deliveries, 1);
}

Test(sole, cannot_wait_for_a_task_of_the_parent, .init = make_pending)
{
    f->generation += 2;
    cr_assert(!cf__sole_publish(f, &self));
    f->generation -= 2;
    finish();
    cf_future_unref(f);
}

/* The waiter may have been stopped by the system after its first step. */
static void *
store_late(void *arg)
{
    (void)arg;
    cf__nap(CF__MS(20));
    cf_store_release(&f->waiters, (uintptr_t)&self | CF__SOLE_TAG);
    return NULL;
}

Test(sole, is_awaited_by_the_completer, .init = make_pending, .timeout = 60)
{
    pthread_t thread;
    atomic_fetch_or(&f->word, CF__SOLE);
    cr_assert_eq(pthread_create(&thread, NULL, store_late, NULL), 0);
    finish();
    cr_assert_eq(deliveries, 1);
    cr_assert_eq(cf__sole_take(f), &self);
    pthread_join(thread, NULL);
    cf_future_unref(f);
}

/* In a child the waiter is the parent's, which may have stopped there. */
Test(sole, of_the_parent_is_forgotten, .init = make_pending, .timeout = 60)
{
    struct cf__waiter waiter = {.notify = ignore};
    atomic_fetch_or(&f->word, CF__SOLE);
    f->generation += 2;
    cr_assert(cf__waiter_add(f, &waiter));
    f->generation -= 2;
    finish();
    cf_future_unref(f);
    cr_assert_eq(unparks, 0);
    cr_assert_eq(deliveries, 0);
}
