/* SPDX-License-Identifier: MIT */
/*
 * Groups in tasks: children that use their own group, tasks that wait for a
 * group of their executor, and are told to stop.
 */
#include "tests/conformance/conformance.h"

#include "tests/conformance/require.h"

/* --- a task has a group --------------------------------------------------- */

enum { DEPTH = 5, WIDTH = 3 };

/* Each level has a group of its own on the same executor. */
static int
task_tree(cf_call *call, const void *arg, size_t arg_size)
{
    int depth = *(const int *)arg, sum = 1;
    cf_future *futures[WIDTH];
    cf_group *group;
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    (void)arg_size;
    options.max_running = (size_t)depth % 3;
    int next = depth - 1;
    if (depth == 0)
        return cf_return(call, &sum, sizeof sum);
    REQUIRE(cf_group_create(cf_call_executor(call), &options, &group) == CF_OK);
    for (int i = 0; i < WIDTH; i++)
        REQUIRE(cf_group_submit(
                    group, task_tree, &next, sizeof next, &futures[i]) ==
                CF_OK);
    REQUIRE(cf_group_wait(group, CF_FOREVER) == CF_OK);
    for (int i = 0; i < WIDTH; i++) {
        cf_bytes bytes;
        REQUIRE(cf_future_result(futures[i], 0, &bytes) == CF_OK);
        sum += *(const int *)bytes.data;
        cf_future_unref(futures[i]);
    }
    cf_group_destroy(group);
    return cf_return(call, &sum, sizeof sum);
}

/* test_taskgroup_12, test_taskgroup_13: groups in groups. One worker does. */
CF_TEST(groups_nest)
{
    for (int workers = 1; workers <= 2; workers++) {
        cf_executor *ex = test_executor(workers);
        int depth = DEPTH, sum = 0;
        for (int i = 0, level = 1; i <= DEPTH; i++, level *= WIDTH)
            sum += level;
        cf_future *f = must_submit(ex, task_tree, &depth, sizeof depth);
        cf_err err = cf_future_result(f, CF_FOREVER, NULL);
        cr_assert(err == CF_OK, "%s", cf_future_message(f));
        cr_expect(int_result(f) == sum);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

static int
task_failing_group(cf_call *call, const void *arg, size_t arg_size)
{
    cf_group *group;
    int code = 5;
    (void)arg;
    (void)arg_size;
    REQUIRE(cf_group_create(cf_call_executor(call), NULL, &group) == CF_OK);
    REQUIRE(cf_group_submit(group, task_fail, &code, sizeof code, NULL) ==
            CF_OK);
    cf_err err = cf_group_submit(group, task_nothing, NULL, 0, NULL);
    REQUIRE(err == CF_OK || err == CF_ECANCELED);
    REQUIRE(cf_group_wait(group, CF_FOREVER) == CF_ETASK);
    REQUIRE(cf_group_error(group) && cf_group_error(group)->code == 5);
    cf_group_destroy(group);
    return 0;
}

CF_TEST(a_failure_in_a_nested_group_stays_there)
{
    cf_executor *ex = test_executor(1);
    cf_group *group;
    assert_ok(cf_group_create(ex, NULL, &group));
    for (int i = 0; i < 3; i++)
        assert_ok(cf_group_submit(group, task_failing_group, NULL, 0, NULL));
    cf_err err = cf_group_wait(group, CF_FOREVER);
    cr_expect(
        err == CF_OK, "%s", err ? cf_group_error(group)->message : "none");
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

/* --- a child uses its group ----------------------------------------------- */

struct shared {
    cf_group *group;
    gate *g;
    atomic_int count, told;
    cf_err err;
};

static struct shared *
shared_group(cf_executor *ex, size_t max_running)
{
    struct shared *s = shared_new(sizeof *s);
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    options.max_running = max_running;
    s->g = gate_new();
    s->err = CF_ESYS;
    assert_ok(cf_group_create(ex, &options, &s->group));
    return s;
}

/* In its first instruction: gh-155418 in CPython. */
static int
task_cancel_group(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared *s = *(struct shared *const *)arg;
    (void)arg_size;
    cf_group_cancel(s->group);
    /* Its submit may not have returned: then it is told soon. On the stack of
     * the submit it has been told. */
    cf_err err = cf_sleep(call, CF_FOREVER);
    if (err == CF_EINTERRUPTED)
        atomic_fetch_add(&s->told, 1);
    return 1;
}

CF_SHARED_MEMORY_TEST(a_child_cancels_its_group_at_once)
{
    for (int i = 0; i < 100; i++) {
        cf_executor *ex = test_executor(1);
        struct shared *s = shared_group(ex, i % 2 ? 1 : 0);
        assert_ok(
            cf_group_submit(s->group, task_cancel_group, &s, sizeof s, NULL));
        assert_err(cf_group_wait(s->group, CF_FOREVER), CF_ECANCELED);
        cr_assert(atomic_load(&s->told) == 1);
        cf_group_destroy(s->group);
        cf_executor_destroy(ex);
    }
}

struct member {
    struct shared *s;
    int depth;
};

static int
task_join_group(cf_call *call, const void *arg, size_t arg_size)
{
    struct member member = *(const struct member *)arg;
    struct shared *s = member.s;
    (void)arg_size;
    atomic_fetch_add(&s->count, 1);
    if (member.depth-- == 0)
        return 0;
    for (int i = 0; i < WIDTH; i++)
        REQUIRE(cf_group_submit(
                    s->group, task_join_group, &member, sizeof member, NULL) ==
                CF_OK);
    return 0;
}

/* test_taskgroup_21: children make children */
CF_SHARED_MEMORY_TEST(children_submit_into_their_own_group)
{
    for (size_t most = 0; most <= 2; most++) {
        cf_executor *ex = test_executor(2);
        struct shared *s = shared_group(ex, most);
        struct member member = {s, DEPTH};
        int sum = 0;
        for (int i = 0, level = 1; i <= DEPTH; i++, level *= WIDTH)
            sum += level;
        assert_ok(cf_group_submit(
            s->group, task_join_group, &member, sizeof member, NULL));
        assert_ok(cf_group_wait(s->group, CF_FOREVER));
        cr_expect(atomic_load(&s->count) == sum);
        cf_group_destroy(s->group);
        cf_executor_destroy(ex);
    }
}

static int
task_wait_for_own_group(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared *s = *(struct shared *const *)arg;
    (void)call;
    (void)arg_size;
    gate_pass(s->g);
    s->err = cf_group_wait(s->group, CF_FOREVER);
    return 0;
}

CF_THREAD_TEST(a_child_cannot_wait_for_its_group)
{
    cf_executor *ex = test_executor(1);
    struct shared *s = shared_group(ex, 0);
    assert_ok(
        cf_group_submit(s->group, task_wait_for_own_group, &s, sizeof s, NULL));
    gate_open(s->g); /* its submit has returned */
    assert_ok(cf_group_wait(s->group, CF_FOREVER));
    cr_expect(s->err == CF_EDEADLK, "%s", cf_err_name(s->err));
    cf_group_destroy(s->group);
    cf_executor_destroy(ex);
}

static int
task_destroy_group(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared *s = *(struct shared *const *)arg;
    (void)arg_size;
    gate_pass(s->g);
    cf_group_destroy(s->group);
    REQUIRE(cf_call_canceled(call));
    return 0;
}

CF_THREAD_TEST(a_child_destroys_its_group)
{
    cf_executor *ex = test_executor(1);
    struct shared *s = shared_group(ex, 0);
    cf_future *f;
    assert_ok(cf_group_submit(s->group, task_destroy_group, &s, sizeof s, &f));
    gate_open(s->g);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* --- the waiting task is told to stop ------------------------------------- */

static int
task_wait_for_cancel(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared *s = *(struct shared *const *)arg;
    (void)arg_size;
    gate_arrive(s->g);
    REQUIRE(cf_sleep(call, CF_FOREVER) == CF_EINTERRUPTED);
    atomic_fetch_add(&s->told, 1);
    return 1;
}

static int
task_parent(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared *s = *(struct shared *const *)arg;
    cf_group *group;
    (void)arg_size;
    REQUIRE(cf_group_create(cf_call_executor(call), NULL, &group) == CF_OK);
    for (int i = 0; i < 2; i++)
        REQUIRE(cf_group_submit(
                    group, task_wait_for_cancel, &s, sizeof s, NULL) == CF_OK);
    while (gate_arrived(s->g) < 2) /* else it would run one itself */
        REQUIRE(cf_sleep(call, 100000) == CF_OK);
    gate_arrive(s->g);
    s->err = cf_group_wait(group, CF_FOREVER);
    REQUIRE(atomic_load(&s->told) == 2);
    REQUIRE(cf_group_wait(group, 0) == CF_ECANCELED);
    cf_group_destroy(group);
    return 0;
}

/* test_taskgroup_07, test_taskgroup_cancel_parent */
CF_THREAD_TEST(an_interrupted_waiter_stops_the_children)
{
    cf_executor *ex = test_executor(3);
    struct shared *s = shared_new(sizeof *s);
    s->g = gate_new();
    cf_future *f = must_submit(ex, task_parent, &s, sizeof s);
    gate_await(s->g, 3);
    cr_assert(cf_future_interrupt(f));
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    cr_expect(err == CF_OK, "%s", cf_future_message(f));
    cr_expect(s->err == CF_EINTERRUPTED, "%s", cf_err_name(s->err));
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
