/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: units are taken, waited for in order, and never lost. Python:
 * test_locks.SemaphoreTests, LockTests.
 */
#include "tests/conformance/conformance.h"

enum { MANY = 100 }; /* more than one call wakes at a time */

static cf_semaphore *
semaphore_new(size_t count)
{
    cf_semaphore *semaphore = NULL;
    assert_ok(cf_semaphore_create(count, &semaphore));
    return semaphore;
}

CF_TEST(units_are_counted)
{
    cf_semaphore *semaphore = semaphore_new(2), *none = NULL;
    assert_ok(cf_semaphore_acquire(semaphore, CF_FOREVER));
    assert_ok(cf_semaphore_try_acquire(semaphore));
    assert_err(cf_semaphore_try_acquire(semaphore), CF_EAGAIN);
    assert_err(cf_semaphore_acquire(semaphore, 0), CF_ETIMEDOUT);
    assert_err(cf_semaphore_acquire(semaphore, CF_MS(2)), CF_ETIMEDOUT);
    assert_err(cf_semaphore_acquire(semaphore, -2), CF_EINVAL);
    assert_ok(cf_semaphore_release(semaphore, 0));
    assert_err(cf_semaphore_try_acquire(semaphore), CF_EAGAIN);
    assert_ok(cf_semaphore_release(semaphore, 3));
    for (int i = 0; i < 3; i++)
        assert_ok(cf_semaphore_acquire(semaphore, 0));
    assert_err(cf_semaphore_try_acquire(semaphore), CF_EAGAIN);
    cf_semaphore_destroy(semaphore);
    assert_err(cf_semaphore_create((size_t)PTRDIFF_MAX + 1, &none), CF_ETOOBIG);
    semaphore = semaphore_new(PTRDIFF_MAX);
    assert_err(cf_semaphore_release(semaphore, 1), CF_ETOOBIG);
    assert_ok(cf_semaphore_try_acquire(semaphore));
    assert_ok(cf_semaphore_release(semaphore, 1));
    cf_semaphore_destroy(semaphore);
}

/* A task that takes a unit, and says so. */
struct taking {
    cf_semaphore *semaphore;
    gate *g; /* arrived at just before */
    journal *taken;
    int number;
    int64_t timeout_ns;
};

static int
task_take(cf_call *call, const void *arg, size_t arg_size)
{
    const struct taking *t = arg;
    (void)arg_size;
    gate_arrive(t->g);
    cf_err err = cf_semaphore_acquire(t->semaphore, t->timeout_ns);
    if (!err)
        journal_add(t->taken, t->number);
    return cf_return(call, &(int){(int)err}, sizeof(int));
}

static struct taking
taking_new(size_t count)
{
    return (struct taking){.semaphore = semaphore_new(count),
                           .g = gate_new(),
                           .taken = journal_new(),
                           .timeout_ns = CF_FOREVER};
}

CF_THREAD_TEST(a_release_of_many_wakes_as_many)
{
    struct taking t = taking_new(0);
    cf_executor *ex = test_executor(MANY);
    cf_future *futures[MANY];
    for (int i = 0; i < MANY; i++)
        futures[i] = must_submit(ex, task_take, &t, sizeof t);
    gate_await(t.g, MANY);
    assert_ok(cf_semaphore_release(t.semaphore, MANY / 2));
    assert_ok(cf_semaphore_release(t.semaphore, MANY - MANY / 2 + 1));
    for (int i = 0; i < MANY; i++)
        cr_expect(int_result(futures[i]) == CF_OK);
    assert_ok(cf_semaphore_try_acquire(t.semaphore));
    assert_err(cf_semaphore_try_acquire(t.semaphore), CF_EAGAIN);
    unref_all(futures, MANY);
    cf_executor_destroy(ex);
    cf_semaphore_destroy(t.semaphore);
}

#if CF_ONE_THREAD

/* Each task waits before the next one begins. */
CF_TEST(those_that_wait_get_units_in_order)
{
    struct taking t = taking_new(0);
    cf_executor *ex = test_executor(5);
    cf_future *futures[5];
    for (t.number = 0; t.number < 5; t.number++)
        futures[t.number] = must_submit(ex, task_take, &t, sizeof t);
    gate_await(t.g, 5);
    cr_assert(cf_future_interrupt(futures[1]));
    cr_expect(int_result(futures[1]) == CF_EINTERRUPTED);
    for (int i = 0; i < 4; i++)
        assert_ok(cf_semaphore_release(t.semaphore, 1));
    const int order[] = {0, 2, 3, 4};
    for (int i = 0; i < 4; i++) {
        cr_expect(int_result(futures[order[i]]) == CF_OK);
        cr_expect(t.taken->entries[i] == order[i], "%d", i);
    }
    unref_all(futures, 5);
    cf_executor_destroy(ex);
    cf_semaphore_destroy(t.semaphore);
}

#endif

/* A unit that is handed to a task while that is interrupted is taken, or goes
 * to another one. */
CF_THREAD_TEST(an_interrupt_loses_no_unit, .timeout = 60)
{
    for (int i = 0; i < 200; i++) {
        struct taking t = taking_new(0);
        cf_executor *ex = test_executor(2);
        cf_future *first = must_submit(ex, task_take, &t, sizeof t);
        cf_future *second = must_submit(ex, task_take, &t, sizeof t);
        gate_await(t.g, 2);
        assert_ok(cf_semaphore_release(t.semaphore, 1));
        (void)cf_future_interrupt(i % 2 ? first : second);
        assert_ok(cf_semaphore_release(t.semaphore, 1));
        int taken = 0;
        taken += int_result(first) == CF_OK;
        taken += int_result(second) == CF_OK;
        for (; cf_semaphore_try_acquire(t.semaphore) == CF_OK; taken++)
            continue;
        cr_assert(taken == 2, "%d", taken);
        cf_future_unref(first);
        cf_future_unref(second);
        cf_executor_destroy(ex);
        cf_semaphore_destroy(t.semaphore);
    }
}

/* A semaphore of one unit is a lock, also across waits. */
struct locking {
    cf_semaphore *semaphore;
    atomic_int *inside;
};

static int
task_lock(cf_call *call, const void *arg, size_t arg_size)
{
    const struct locking *l = arg;
    (void)arg_size;
    for (int i = 0; i < 20; i++) {
        if (cf_semaphore_acquire(l->semaphore, CF_FOREVER))
            return cf_fail(call, 1, "no unit");
        int others = atomic_fetch_add(l->inside, 1);
        (void)cf_yield(call);
        others += atomic_fetch_sub(l->inside, 1) - 1;
        if (others)
            return cf_fail(call, 2, "%d others", others);
        if (cf_semaphore_release(l->semaphore, 1))
            return cf_fail(call, 3, "no release");
    }
    return 0;
}

CF_SHARED_MEMORY_TEST(one_unit_is_a_lock)
{
    struct locking l = {.semaphore = semaphore_new(1), .inside = counter_new()};
    cf_executor *ex = test_executor(4);
    cf_future *futures[8];
    for (int i = 0; i < 8; i++)
        futures[i] = must_submit(ex, task_lock, &l, sizeof l);
    for (int i = 0; i < 8; i++)
        assert_ok(cf_future_result(futures[i], CF_FOREVER, NULL));
    unref_all(futures, 8);
    cf_executor_destroy(ex);
    cf_semaphore_destroy(l.semaphore);
}
