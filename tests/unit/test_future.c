/* SPDX-License-Identifier: MIT */
/*
 * lib/future/life.h: cf__future_check() finds nothing in a future that is
 * whole, whatever it has been through, and ends the program on a broken one.
 */
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "lib/future/waiter.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

static struct cf_executor *const some_executor = (void *)&some_executor;

static cf_future *f;
static struct cf__waiter waiters[3];

static void
make_pending(void)
{
    f = cf__block_alloc();
    cr_assert_not_null(f);
    cf__future_init(f, some_executor, NULL, 0, 2);
}

static void
make_running(void)
{
    make_pending();
    cr_assert(cf__future_claim_word(f, 3));
}

static void
make_finished(void)
{
    make_running();
    cf__future_store_result(f, NULL, 8);
    cr_assert(cf__future_finish(f, 0, 0, true));
}

static struct cf__callback *
ignore(struct cf__waiter *waiter, cf_future *done)
{
    (void)waiter;
    (void)done;
    return NULL;
}

static void
make_awaited(void)
{
    make_running();
    for (int i = 0; i < 3; i++) {
        waiters[i].notify = ignore;
        cr_assert(cf__waiter_add(f, &waiters[i]));
    }
}

Test(future, is_whole_from_its_creation_to_its_end, .init = make_pending)
{
    cf__future_check(f);
    cr_assert(cf__future_claim_word(f, 0));
    cf__future_check(f);
    cf__future_store_result(f, malloc(100), 100);
    cr_assert(cf__future_finish(f, 0, 0, true));
    cf__future_check(f);
    cf_future_unref(f);
}

Test(future, is_whole_when_it_has_finished, .init = make_finished)
{
    cf__future_check(f);
    cr_assert(cf_future_ref(f) == f);
    cf_future_unref(f);
    cf__future_check(f);
    cf_future_unref(f);
}

Test(future, is_whole_when_it_has_failed, .init = make_running)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_ETASK;
    cf__future_store_error(f, cf__failure_new(&error));
    cf__future_check(f);
    cr_assert(cf__future_finish(f, CF__FAILED, 0, true));
    cf__future_check(f);
    cf_future_unref(f);
}

Test(future, is_whole_when_it_is_completed_by_hand)
{
    cr_assert(cf_future_create(&f) == CF_OK);
    cf__future_check(f);
    cr_assert(cf_future_set_result(f, "result", 7) == CF_OK);
    cf__future_check(f);
    cf_future_unref(f);
}

Test(future, is_whole_while_threads_wait, .init = make_awaited)
{
    cf__future_check(f);
    cf__waiter_remove(f, &waiters[1]);
    cf__waiter_remove(f, &waiters[0]);
    cr_assert(cf__future_finish(f, 0, 0, true));
    cf__future_check(f);
    cf_future_unref(f);
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which an assertion finds. */
#define BROKEN(what, make)                                                     \
    Test(future, broken_##what, .init = make, .signal = SIGABRT)

BROKEN(without_a_handle, make_pending)
{
    atomic_fetch_sub(&f->word, 2 * CF__HANDLE);
    cf__future_check(f);
}

BROKEN(pending_with_a_runner, make_pending)
{
    atomic_fetch_or(&f->word, UINT64_C(1) << CF__WORKER_SHIFT);
    cf__future_check(f);
}

BROKEN(pending_while_it_is_completed, make_pending)
{
    atomic_fetch_or(&f->word, CF__COMPLETING);
    cf__future_check(f);
}

BROKEN(failed_before_its_end, make_running)
{
    atomic_fetch_or(&f->word, CF__FAILED);
    cf__future_check(f);
}

BROKEN(finished_with_a_sleeper, make_finished)
{
    atomic_fetch_or(&f->word, CF__SLEEPER);
    cf__future_check(f);
}

BROKEN(with_a_bit_of_no_meaning, make_running)
{
    atomic_fetch_or(&f->word, UINT64_C(1) << 31);
    cf__future_check(f);
}

BROKEN(remote_without_an_executor, make_running)
{
    atomic_fetch_or(&f->word, CF__REMOTE);
    f->executor = NULL;
    cf__future_check(f);
}

BROKEN(failed_without_an_error, make_finished)
{
    atomic_fetch_or(&f->word, CF__FAILED);
    cf__future_check(f);
}

BROKEN(with_two_results, make_finished)
{
    f->result_size = 0;
    f->owned |= CF__RESULT_HEAP | CF__RESULT_LENT;
    cf__future_check(f);
}

BROKEN(with_a_result_inside_and_one_outside, make_finished)
{
    f->owned |= CF__RESULT_HEAP;
    cf__future_check(f);
}

BROKEN(with_two_arguments, make_finished)
{
    f->owned |= CF__ARG_HEAP | CF__ARG_POINTER;
    cf__future_check(f);
}

BROKEN(with_an_argument_that_does_not_fit, make_finished)
{
    f->arg_size = CF__INLINE_SIZE + 1;
    cf__future_check(f);
}

BROKEN(by_a_second_outcome, make_running)
{
    cf__future_store_result(f, malloc(100), 100);
    cf__future_store_result(f, NULL, 8);
}

BROKEN(finished_before_it_runs, make_pending)
{
    (void)cf__future_finish(f, 0, 0, true);
}

BROKEN(freed_with_a_waiter, make_awaited)
{
    cf_future_unref(f);
    cf_future_unref(f);
}

BROKEN(freed_with_handles, make_finished)
{
    cf_future_ref(f);
    cf__future_free(f);
}

BROKEN(freed_with_a_timer, make_finished)
{
    struct cf__attributes attributes = {.timer_index = 1};
    f->attributes = &attributes;
    cf_future_unref(f);
}

BROKEN(freed_while_it_is_locked, make_finished)
{
    cf__lock(&f->lock);
    cf_future_unref(f);
}

BROKEN(used_after_its_end, make_finished)
{
    cf_future_unref(f);
    cf_future_ref(f);
    make_pending();
}

BROKEN(by_a_waiter_that_is_linked_one_way, make_awaited)
{
    waiters[0].prev = &waiters[2];
    cf__waiter_remove(f, &waiters[2]);
}

BROKEN(by_a_newest_callback_that_is_not_the_last, make_awaited)
{
    struct cf__callback *callbacks = calloc(3, sizeof *callbacks);
    cr_assert(cf__waiters_add_callback(f, &callbacks[0]));
    cr_assert(cf__waiters_add_callback(f, &callbacks[1]));
    callbacks[0].newest = &callbacks[2];
    cf__waiters_sync(f);
}

BROKEN(unlocked_by_a_thread_that_has_no_lock, make_pending)
{
    cf__unlock(&f->lock);
}

#endif
