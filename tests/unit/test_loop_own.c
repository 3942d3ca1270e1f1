/* SPDX-License-Identifier: MIT */
/*
 * Tasks that a loop's own tasks submit and await: event_loop/README.md, "Which
 * task starts next" and "Joins".
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>

#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

static char order[16], *end;

static int
note(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    *end++ = *(const char *)arg;
    return 0;
}

static void
submit_note(cf_executor *ex, char letter, int priority)
{
    cf_task task = CF_TASK_INIT;
    task.fn = note;
    task.arg = &letter;
    task.arg_size = 1;
    task.priority = priority;
    assert_ok(cf_submit_task(ex, &task, NULL));
}

static int
submit_from_pool(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    submit_note((cf_executor *)arg, 'd', 0);
    return 0;
}

/* A thread of a pool submits in the middle. The loop's task does not suspend
 * itself before it has submitted all. */
static int
submit_in_turn_with_a_pool(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *loop = cf_call_executor(call), *pool = (cf_executor *)arg;
    cf_future *f;
    (void)arg_size;
    end = order;
    submit_note(loop, 'c', 0);
    assert_ok(cf_submit(pool, submit_from_pool, loop, 0, &f));
    while (!cf_future_done(f))
        continue;
    cf_future_unref(f);
    submit_note(loop, 'e', 0);
    submit_note(loop, 'b', 1);
    submit_note(loop, 'f', -1);
    submit_note(loop, 'a', 2);
    return 0;
}

Test(loop_own, tasks_start_in_order_whoever_submits_them)
{
    cf_executor *pool, *loop;
    cf_future *f;
    assert_ok(cf_executor_open("threads:1", &pool));
    for (int i = 0; i < 100; i++) {
        memset(order, 0, sizeof order);
        assert_ok(cf_executor_open("loop", &loop));
        assert_ok(cf_submit(loop, submit_in_turn_with_a_pool, pool, 0, &f));
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        cf_future_unref(f);
        cf_executor_destroy(loop);
        cr_assert_str_eq(order, "abcdef");
    }
    cf_executor_destroy(pool);
}

/* More than own takes. */
enum { MANY = 5000 };
static int started;

static int
check_place(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    cr_assert(*(const int *)arg == started, "%d", *(const int *)arg);
    started++;
    return 0;
}

static int
submit_many(cf_call *call, const void *arg, size_t arg_size)
{
    static cf_future *fs[MANY];
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < MANY; i++)
        assert_ok(cf_submit(
            cf_call_executor(call), check_place, &i, sizeof i, &fs[i]));
    for (int i = 0; i < MANY; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    return 0;
}

Test(loop_own, as_many_as_a_task_likes_in_order)
{
    cf_future *f;
    assert_ok(cf_event_loop_run(NULL, submit_many, NULL, 0, &f));
    assert_ok(cf_future_result(f, 0, NULL));
    cf_future_unref(f);
    cr_assert(started == MANY);
}

struct blocked {
    cf_future *child;
    atomic_bool submitted, go;
};

static int
submit_and_block(cf_call *call, const void *arg, size_t arg_size)
{
    struct blocked *b = (struct blocked *)arg;
    char letter = 'x';
    (void)arg_size;
    assert_ok(cf_submit(cf_call_executor(call), note, &letter, 1, &b->child));
    atomic_store(&b->submitted, true);
    while (!atomic_load(&b->go))
        continue;
    return 0;
}

Test(loop_own, another_thread_cancels_what_is_pending)
{
    static struct blocked b;
    cf_executor *loop;
    end = order;
    assert_ok(cf_executor_open("loop", &loop));
    assert_ok(cf_submit(loop, submit_and_block, &b, 0, NULL));
    while (!atomic_load(&b.submitted))
        cf_yield(NULL);
    assert_ok(
        cf_executor_shutdown(loop, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0));
    atomic_store(&b.go, true);
    cf_executor_destroy(loop);
    cr_assert(cf_future_state(b.child) == CF_CANCELED);
    cr_assert(end == order);
    cf_future_unref(b.child);
}

struct family {
    cf_future *parent, *child, *promise;
    cf_err waited;
};

static int
await_promise(cf_call *call, const void *arg, size_t arg_size)
{
    const struct family *family = arg;
    (void)arg_size;
    /* Its parent has joined it, or waits for it: neither is lost. */
    if (family->parent)
        (void)cf_future_interrupt(family->parent);
    return cf_future_result(family->promise, CF_FOREVER, NULL) ||
           cf_return(call, "done", 5);
}

static int
join_child(cf_call *call, const void *arg, size_t arg_size)
{
    struct family *family = (struct family *)arg;
    (void)arg_size;
    assert_ok(cf_submit(
        cf_call_executor(call), await_promise, family, 0, &family->child));
    family->waited = cf_future_result(family->child, CF_FOREVER, NULL);
    return 0;
}

Test(loop_own, a_join_ends_when_its_task_is_told_to_stop)
{
    static struct family family;
    cf_executor *loop;
    cf_bytes result;
    assert_ok(cf_future_create(&family.promise));
    assert_ok(cf_executor_open("loop", &loop));
    assert_ok(cf_submit(loop, join_child, &family, 0, &family.parent));
    assert_ok(cf_future_wait(family.parent, CF_FOREVER));
    cr_assert(family.waited == CF_EINTERRUPTED, "%d", (int)family.waited);
    cr_assert(!cf_future_done(family.child));
    assert_ok(cf_future_set_result(family.promise, NULL, 0));
    assert_ok(cf_future_result(family.child, CF_FOREVER, &result));
    cr_assert_str_eq(result.data, "done");
    cf_executor_destroy(loop);
    cf_future_unref(family.parent);
    cf_future_unref(family.child);
    cf_future_unref(family.promise);
}

/* Joined by the first, waited for by the others, and by the main thread. */
static int
await_sibling(cf_call *call, const void *arg, size_t arg_size)
{
    cf_bytes result;
    (void)call;
    (void)arg_size;
    return cf_future_result((cf_future *)arg, CF_FOREVER, &result) ||
           strcmp(result.data, "done") != 0;
}

Test(loop_own, many_may_await_one_task)
{
    enum { WAITERS = 5 };
    static struct family family;
    cf_executor *loop;
    cf_future *fs[WAITERS];
    assert_ok(cf_future_create(&family.promise));
    assert_ok(cf_executor_open("loop", &loop));
    assert_ok(cf_submit(loop, await_promise, &family, 0, &family.child));
    for (int i = 0; i < WAITERS; i++)
        assert_ok(cf_submit(loop, await_sibling, family.child, 0, &fs[i]));
    assert_ok(cf_future_set_result(family.promise, NULL, 0));
    assert_ok(cf_future_result(family.child, CF_FOREVER, NULL));
    for (int i = 0; i < WAITERS; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(loop);
    cf_future_unref(family.child);
    cf_future_unref(family.promise);
}
