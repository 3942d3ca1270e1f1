/* SPDX-License-Identifier: MIT */
/*
 * A group between the moment when the executor gets a child and the moment when
 * its submit returns; and without memory.
 */
#include "lib/many/group.h"

#include <cfutures/cfutures.h>
#include <criterion/criterion.h>
#include <sched.h>
#include <stdlib.h>

/* --- hooks ---------------------------------------------------------------- */

/* Submits that return hold until this is so many times raised. */
static atomic_int awaited, raised;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void __real_cf__group_entered(struct cf__child *child, cf_err err);
void __wrap_cf__group_entered(struct cf__child *child, cf_err err);

void
__wrap_cf__group_entered(struct cf__child *child, cf_err err)
{
    while (atomic_load(&raised) < atomic_load(&awaited))
        sched_yield();
    __real_cf__group_entered(child, err);
}

/* Allocations left until one fails; below 0: none fails. */
static atomic_int left = -1;

static bool
fails(void)
{
    int now = atomic_load(&left);
    if (now > 0)
        atomic_store(&left, now - 1);
    return now == 0;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* --- tests ---------------------------------------------------------------- */

static cf_executor *
pool_new(void)
{
    cf_executor *ex = NULL;
    cr_assert(cf_executor_open("threads:2", &ex) == CF_OK);
    return ex;
}

static cf_group *
group_new(cf_executor *ex, size_t max_running)
{
    cf_group_options options = CF_GROUP_OPTIONS_INIT;
    cf_group *group = NULL;
    options.max_running = max_running;
    cr_assert(cf_group_create(ex, &options, &group) == CF_OK);
    return group;
}

static int
task_cancel(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    cf_group_cancel((cf_group *)arg);
    atomic_fetch_add(&raised, 1);
    return cf_sleep(call, CF_FOREVER) == CF_EINTERRUPTED ? 1 : 0;
}

/* gh-155418 in CPython: it hangs. */
Test(group, a_child_cancels_before_its_submit_has_returned, .timeout = 30)
{
    cf_executor *ex = pool_new();
    cf_group *group = group_new(ex, 0);
    cf_future *f = NULL;
    atomic_store(&awaited, 1);
    cr_assert(cf_group_submit(group, task_cancel, group, 0, &f) == CF_OK);
    cr_expect(cf_group_wait(group, CF_FOREVER) == CF_ECANCELED);
    cr_expect(cf_future_result(f, 0, NULL) == CF_ECANCELED);
    cf_future_unref(f);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}

static int
task_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static void
raise(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    atomic_fetch_add(&raised, 1);
}

static int
task_watched(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *watched = *(cf_future *const *)arg;
    (void)call;
    (void)arg_size;
    return cf_future_on_done(watched, raise, NULL) ? 1 : 0;
}

/* The record of the child stays until the submit no longer needs it. */
Test(group, a_child_ends_before_its_submit_has_returned, .timeout = 30)
{
    cf_executor *ex = pool_new();
    for (int i = 0; i < 50; i++) {
        cf_group *group = group_new(ex, 1);
        cf_future *promise = NULL;
        cr_assert(cf_future_create(&promise) == CF_OK);
        cr_assert(cf_future_set_result(promise, NULL, 0) == CF_OK);
        atomic_fetch_add(&awaited, 1);
        cr_assert(cf_group_submit(
                      group, task_watched, &promise, sizeof promise, NULL) ==
                  CF_OK);
        cr_expect(cf_group_wait(group, CF_FOREVER) == CF_OK);
        cf_group_destroy(group);
        cf_future_unref(promise);
    }
    cf_executor_destroy(ex);
}

Test(group, without_memory)
{
    cf_executor *ex = pool_new();
    cf_group *group = NULL;
    atomic_store(&left, 0);
    cr_expect(cf_group_create(ex, NULL, &group) == CF_ENOMEM);
    cr_expect(group == NULL);
    atomic_store(&left, -1);
    group = group_new(ex, 1);
    int failed = 0;
    for (int n = 0; n < 4; n++) {
        cf_future *f = NULL;
        atomic_store(&left, n);
        cf_err err = cf_group_submit(group, task_nothing, NULL, 0, &f);
        atomic_store(&left, -1);
        cr_assert(err == CF_OK || err == CF_ENOMEM);
        cr_expect((err == CF_OK) == (f != NULL));
        failed += err == CF_ENOMEM;
        cf_future_unref(f);
    }
    cr_expect(failed >= 2, "%d", failed);
    cr_expect(cf_group_wait(group, CF_FOREVER) == CF_OK);
    cf_group_destroy(group);
    cf_executor_destroy(ex);
}
