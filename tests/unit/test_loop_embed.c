/* SPDX-License-Identifier: MIT */
/*
 * An event loop inside of a program's own uv_loop_t.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/io.h>

#include "tests/support/tasks.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>
#include <uv.h>

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)
#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_), 1, "line %d", __LINE__);                   \
    } while (0)

static cf_executor *
embed(uv_loop_t *uv)
{
    cf_executor *ex = NULL;
    cf_event_loop_options opts = CF_EVENT_LOOP_OPTIONS_INIT;
    cr_assert(uv_loop_init(uv) == 0);
    opts.uv_loop = uv;
    assert_ok(cf_event_loop_create(&opts, &ex));
    return ex;
}

static void
close_uv(uv_loop_t *uv)
{
    (void)uv_run(uv, UV_RUN_DEFAULT);
    cr_assert(uv_loop_close(uv) == 0, "nothing is left");
}

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn, const void *arg)
{
    cf_future *f = NULL;
    assert_ok(cf_submit(ex, fn, arg, 0, &f));
    return f;
}

static void
finish(cf_future *f)
{
    const cf_error *error = cf_future_error(f);
    cr_assert(cf_future_done(f));
    cr_assert(!error, "%s", error->message);
    cf_future_unref(f);
}

static pthread_t uv_thread;

static int
wait_for_many(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *pool = (cf_executor *)arg;
    int pipes[2];
    (void)arg_size;
    expect(call, pthread_equal(pthread_self(), uv_thread));
    expect(call, cf_sleep(call, 2 * MS) == CF_OK);
    expect(call, cf_yield(call) == CF_OK);
    expect(call, pipe(pipes) == 0);
    expect(call,
           cf_wait_fd(call, pipes[0], CF_FD_READ, MS, NULL) == CF_ETIMEDOUT);
    expect(call, write(pipes[1], "x", 1) == 1);
    expect(call,
           cf_wait_fd(call, pipes[0], CF_FD_READ, CF_FOREVER, NULL) == CF_OK);
    close(pipes[0]);
    close(pipes[1]);
    for (int i = 0; i < 50; i++) {
        cf_future *f;
        expect(call, cf_submit(pool, task_nothing, NULL, 0, &f) == CF_OK);
        if (i % 2) /* it has been done, or it wakes the loop */
            expect(call, cf_sleep(call, MS / 10) == CF_OK);
        expect(call, cf_future_result(f, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(f);
    }
    return 0;
}

static int
end_loop(cf_call *call, const void *arg, size_t arg_size)
{
    cf_executor *ex = cf_call_executor(call);
    cf_future *const *fs = arg;
    (void)arg_size;
    for (int i = 0; i < 10; i++)
        expect(call, cf_future_wait(fs[i], CF_FOREVER) == CF_OK);
    return cf_executor_shutdown(ex, CF_SHUTDOWN_NOWAIT, 0);
}

Test(loop_embed, tasks_run_in_the_programs_uv_run)
{
    uv_loop_t uv;
    cf_future *fs[11];
    cf_executor *pool, *ex = embed(&uv);
    uv_thread = pthread_self();
    assert_ok(cf_executor_open("threads:1", &pool));
    for (int i = 0; i < 10; i++)
        fs[i] = submit(ex, wait_for_many, pool);
    fs[10] = submit(ex, end_loop, fs);
    cr_assert(uv_run(&uv, UV_RUN_DEFAULT) == 0, "until the loop has ended");
    for (int i = 0; i < 11; i++)
        finish(fs[i]);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cf_executor_destroy(ex);
    cf_executor_destroy(pool);
    close_uv(&uv);
}

/* What the program's own callbacks do with the loop. */
struct callbacks {
    cf_executor *ex;
    cf_future *promise, *waiting;
    int count;
};

static int
wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    cf_future *promise = (cf_future *)arg; /* which is the task's now */
    (void)call;
    (void)arg_size;
    cf_err err = cf_future_wait(promise, CF_FOREVER);
    cf_future_unref(promise);
    return (int)err;
}

static void
on_timer(uv_timer_t *timer)
{
    struct callbacks *c = timer->data;
    if (c->count++ % 2 == 0) {
        assert_ok(cf_future_create(&c->promise));
        c->waiting = submit(c->ex, wait_for, c->promise);
        return;
    }
    if (c->count == 2)
        cr_assert(cf_executor_wait_idle(c->ex, CF_FOREVER) == CF_EDEADLK);
    assert_ok(cf_future_set_result(c->promise, NULL, 0));
    cf_future_unref(c->waiting);
    if (c->count == 20) {
        uv_close((uv_handle_t *)timer, NULL);
        assert_ok(cf_executor_shutdown(c->ex, CF_SHUTDOWN_NOWAIT, 0));
    }
}

Test(loop_embed, the_programs_callbacks_submit_and_complete)
{
    uv_loop_t uv;
    uv_timer_t timer;
    struct callbacks c = {.ex = embed(&uv)};
    cr_assert(uv_timer_init(&uv, &timer) == 0);
    timer.data = &c;
    cr_assert(uv_timer_start(&timer, on_timer, 1, 1) == 0);
    cr_assert(uv_run(&uv, UV_RUN_DEFAULT) == 0);
    cr_assert(c.count == 20);
    cf_executor_destroy(c.ex);
    close_uv(&uv);
}

static int
sleep_and_wait(cf_call *call, const void *arg, size_t arg_size)
{
    cf_err err = cf_sleep(call, 3 * MS);
    (void)arg_size;
    return (int)(err ? err : cf_future_wait((cf_future *)arg, CF_FOREVER));
}

Test(loop_embed, a_destroy_runs_it_to_its_end)
{
    uv_loop_t uv;
    cf_future *promise;
    cf_executor *ex = embed(&uv);
    assert_ok(cf_future_create(&promise));
    cf_future *f = submit(ex, sleep_and_wait, promise);
    cr_assert(cf_executor_shutdown(ex, 0, 5 * MS) == CF_ETIMEDOUT);
    cr_assert(!cf_future_done(f));
    assert_ok(cf_future_set_result(promise, NULL, 0));
    cf_executor_destroy(ex);
    finish(f);
    cf_future_unref(promise);
    close_uv(&uv);
    ex = embed(&uv); /* one that is not used */
    cf_executor_destroy(ex);
    close_uv(&uv);
}

static void *
use_from_outside(void *arg)
{
    cf_executor *ex = arg;
    for (int i = 0; i < 200; i++) {
        cf_future *f = NULL;
        if (cf_submit(ex, task_nothing, NULL, 0, &f) ||
            cf_future_wait(f, CF_FOREVER))
            return "failed";
        cf_future_unref(f);
    }
    if (cf_executor_wait_idle(ex, CF_FOREVER))
        return "not idle";
    return cf_executor_shutdown(ex, 0, CF_FOREVER) ? "not ended" : NULL;
}

Test(loop_embed, another_thread_submits_and_ends_it)
{
    uv_loop_t uv;
    pthread_t thread;
    void *failure;
    cf_executor *ex = embed(&uv);
    cr_assert(pthread_create(&thread, NULL, use_from_outside, ex) == 0);
    cr_assert(uv_run(&uv, UV_RUN_DEFAULT) == 0);
    cr_assert(pthread_join(thread, &failure) == 0);
    cr_assert(!failure, "%s", (const char *)failure);
    cf_executor_destroy(ex);
    close_uv(&uv);
}

static int
destroy_own(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    cf_executor_destroy(cf_call_executor(call));
    return 0;
}

Test(loop_embed, a_task_destroys_it)
{
    uv_loop_t uv;
    cf_executor *ex = embed(&uv);
    cf_future *f = submit(ex, destroy_own, NULL);
    cr_assert(uv_run(&uv, UV_RUN_DEFAULT) == 0);
    finish(f);
    close_uv(&uv);
}

Test(loop_embed, a_run_has_no_uv_loop)
{
    uv_loop_t uv;
    cf_event_loop_options opts = CF_EVENT_LOOP_OPTIONS_INIT;
    opts.uv_loop = &uv;
    cr_assert(cf_event_loop_run(&opts, task_nothing, NULL, 0, NULL) ==
              CF_EINVAL);
}
