/* SPDX-License-Identifier: MIT */
/*
 * What the event loop's calls for input and output are made of: the loop sleeps
 * in libuv, and what ends its tasks' waits there.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include "event_loop/io.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define HOUR_MS UINT64_C(3600000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

static cf_executor *
new_loop(void)
{
    cf_executor *ex = NULL;
    assert_ok(cf_executor_open("loop", &ex));
    return ex;
}

static cf_future *
submit(cf_executor *ex, cf_task_fn *fn, const void *arg)
{
    cf_future *f = NULL;
    assert_ok(cf_submit(ex, fn, arg, 0, &f));
    return f;
}

/* The task succeeded. */
static void
finish(cf_future *f)
{
    assert_ok(cf_future_wait(f, CF_FOREVER));
    const cf_error *error = cf_future_error(f);
    cr_assert(!error, "%s", error ? error->message : "");
    cf_future_unref(f);
}

#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_), 1, "line %d", __LINE__);                   \
    } while (0)

/* A timer of libuv's that a task waits for. It ends itself. */
struct pause {
    struct cf__io_object object;
    uv_timer_t timer;
    struct cf__coroutine *waiter;
    bool done;
};

static atomic_int open_pauses;

static void
free_pause(uv_handle_t *timer)
{
    atomic_fetch_sub(&open_pauses, 1);
    free(timer->data);
}

static void
end_pause(struct cf__io_object *object)
{
    struct pause *pause = (struct pause *)object;
    cf__io_remove(object);
    uv_close((uv_handle_t *)&pause->timer, free_pause);
}

static void
on_pause(uv_timer_t *timer)
{
    struct pause *pause = timer->data;
    pause->done = true;
    cf__io_wake(pause->waiter);
}

static cf_err
begin_pause(cf_call *call, uint64_t ms, struct pause **out)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    cf_err err = cf__io_begin(call, &loop, &self);
    struct pause *pause = err ? NULL : calloc(1, sizeof *pause);
    if (!pause)
        return err ? err : CF_ENOMEM;
    pause->waiter = self;
    pause->timer.data = pause;
    atomic_fetch_add(&open_pauses, 1);
    (void)uv_timer_init(cf__io_uv(loop), &pause->timer);
    (void)uv_timer_start(&pause->timer, on_pause, ms, 0);
    cf__io_add(loop, &pause->object, end_pause);
    *out = pause;
    return CF_OK;
}

static cf_err
pause_for(cf_call *call, uint64_t ms, int64_t deadline_ns)
{
    struct pause *pause;
    cf_err err = begin_pause(call, ms, &pause);
    if (err)
        return err;
    err = cf__io_wait(cf__evloop_of(cf_call_executor(call)),
                      pause->waiter,
                      &pause->done,
                      deadline_ns);
    end_pause(&pause->object);
    return err;
}

static int
wait_for_libuv(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < 20; i++)
        expect(call, pause_for(call, 1, CF__NEVER) == CF_OK);
    return 0;
}

Test(loop_io, tasks_wait_for_callbacks)
{
    enum { N = 50 };
    cf_executor *ex = new_loop();
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = submit(ex, wait_for_libuv, NULL);
    for (int i = 0; i < N; i++)
        finish(fs[i]);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&open_pauses) == 0);
}

/* Keeps libuv busy meanwhile. */
static int
wait_beside_libuv(cf_call *call, const void *arg, size_t arg_size)
{
    struct pause *pause;
    (void)arg_size;
    expect(call, begin_pause(call, HOUR_MS, &pause) == CF_OK);
    cf_err err = cf_future_wait((cf_future *)arg, CF_FOREVER);
    end_pause(&pause->object);
    return (int)err;
}

Test(loop_io, another_thread_wakes_a_loop_that_sleeps_in_libuv)
{
    cf_executor *ex = new_loop();
    for (int i = 0; i < 200; i++) {
        cf_future *promise;
        assert_ok(cf_future_create(&promise));
        cf_future *f = submit(ex, wait_beside_libuv, promise);
        if (i % 2)
            cf_sleep(NULL, MS); /* then it mostly sleeps */
        assert_ok(cf_future_set_result(promise, NULL, 0));
        finish(f);
        cf_future_unref(promise);
    }
    cf_executor_destroy(ex);
}

static int
sleep_beside_libuv(cf_call *call, const void *arg, size_t arg_size)
{
    struct pause *pause;
    (void)arg;
    (void)arg_size;
    expect(call, begin_pause(call, HOUR_MS, &pause) == CF_OK);
    for (int i = 0; i < 20; i++) {
        int64_t begun = cf__now_ns();
        expect(call, cf_sleep(call, i * MS / 4 + 1) == CF_OK);
        expect(call, cf__now_ns() - begun > i * MS / 4);
    }
    end_pause(&pause->object);
    return 0;
}

Test(loop_io, deadlines_pass_in_libuv_and_never_early)
{
    enum { N = 20 };
    cf_executor *ex = new_loop();
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = submit(ex, sleep_beside_libuv, NULL);
    for (int i = 0; i < N; i++)
        finish(fs[i]);
    cf_executor_destroy(ex);
}

static int
run_out_of_time(cf_call *call, const void *arg, size_t arg_size)
{
    int64_t begun = cf__now_ns();
    (void)arg;
    (void)arg_size;
    expect(call, pause_for(call, HOUR_MS, begun + 2 * MS) == CF_ETIMEDOUT);
    expect(call, cf__now_ns() >= begun + 2 * MS);
    expect(call, pause_for(call, HOUR_MS, 0) == CF_ETIMEDOUT);
    return 0;
}

Test(loop_io, a_wait_runs_out_of_time)
{
    cf_executor *ex = new_loop();
    finish(submit(ex, run_out_of_time, NULL));
    cf_executor_destroy(ex);
}

static int
be_interrupted(cf_call *call, const void *arg, size_t arg_size)
{
    struct pause *pause;
    struct cf__evloop *loop = cf__evloop_of(cf_call_executor(call));
    (void)arg_size;
    expect(call, begin_pause(call, 1, &pause) == CF_OK);
    expect(call,
           cf__io_wait(loop, pause->waiter, &pause->done, CF__NEVER) == CF_OK);
    (void)cf_future_set_result((cf_future *)arg, NULL, 0);
    expect(call, pause_for(call, HOUR_MS, CF__NEVER) == CF_EINTERRUPTED);
    /* It is told to stop, but this one is satisfied. */
    expect(call,
           cf__io_wait(loop, pause->waiter, &pause->done, CF__NEVER) == CF_OK);
    end_pause(&pause->object);
    return 0;
}

Test(loop_io, an_interrupt_ends_a_wait)
{
    cf_executor *ex = new_loop();
    cf_future *begun;
    assert_ok(cf_future_create(&begun));
    cf_future *f = submit(ex, be_interrupted, begun);
    assert_ok(cf_future_wait(begun, CF_FOREVER));
    (void)cf_future_interrupt(f);
    finish(f);
    cf_future_unref(begun);
    cf_executor_destroy(ex);
}

static int
begin_io(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    (void)arg;
    (void)arg_size;
    cf_err err = cf__io_begin(call, &loop, &self);
    return cf_return(call, &err, sizeof err);
}

Test(loop_io, only_tasks_of_a_loop_have_it)
{
    const char *specs[] = {"inline", "threads:1", "processes:1"};
    cr_assert(cf__io_begin(NULL, NULL, NULL) == CF_EINVAL);
    for (int i = 0; i < 2 + HAS_PROCESSES; i++) {
        cf_executor *ex;
        cf_bytes bytes;
        assert_ok(cf_executor_open(specs[i], &ex));
        cf_future *f = submit(ex, begin_io, NULL);
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(*(const cf_err *)bytes.data == CF_ENOTSUP);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
}

static int
leave_handles(cf_call *call, const void *arg, size_t arg_size)
{
    struct pause *pause;
    (void)arg_size;
    for (int i = 0; i < 5; i++)
        expect(call, begin_pause(call, HOUR_MS, &pause) == CF_OK);
    if (arg)
        pthread_exit(NULL);
    return 0;
}

Test(loop_io, a_loop_closes_what_is_left)
{
    cf_executor *ex = new_loop();
    finish(submit(ex, leave_handles, NULL));
    cr_assert(atomic_load(&open_pauses) == 5);
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&open_pauses) == 0);
    assert_ok(cf_event_loop_run(NULL, leave_handles, NULL, 0, NULL));
    cr_assert(atomic_load(&open_pauses) == 0);
}

Test(loop_io, a_task_that_ends_the_thread_closes_them_too)
{
    cf_executor *ex = new_loop();
    cf_future *waiting = submit(ex, wait_for_libuv, NULL);
    cf_future *f = submit(ex, leave_handles, ex);
    cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_EWORKERDIED);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(atomic_load(&open_pauses) == 0);
    cf_future_unref(f);
    cf_future_unref(waiting);
    cf_executor_destroy(ex);
}

static int
fork_beside_libuv(cf_call *call, const void *arg, size_t arg_size)
{
    struct pause *pause;
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    int status;
    (void)arg;
    (void)arg_size;
    expect(call, begin_pause(call, 10, &pause) == CF_OK);
    pid_t child = fork();
    if (child == 0) {
        bool refused = cf__io_begin(call, &loop, &self) == CF_EFORKED &&
                       cf__io_wait(cf__evloop_of(cf_call_executor(call)),
                                   pause->waiter,
                                   &pause->done,
                                   CF__NEVER) == CF_EFORKED;
        _exit(refused ? 7 : 1);
    }
    expect(call, waitpid(child, &status, 0) == child);
    expect(call, WIFEXITED(status) && WEXITSTATUS(status) == 7);
    loop = cf__evloop_of(cf_call_executor(call));
    expect(call,
           cf__io_wait(loop, pause->waiter, &pause->done, CF__NEVER) == CF_OK);
    return 0;
}

Test(loop_io, a_forks_child_leaves_libuv_alone)
{
    cf_executor *ex = new_loop();
    finish(submit(ex, fork_beside_libuv, NULL));
    cf_executor_destroy(ex);
}

static void
complete(uv_timer_t *timer)
{
    (void)cf_future_set_result(timer->data, NULL, 0);
}

/* A timer of the program's own, which is no reason for uv_run() to go on. */
static int
use_uv(cf_call *call, const void *arg, size_t arg_size)
{
    static uv_timer_t timer;
    cf_executor *ex = cf_call_executor(call);
    cf_future *f;
    (void)arg_size;
    if (cf_future_create(&f))
        return 1;
    expect(call, uv_timer_init(cf_event_loop_uv(ex), &timer) == 0);
    uv_unref((uv_handle_t *)&timer);
    timer.data = f;
    expect(call, uv_timer_start(&timer, complete, 2, 0) == 0);
    expect(call, cf_future_wait(f, CF_FOREVER) == CF_OK);
    expect(call, cf_event_loop_uv((cf_executor *)arg) == NULL);
    cf_future_unref(f);
    return 0; /* the loop closes the timer */
}

Test(loop_io, a_program_uses_libuv)
{
    cf_executor *ex = new_loop(), *other = new_loop();
    finish(submit(ex, use_uv, other));
    cr_assert(cf_event_loop_uv(ex) == NULL, "not in this thread");
    cf_executor_destroy(ex);
    cf_executor_destroy(other);
}

Test(loop_io, errors_of_libuv_are_errno)
{
    cr_assert(cf__io_error(0) == CF_OK && cf__io_error(5) == CF_OK);
    cr_assert(cf__io_error(UV_ENOMEM) == CF_ENOMEM);
    cr_assert(cf__io_error(UV_EOF) == CF_EDONE);
    cr_assert(cf__io_error(UV_ECONNRESET) == CF_ESYS && errno == ECONNRESET);
    cr_assert(cf__io_error(UV_UNKNOWN) == CF_ESYS && errno == EIO);
}
