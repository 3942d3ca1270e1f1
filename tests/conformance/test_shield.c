/* SPDX-License-Identifier: MIT */
/* Shields, as code in a task and in a plain thread sees them. */
#include "tests/conformance/scope_test.h"

#include <signal.h>

SCOPE_TEST(a_shield_keeps_it_off)
{
    cf_scope *scope;
    REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
    cf_shield_begin(call);
    cf_shield_begin(call);
    cf_scope_cancel(scope);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_yield(call) == CF_OK);
    REQUIRE(!cf_call_canceled(call));
    cf_shield_end(call);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    cf_shield_end(call);
    REQUIRE(all_waits_return(call, CF_EINTERRUPTED) == 0);
    REQUIRE(cf_scope_end(scope) == CF_ECANCELED);
    return 0;
}

SCOPE_TEST(a_scope_inside_of_a_shield_strikes)
{
    cf_scope *outer, *inner, *innermost;
    REQUIRE(cf_scope_begin(call, 0, &outer) == CF_OK);
    cf_shield_begin(call);
    REQUIRE(cf_scope_begin(call, 5 * MS, &inner) == CF_OK);
    REQUIRE(cf_scope_begin(call, LONG, &innermost) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(innermost) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(inner) == CF_ETIMEDOUT);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    cf_shield_end(call);
    REQUIRE(cf_scope_end(outer) == CF_OK); /* no code was told */
    return 0;
}

SCOPE_TEST(a_shield_without_a_scope)
{
    cf_scope *scope;
    cf_shield_begin(call);
    REQUIRE(cf_sleep(call, MS) == CF_OK);
    REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
    REQUIRE(cf_sleep(call, LONG) == CF_EINTERRUPTED);
    REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    cf_shield_end(call);
    return 0;
}

static int
task_in_shield(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_shield_begin(call);
    return 0;
}

CF_SHARED_MEMORY_TEST(a_task_that_returns_in_a_shield_aborts, .signal = SIGABRT)
{
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_in_shield, NULL, 0);
    (void)cf_future_wait(f, CF_FOREVER);
}

CF_TEST(a_shield_that_ends_twice_aborts, .signal = SIGABRT)
{
    cf_shield_begin(NULL);
    cf_shield_end(NULL);
    cf_shield_end(NULL);
}

CF_TEST(a_shield_that_ends_around_a_scope_aborts, .signal = SIGABRT)
{
    cf_scope *scope;
    cf_shield_begin(NULL);
    assert_ok(cf_scope_begin(NULL, LONG, &scope));
    cf_shield_end(NULL);
}
