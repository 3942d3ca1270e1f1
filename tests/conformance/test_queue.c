/* SPDX-License-Identifier: MIT */
/*
 * Bounded queues and what a submit to a full one does. Pools only: these are
 * their options.
 */
#define _GNU_SOURCE
#include "tests/conformance/bounded.h"

#include <unistd.h>

CF_TEST(a_full_queue_rejects)
{
    bounded b;
    bounded_begin(&b, 3, CF_QUEUE_REJECT);
    atomic_int *ran = counter_new();
    for (int i = 0; i < 3; i++)
        assert_ok(cf_submit(b.ex, task_count, ran, 0, NULL));
    cf_future *f = NULL;
    assert_err(cf_submit(b.ex, task_count, ran, 0, &f), CF_EAGAIN);
    cr_assert_null(f);
    gate_open(b.g);
    assert_ok(cf_executor_wait_idle(b.ex, CF_FOREVER));
    assert_ok(cf_submit(b.ex, task_count, ran, 0, NULL));
    bounded_end(&b);
    cr_assert(*ran == 4);
}

CF_TEST(a_rejected_argument_is_not_freed)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_REJECT);
    atomic_int *counts = counter_new();
    cf_future *f = must_submit(b.ex, task_nothing, NULL, 0);
    cf_task task = CF_TASK_INIT;
    task.fn = task_count;
    task.arg = counts;
    task.arg_free = count_free;
    assert_err(cf_submit_task(b.ex, &task, NULL), CF_EAGAIN);
    bounded_end(&b);
    cr_assert(*counts == 0);
    cf_future_unref(f);
}

CF_TEST(a_cancelled_task_makes_room)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_REJECT);
    for (int i = 0; i < 100; i++) {
        cf_future *f = must_submit(b.ex, task_nothing, NULL, 0);
        assert_err(cf_submit(b.ex, task_nothing, NULL, 0, NULL), CF_EAGAIN);
        cr_assert(cf_future_cancel(f));
        cf_future_unref(f);
    }
    bounded_end(&b);
}

CF_TEST(many_at_once_are_all_accepted_or_all_rejected)
{
    bounded b;
    bounded_begin(&b, 4, CF_QUEUE_REJECT);
    atomic_int *ran = counter_new();
    cf_future *fs[5] = {NULL, NULL, NULL, NULL, NULL};
    assert_err(cf_submit_many(b.ex, task_count, ran, 0, 5, fs), CF_ETOOBIG);
    assert_ok(cf_submit(b.ex, task_count, ran, 0, NULL));
    assert_err(cf_submit_many(b.ex, task_count, ran, 0, 4, fs), CF_EAGAIN);
    cr_assert_null(fs[0]);
    assert_ok(cf_submit_many(b.ex, task_count, ran, 0, 3, fs));
    assert_err(cf_submit(b.ex, task_count, ran, 0, NULL), CF_EAGAIN);
    bounded_end(&b);
    cr_assert(*ran == 4, "%d", *ran);
    unref_all(fs, 3);
}

/* A thread that submits to a full queue. */
typedef struct submitter {
    cf_executor *ex;
    gate *started;
    pid_t tid;
    cf_err err;
    cf_future *f;
    int count; /* 1: cf_submit(); more: cf_submit_many() */
} submitter;

static void *
submitter_main(void *arg)
{
    submitter *s = arg;
    s->tid = gettid();
    gate_arrive(s->started);
    if (s->count == 1)
        s->err = cf_submit(s->ex, task_nothing, NULL, 0, &s->f);
    else
        s->err = cf_submit_many(
            s->ex, task_nothing, NULL, 0, (size_t)s->count, NULL);
    return NULL;
}

static pthread_t
submitter_start(submitter *s, cf_executor *ex, int count)
{
    *s = (submitter){.ex = ex, .started = gate_new(), .count = count};
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, submitter_main, s) == 0);
    gate_await(s->started, 1);
    await_asleep(s->tid);
    return thread;
}

CF_TEST(a_blocked_submit_goes_on_when_a_task_starts)
{
    bounded b;
    bounded_begin(&b, 2, CF_QUEUE_BLOCK);
    for (int i = 0; i < 2; i++)
        assert_ok(cf_submit(b.ex, task_nothing, NULL, 0, NULL));
    submitter s;
    pthread_t thread = submitter_start(&s, b.ex, 1);
    gate_open(b.g);
    pthread_join(thread, NULL);
    assert_ok(s.err);
    assert_ok(cf_future_result(s.f, CF_FOREVER, NULL));
    cf_future_unref(s.f);
    bounded_end(&b);
}

CF_TEST(a_blocked_submit_goes_on_when_a_task_is_cancelled)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_BLOCK);
    cf_future *f = must_submit(b.ex, task_nothing, NULL, 0);
    submitter s;
    pthread_t thread = submitter_start(&s, b.ex, 1);
    cr_assert(cf_future_cancel(f));
    pthread_join(thread, NULL); /* the worker still holds */
    assert_ok(s.err);
    assert_state(s.f, CF_PENDING);
    bounded_end(&b);
    cf_future_unref(s.f);
    cf_future_unref(f);
}

CF_TEST(a_blocked_batch_waits_for_room_for_all_of_it)
{
    bounded b;
    bounded_begin(&b, 3, CF_QUEUE_BLOCK);
    cf_future *fs[2];
    for (int i = 0; i < 2; i++)
        fs[i] = must_submit(b.ex, task_nothing, NULL, 0);
    submitter s;
    pthread_t thread = submitter_start(&s, b.ex, 3);
    cr_assert(cf_future_cancel(fs[0]));
    await_asleep(s.tid);
    cf_stats stats;
    assert_ok(cf_executor_stats(b.ex, &stats));
    cr_assert(stats.queued == 1, "%d", (int)stats.queued);
    cr_assert(cf_future_cancel(fs[1]));
    pthread_join(thread, NULL);
    assert_ok(s.err);
    bounded_end(&b);
    unref_all(fs, 2);
}

CF_TEST(submits_that_wait_for_room_go_on_in_order)
{
    bounded b;
    bounded_begin(&b, 3, CF_QUEUE_BLOCK);
    cf_future *fs[3];
    for (int i = 0; i < 3; i++)
        fs[i] = must_submit(b.ex, task_nothing, NULL, 0);
    submitter batch, single, last;
    pthread_t threads[3];
    threads[0] = submitter_start(&batch, b.ex, 3);
    threads[1] = submitter_start(&single, b.ex, 1);
    threads[2] = submitter_start(&last, b.ex, 1);
    for (int i = 0; i < 2; i++) {
        cr_assert(cf_future_cancel(fs[i]));
        await_asleep(single.tid); /* it would run if it had been woken */
        await_asleep(last.tid);
        cr_assert(queued(b.ex) == (uint64_t)(2 - i), "overtaken");
    }
    cr_assert(cf_future_cancel(fs[2]));
    pthread_join(threads[0], NULL);
    assert_ok(batch.err);
    cr_assert(queued(b.ex) == 3, "the batch is in, and no other task");
    gate_open(b.g);
    pthread_join(threads[1], NULL);
    pthread_join(threads[2], NULL);
    assert_ok(single.err);
    assert_ok(last.err);
    bounded_end(&b);
    unref_all(fs, 3);
    cf_future_unref(single.f);
    cf_future_unref(last.f);
}

CF_TEST(all_submits_that_wait_for_room_are_refused_by_a_shutdown)
{
    bounded b;
    bounded_begin(&b, 2, CF_QUEUE_BLOCK);
    assert_ok(cf_submit(b.ex, task_nothing, NULL, 0, NULL));
    submitter batch, single;
    pthread_t threads[2];
    threads[0] = submitter_start(&batch, b.ex, 2);
    threads[1] = submitter_start(&single, b.ex, 1);
    assert_ok(cf_executor_shutdown(b.ex, CF_SHUTDOWN_NOWAIT, 0));
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_err(batch.err, CF_ESHUTDOWN);
    assert_err(single.err, CF_ESHUTDOWN);
    bounded_end(&b);
}

CF_TEST(a_blocked_submit_is_refused_by_a_shutdown)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_BLOCK);
    assert_ok(cf_submit(b.ex, task_nothing, NULL, 0, NULL));
    submitter s;
    pthread_t thread = submitter_start(&s, b.ex, 1);
    assert_ok(cf_executor_shutdown(b.ex, CF_SHUTDOWN_NOWAIT, 0));
    pthread_join(thread, NULL); /* the worker still holds */
    assert_err(s.err, CF_ESHUTDOWN);
    cr_assert_null(s.f);
    bounded_end(&b);
}

static int
task_floods(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    for (int i = 0; i < 50; i++) {
        cf_err err =
            cf_submit(cf_call_executor(call), task_count, arg, 0, NULL);
        if (err != CF_OK)
            return cf_fail(call, i, "%s", cf_err_name(err));
    }
    return 0;
}

CF_TEST(the_pool_s_own_worker_goes_over_the_bound)
{
    static const cf_queue_policy policies[] = {CF_QUEUE_BLOCK, CF_QUEUE_REJECT};
    for (int i = 0; i < 2; i++) {
        bounded b;
        bounded_begin(&b, 1, policies[i]);
        atomic_int *ran = counter_new();
        cf_future *f = must_submit(b.ex, task_floods, ran, 0);
        gate_open(b.g);
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
        bounded_end(&b);
        cr_assert(*ran == 50);
        cf_future_unref(f);
    }
}

CF_TEST(a_bounded_queue_passes_everything_through)
{
    enum { N = 5000 };
    cf_executor *ex =
        test_pool((test_options){.max_workers = 2, .queue_capacity = 7});
    static cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = must_submit(ex, task_square, &i, sizeof i);
    for (int i = 0; i < N; i++)
        cr_assert(int_result(fs[i]) == i * i);
    unref_all(fs, N);
    cf_executor_destroy(ex);
}

/* --- tasks that wait for room --------------------------------------------- */

/* A task that submits to a full queue. */
struct submitting {
    cf_executor *ex;
    gate *g; /* arrived at just before */
    atomic_int *ran;
    int count; /* of the batch */
    int64_t scope_ns;
};

static int
task_submits(cf_call *call, const void *arg, size_t arg_size)
{
    const struct submitting *s = arg;
    cf_scope *scope = NULL;
    cf_future *out[2] = {NULL, NULL};
    (void)arg_size;
    if (s->scope_ns && cf_scope_begin(call, s->scope_ns, &scope))
        return cf_fail(call, 1, "no scope");
    gate_arrive(s->g);
    cf_err err =
        cf_submit_many(s->ex, task_count, s->ran, 0, (size_t)s->count, out);
    if (err && (out[0] || out[1]))
        return cf_fail(call, 2, "a handle in spite of an error");
    if (scope && cf_scope_end(scope) != (err ? CF_ETIMEDOUT : CF_OK))
        return cf_fail(call, 3, "another end of the scope");
    cf_future_unref(out[0]);
    cf_future_unref(out[1]);
    return cf_return(call, &(int){(int)err}, sizeof(int));
}

CF_THREAD_TEST(a_task_waits_for_room_in_another_queue)
{
    bounded b;
    bounded_begin(&b, 2, CF_QUEUE_BLOCK);
    struct submitting s = {
        .ex = b.ex, .g = gate_new(), .ran = counter_new(), .count = 2};
    assert_ok(cf_submit(b.ex, task_count, s.ran, 0, NULL));
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_submits, &s, sizeof s);
    gate_await(s.g, 1);
    assert_err(cf_future_wait(f, CF_MS(5)), CF_ETIMEDOUT);
    gate_open(b.g);
    cr_expect(int_result(f) == CF_OK);
    bounded_end(&b);
    cr_expect(*s.ran == 3, "%d", *s.ran);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* The places that it does not take are there for others. */
CF_THREAD_TEST(an_interrupt_ends_a_wait_for_room, .timeout = 60)
{
    cf_executor *ex = test_executor(1);
    for (int i = 0; i < 50; i++) {
        bounded b;
        bounded_begin(&b, 2, CF_QUEUE_BLOCK);
        struct submitting s = {
            .ex = b.ex, .g = gate_new(), .ran = counter_new(), .count = 2};
        assert_ok(cf_submit(b.ex, task_count, s.ran, 0, NULL));
        cf_future *f = must_submit(ex, task_submits, &s, sizeof s);
        gate_await(s.g, 1);
        if (i % 2)
            assert_err(cf_future_wait(f, CF_MS(1)), CF_ETIMEDOUT);
        cr_assert(cf_future_interrupt(f));
        cr_expect(int_result(f) == CF_EINTERRUPTED);
        assert_ok(cf_submit(b.ex, task_count, s.ran, 0, NULL));
        bounded_end(&b);
        cr_expect(*s.ran == 2, "%d", *s.ran);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

CF_THREAD_TEST(a_scope_ends_a_wait_for_room)
{
    bounded b;
    bounded_begin(&b, 1, CF_QUEUE_BLOCK);
    struct submitting s = {.ex = b.ex,
                           .g = gate_new(),
                           .ran = counter_new(),
                           .count = 1,
                           .scope_ns = CF_MS(3)};
    assert_ok(cf_submit(b.ex, task_count, s.ran, 0, NULL));
    cf_executor *ex = test_executor(1);
    cf_future *f = must_submit(ex, task_submits, &s, sizeof s);
    cr_expect(int_result(f) == CF_EINTERRUPTED);
    cf_scope *scope;
    assert_ok(cf_scope_begin(NULL, CF_MS(3), &scope)); /* in a thread, too */
    assert_err(cf_submit(b.ex, task_count, s.ran, 0, NULL), CF_EINTERRUPTED);
    assert_err(cf_scope_end(scope), CF_ETIMEDOUT);
    bounded_end(&b);
    cr_expect(*s.ran == 1, "%d", *s.ran);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}
