/* SPDX-License-Identifier: MIT */
/*
 * Scopes, as code in a task and in a plain thread sees them. What CPython's
 * test_timeouts.py shows in the same way has its name here. A scope that
 * another thread cancels: test_scope_cancel.c. Shields: test_shield.c.
 */
#include "tests/conformance/scope_test.h"

#include "tests/conformance/children.h"

#include <signal.h>
#include <time.h>

/* Some time passes, but no wait of the library sees it. */
static void
waste(int64_t ns)
{
    struct timespec now, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - end.tv_sec) * CF_SECONDS(1) + now.tv_nsec -
                 end.tv_nsec <
             ns);
}

SCOPE_TEST(timeout_basic)
{
    cf_scope *scope;
    REQUIRE(cf_scope_begin(call, 5 * MS, &scope) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(all_waits_return(call, CF_EINTERRUPTED) == 0);
    REQUIRE(cf_call_canceled(call));
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    REQUIRE(!cf_call_canceled(call));
    REQUIRE(cf_sleep(call, 1) == CF_OK);
    REQUIRE(cf_yield(call) == CF_OK);
    return 0;
}

SCOPE_TEST(each_wait_ends_by_itself)
{
    for (int kind = 0; kind < 6; kind++) {
        cf_scope *scope;
        cf_event *event;
        cf_future *both[] = {promise(), promise()};
        cf_err err = CF_ESYS;
        REQUIRE(cf_event_create(&event) == CF_OK);
        REQUIRE(cf_scope_begin(call, 2 * MS, &scope) == CF_OK);
        if (kind == 0)
            err = cf_future_wait(both[0], CF_FOREVER);
        else if (kind == 1)
            err = cf_wait(both, 2, CF_ALL_COMPLETED, CF_FOREVER, NULL);
        else if (kind == 2)
            err = cf_wait(both, 2, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
        else if (kind == 3)
            err = cf_sleep(call, CF_FOREVER);
        else if (kind == 4)
            err = cf_event_wait(event, CF_FOREVER);
        else
            while (!(err = cf_yield(call)))
                continue;
        REQUIRE(err == CF_EINTERRUPTED);
        REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
        cf_event_destroy(event);
        unref_all(both, 2);
    }
    return 0;
}

SCOPE_TEST(a_scope_in_time_does_nothing)
{
    cf_scope *scope;
    cf_future *f = promise();
    REQUIRE(cf_scope_begin(call, LONG, &scope) == CF_OK);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_future_wait(f, MS) == CF_ETIMEDOUT);
    REQUIRE(cf_wait(&f, 1, CF_FIRST_COMPLETED, MS, NULL) == CF_ETIMEDOUT);
    REQUIRE(cf_yield(call) == CF_OK);
    REQUIRE(!cf_call_canceled(call));
    REQUIRE(cf_scope_end(scope) == CF_OK);
    cf_future_unref(f);
    return 0;
}

SCOPE_TEST(timeout_disabled)
{
    cf_scope *scope;
    REQUIRE(cf_scope_begin(call, CF_FOREVER, &scope) == CF_OK);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_scope_end(scope) == CF_OK);
    return 0;
}

SCOPE_TEST(timeout_zero)
{
    cf_scope *scope;
    REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
    REQUIRE(all_waits_return(call, CF_EINTERRUPTED) == 0);
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    return 0;
}

SCOPE_TEST(a_scope_that_told_no_code_has_not_struck)
{
    cf_scope *scope;
    REQUIRE(cf_scope_begin(call, 1, &scope) == CF_OK);
    waste(MS);
    REQUIRE(cf_scope_end(scope) == CF_OK);
    REQUIRE(cf_scope_begin(call, 1, &scope) == CF_OK);
    waste(MS);
    REQUIRE(cf_call_canceled(call));
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    return 0;
}

SCOPE_TEST(nested_timeouts)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, 5 * MS, &outer) == CF_OK);
    REQUIRE(cf_scope_begin(call, LONG, &inner) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(inner) == CF_EINTERRUPTED);
    REQUIRE(all_waits_return(call, CF_EINTERRUPTED) == 0);
    REQUIRE(cf_scope_end(outer) == CF_ETIMEDOUT);
    return 0;
}

SCOPE_TEST(an_inner_scope_strikes_alone)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, LONG, &outer) == CF_OK);
    REQUIRE(cf_scope_begin(call, MS, &inner) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(inner) == CF_ETIMEDOUT);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_scope_end(outer) == CF_OK);
    return 0;
}

SCOPE_TEST(nested_timeouts_concurrent)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, MS, &outer) == CF_OK);
    REQUIRE(cf_scope_begin(call, MS, &inner) == CF_OK);
    waste(2 * MS);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(inner) == CF_ETIMEDOUT);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(outer) == CF_ETIMEDOUT);
    return 0;
}

SCOPE_TEST(a_cancelled_scope_strikes)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, LONG, &outer) == CF_OK);
    REQUIRE(cf_scope_begin(call, LONG, &inner) == CF_OK);
    cf_scope_cancel(outer);
    cf_scope_cancel(outer);
    REQUIRE(all_waits_return(call, CF_EINTERRUPTED) == 0);
    REQUIRE(cf_call_canceled(call));
    REQUIRE(cf_scope_end(inner) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(outer) == CF_ECANCELED);
    REQUIRE(cf_scope_begin(call, LONG, &outer) == CF_OK);
    cf_scope_cancel(outer);
    REQUIRE(cf_scope_end(outer) == CF_ECANCELED);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    cf_scope_cancel(NULL);
    return 0;
}

SCOPE_TEST(reschedule)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, 0, &outer) == CF_OK);
    REQUIRE(cf_scope_extend(outer, LONG) == CF_OK);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_scope_begin(call, CF_FOREVER, &inner) == CF_OK);
    REQUIRE(cf_scope_extend(outer, 2 * MS) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_extend(outer, LONG) == CF_ETIMEDOUT);
    REQUIRE(cf_scope_extend(inner, LONG) == CF_OK);
    REQUIRE(cf_scope_end(inner) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(outer) == CF_ETIMEDOUT);
    REQUIRE(cf_scope_begin(call, LONG, &outer) == CF_OK);
    REQUIRE(cf_scope_extend(outer, -2) == CF_EINVAL);
    REQUIRE(cf_scope_extend(NULL, 1) == CF_EINVAL);
    REQUIRE(cf_scope_extend(outer, CF_FOREVER) == CF_OK);
    REQUIRE(cf_scope_end(outer) == CF_OK);
    REQUIRE(cf_scope_extend(outer, 1) == CF_EINVAL);
    return 0;
}

SCOPE_TEST(scopes_end_in_their_order)
{
    cf_scope *outer, *inner;
    REQUIRE(cf_scope_begin(call, LONG, &outer) == CF_OK);
    REQUIRE(cf_scope_begin(call, LONG, &inner) == CF_OK);
    REQUIRE(cf_scope_end(outer) == CF_EINVAL);
    REQUIRE(cf_scope_end(NULL) == CF_EINVAL);
    cf_shield_begin(call);
    REQUIRE(cf_scope_end(inner) == CF_EINVAL);
    cf_shield_end(call);
    REQUIRE(cf_scope_end(inner) == CF_OK);
    REQUIRE(cf_scope_end(inner) == CF_EINVAL);
    REQUIRE(cf_scope_end(outer) == CF_OK);
    REQUIRE(cf_scope_end(outer) == CF_EINVAL);
    REQUIRE(cf_scope_begin(call, -2, &outer) == CF_EINVAL);
    REQUIRE(cf_scope_begin(call, LONG, NULL) == CF_EINVAL);
    return 0;
}

SCOPE_TEST(a_thousand_scopes)
{
    cf_scope *scopes[1000];
    for (int i = 0; i < 1000; i++)
        REQUIRE(cf_scope_begin(call, LONG, &scopes[i]) == CF_OK);
    cf_scope_cancel(scopes[500]);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    for (int i = 1000; i-- > 0;) {
        cf_err expected = i > 500    ? CF_EINTERRUPTED
                          : i == 500 ? CF_ECANCELED
                                     : CF_OK;
        REQUIRE(cf_scope_end(scopes[i]) == expected);
    }
    return 0;
}

static int
sleep_a_little(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    REQUIRE(!cf_call_canceled(call));
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_scope_end((cf_scope *)arg) == CF_EINVAL);
    return 0;
}

/* Also if it runs on top of its submitter: in the submit, or in the wait. */
SCOPE_TEST(a_task_has_none_of_its_submitters_scopes)
{
    cf_scope *scope;
    cf_future *f;
    cf_executor *ex = cf_call_executor(call);
    if (!call)
        return 0; /* it has no executor */
    REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
    REQUIRE(cf_submit(ex, sleep_a_little, scope, 0, &f) == CF_OK);
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    REQUIRE(err == CF_OK || err == CF_EINTERRUPTED);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    REQUIRE(cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
    cf_future_unref(f);
    return 0;
}

static void
sleep_in_callback(cf_future *f, void *data)
{
    cf_scope *scope;
    cf_err *err = data;
    (void)f;
    *err = cf_sleep(NULL, MS);
    if (*err || cf_scope_begin(NULL, 0, &scope))
        return;
    if (cf_sleep(NULL, LONG) != CF_EINTERRUPTED ||
        cf_scope_end(scope) != CF_ETIMEDOUT)
        *err = CF_ESTATE;
}

SCOPE_TEST(a_callback_has_none_of_the_completers_scopes)
{
    cf_scope *scope;
    cf_err early = CF_ESYS, late = CF_ESYS;
    cf_future *f = promise();
    REQUIRE(cf_future_on_done(f, sleep_in_callback, &early) == CF_OK);
    REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
    REQUIRE(cf_future_set_result(f, NULL, 0) == CF_OK);
    REQUIRE(cf_future_on_done(f, sleep_in_callback, &late) == CF_OK);
    REQUIRE(early == CF_OK);
    REQUIRE(late == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    cf_future_unref(f);
    return 0;
}

CF_TEST(a_scope_is_in_a_forks_child_too)
{
    cf_scope *scope;
    assert_ok(cf_scope_begin(NULL, LONG, &scope));
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *f = NULL;
        child_check(cf_future_create(&f) == CF_OK);
        child_check(cf_future_wait(f, MS) == CF_ETIMEDOUT);
        cf_scope_cancel(scope);
        child_check(cf_future_wait(f, CF_FOREVER) == CF_EINTERRUPTED);
        child_check(cf_scope_end(scope) == CF_ECANCELED);
        child_check(cf_scope_begin(NULL, 0, &scope) == CF_OK);
        child_check(cf_sleep(NULL, LONG) == CF_EINTERRUPTED);
        child_check(cf_scope_end(scope) == CF_ETIMEDOUT);
        _exit(0);
    }
    expect_clean_exit(child);
    assert_ok(cf_sleep(NULL, MS));
    assert_ok(cf_scope_end(scope));
}

static void
return_in_scope(cf_future *f, void *data)
{
    (void)f;
    assert_ok(cf_scope_begin(NULL, LONG, data));
}

CF_TEST(a_callback_that_returns_in_a_scope_aborts, .signal = SIGABRT)
{
    cf_scope *scope;
    cf_future *f = promise_in(CF_FINISHED, false);
    (void)cf_future_on_done(f, return_in_scope, &scope);
}
