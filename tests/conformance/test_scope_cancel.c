/* SPDX-License-Identifier: MIT */
/*
 * Scopes that another thread cancels, and tasks that are interrupted in a scope
 * or in a shield. The tasks wait for promises of the program.
 */
#include "tests/conformance/conformance.h"

#include "tests/conformance/require.h"

enum kind { ONE, SOME, ITERATE, RECEIVE, SLEEP, KINDS };

/* Code that waits in a scope, and what another thread knows of it. */
struct inside {
    gate *g; /* arrived at just before it waits */
    cf_future *f;
    cf_scope *scope;
    enum kind kind;
    cf_err waited, ended;
};

static struct inside *
inside_new(enum kind kind)
{
    struct inside *in = shared_new(sizeof *in);
    in->g = gate_new();
    in->f = promise();
    in->kind = kind;
    return in;
}

static cf_err
iterate(cf_future *f)
{
    cf_as_completed *it;
    cf_future *out;
    cf_err err = cf_as_completed_create(&f, 1, &it);
    if (err)
        return err;
    err = cf_as_completed_next(it, CF_FOREVER, &out);
    cf_as_completed_destroy(it);
    return err;
}

/* Nobody sends. */
static cf_err
receive(void)
{
    cf_channel *channel;
    cf_err err = cf_channel_create(0, 0, &channel);
    if (err)
        return err;
    err = cf_channel_receive(channel, CF_FOREVER, NULL);
    cf_channel_destroy(channel);
    return err;
}

static cf_err
wait_in(struct inside *in, cf_call *call)
{
    switch (in->kind) {
    case ONE:
        return cf_future_wait(in->f, CF_FOREVER);
    case SOME:
        return cf_wait(&in->f, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
    case ITERATE:
        return iterate(in->f);
    case RECEIVE:
        return receive();
    default:
        return cf_sleep(call, CF_FOREVER);
    }
}

static int
task_wait_inside(cf_call *call, const void *arg, size_t arg_size)
{
    struct inside *in = *(struct inside *const *)arg;
    cf_scope *inner;
    (void)arg_size;
    REQUIRE(cf_scope_begin(call, CF_FOREVER, &in->scope) == CF_OK);
    REQUIRE(cf_scope_begin(call, CF_SECONDS(1000), &inner) == CF_OK);
    gate_arrive(in->g);
    in->waited = wait_in(in, call);
    REQUIRE(cf_scope_end(inner) == CF_EINTERRUPTED);
    in->ended = cf_scope_end(in->scope);
    return 0;
}

static void
cancel_inside(cf_executor *ex, enum kind kind)
{
    struct inside *in = inside_new(kind);
    cf_future *f = must_submit(ex, task_wait_inside, &in, sizeof in);
    gate_await(in->g, 1);
    cf_scope_cancel(in->scope);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cr_assert(in->waited == CF_EINTERRUPTED, "%s", cf_err_name(in->waited));
    cr_assert(in->ended == CF_ECANCELED, "%s", cf_err_name(in->ended));
    cf_future_unref(f);
    cf_future_unref(in->f);
}

CF_THREAD_TEST(a_cancel_wakes_each_wait, .timeout = 60)
{
    cf_executor *ex = test_executor(2);
    for (int i = 0; i < 400; i++)
        cancel_inside(ex, (enum kind)(i % KINDS));
    cf_executor_destroy(ex);
}

/* Two tasks of one executor: on an event loop, both are of one thread. */
static int
task_cancel(cf_call *call, const void *arg, size_t arg_size)
{
    struct inside *in = *(struct inside *const *)arg;
    (void)arg_size;
    while (gate_arrived(in->g) == 0)
        REQUIRE(cf_sleep(call, 100000) == CF_OK);
    cf_scope_cancel(in->scope);
    return 0;
}

CF_THREAD_TEST(a_task_cancels_the_scope_of_another_one)
{
    cf_executor *ex = test_executor(2);
    for (int i = 0; i < 2 * KINDS; i++) {
        struct inside *in = inside_new((enum kind)(i % KINDS));
        cf_future *both[] = {must_submit(ex, task_wait_inside, &in, sizeof in),
                             must_submit(ex, task_cancel, &in, sizeof in)};
        for (int k = 0; k < 2; k++)
            assert_ok(cf_future_result(both[k], CF_FOREVER, NULL));
        cr_expect(in->waited == CF_EINTERRUPTED);
        cr_expect(in->ended == CF_ECANCELED);
        unref_all(both, 2);
        cf_future_unref(in->f);
    }
    cf_executor_destroy(ex);
}

static void *
thread_wait_inside(void *inside)
{
    return (void *)(intptr_t)task_wait_inside(NULL, &inside, sizeof inside);
}

CF_TEST(a_cancel_wakes_a_thread, .timeout = 60)
{
    for (int i = 0; i < 400; i++) {
        struct inside *in = inside_new((enum kind)(i % KINDS));
        pthread_t thread;
        void *line;
        cr_assert(pthread_create(&thread, NULL, thread_wait_inside, in) == 0);
        gate_await(in->g, 1);
        cf_scope_cancel(in->scope);
        cr_assert(pthread_join(thread, &line) == 0);
        cr_assert(line == NULL, "line %d", (int)(intptr_t)line);
        cr_assert(in->waited == CF_EINTERRUPTED);
        cr_assert(in->ended == CF_ECANCELED);
        cf_future_unref(in->f);
    }
}

/* The task is interrupted in its scope. */
static int
task_interrupted_inside(cf_call *call, const void *arg, size_t arg_size)
{
    struct inside *in = *(struct inside *const *)arg;
    cf_scope *scope;
    (void)arg_size;
    REQUIRE(cf_scope_begin(call, CF_SECONDS(1000), &scope) == CF_OK);
    gate_arrive(in->g);
    in->waited = wait_in(in, call);
    in->ended = cf_scope_end(scope);
    REQUIRE(cf_yield(call) == CF_EINTERRUPTED);
    return 0;
}

CF_THREAD_TEST(foreign_cancel_doesnt_timeout_if_not_expired)
{
    cf_executor *ex = test_executor(2);
    for (enum kind kind = ONE; kind < KINDS; kind++) {
        struct inside *in = inside_new(kind);
        cf_future *f = must_submit(ex, task_interrupted_inside, &in, sizeof in);
        gate_await(in->g, 1);
        cr_assert(cf_future_interrupt(f));
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_expect(in->waited == CF_EINTERRUPTED);
        cr_expect(in->ended == CF_EINTERRUPTED);
        cf_future_unref(f);
        cf_future_unref(in->f);
    }
    cf_executor_destroy(ex);
}

/* It is interrupted in its shield, and learns of it at the shield's end. */
static int
task_shielded(cf_call *call, const void *arg, size_t arg_size)
{
    struct inside *in = *(struct inside *const *)arg;
    (void)arg_size;
    cf_shield_begin(call);
    gate_arrive(in->g);
    in->waited = wait_in(in, call);
    REQUIRE(!cf_call_canceled(call));
    cf_shield_end(call);
    REQUIRE(cf_call_canceled(call));
    in->ended = cf_sleep(call, CF_FOREVER);
    return 0;
}

CF_THREAD_TEST(a_shield_holds_an_interrupt_back)
{
    cf_executor *ex = test_executor(2);
    for (enum kind kind = ONE; kind < RECEIVE; kind++) {
        struct inside *in = inside_new(kind);
        cf_future *f = must_submit(ex, task_shielded, &in, sizeof in);
        gate_await(in->g, 1);
        cr_assert(cf_future_interrupt(f));
        assert_ok(cf_future_set_result(in->f, NULL, 0));
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cr_expect(in->waited == CF_OK, "%s", cf_err_name(in->waited));
        cr_expect(in->ended == CF_EINTERRUPTED);
        cf_future_unref(f);
        cf_future_unref(in->f);
    }
    cf_executor_destroy(ex);
}

/* Other coroutines wait while one is in a struck scope. */
static int
task_cross(cf_call *call, const void *arg, size_t arg_size)
{
    const bool struck = *(const int *)arg % 2;
    cf_scope *scope = NULL;
    (void)arg_size;
    if (struck) {
        REQUIRE(cf_scope_begin(call, 0, &scope) == CF_OK);
        cf_shield_begin(call);
    }
    for (int i = 0; i < 20; i++)
        REQUIRE(cf_yield(call) == CF_OK);
    if (struck)
        cf_shield_end(call);
    for (int i = 0; i < 5; i++)
        REQUIRE(cf_sleep(call, 1000000) == (struck ? CF_EINTERRUPTED : CF_OK));
    if (struck)
        REQUIRE(cf_scope_end(scope) == CF_ETIMEDOUT);
    return 0;
}

CF_TEST(each_task_has_its_own_scopes)
{
    cf_executor *ex = test_executor(2);
    cf_future *futures[10];
    for (int i = 0; i < 10; i++)
        futures[i] = must_submit(ex, task_cross, &i, sizeof i);
    for (int i = 0; i < 10; i++) {
        cf_err err = cf_future_result(futures[i], CF_FOREVER, NULL);
        cr_expect(err == CF_OK, "%s", cf_future_message(futures[i]));
    }
    unref_all(futures, 10);
    cf_executor_destroy(ex);
}
