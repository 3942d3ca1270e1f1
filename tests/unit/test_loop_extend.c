/* SPDX-License-Identifier: MIT */
/*
 * What a library adds to a loop, written as a library would: against the public
 * headers and libuv. Its tasks wait for a timer of libuv's.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

/* Of one loop. */
struct ticker {
    uv_timer_t timer;
    cf_event *tick;
};

static atomic_int begun, ended, freed;
static cf_err begin_fails;

static void
on_timer(uv_timer_t *timer)
{
    struct ticker *ticker = timer->data;
    (void)cf_event_set(ticker->tick);
}

static cf_err
begin(struct uv_loop_s *uv, void **data)
{
    if (begin_fails)
        return begin_fails;
    struct ticker *ticker = calloc(1, sizeof *ticker);
    if (!ticker || cf_event_create(&ticker->tick)) {
        free(ticker);
        return CF_ENOMEM;
    }
    (void)uv_timer_init(uv, &ticker->timer);
    ticker->timer.data = ticker;
    atomic_fetch_add(&begun, 1);
    *data = ticker;
    return CF_OK;
}

static void
free_ticker(uv_handle_t *timer)
{
    struct ticker *ticker = timer->data;
    cf_event_destroy(ticker->tick);
    free(ticker);
    atomic_fetch_add(&freed, 1);
}

static void
end(void *data)
{
    struct ticker *ticker = data;
    atomic_fetch_add(&ended, 1);
    uv_close((uv_handle_t *)&ticker->timer, free_ticker);
}

static const cf_event_loop_extension extension = {begin, end};

static int
wait_for_tick(cf_call *call, const void *arg, size_t arg_size)
{
    void *data = NULL;
    (void)arg;
    (void)arg_size;
    cf_err err = cf_event_loop_extend(call, &extension, &data);
    struct ticker *ticker = data;
    for (int i = 0; i < 3 && !err; i++) {
        (void)cf_event_clear(ticker->tick);
        (void)uv_timer_start(&ticker->timer, on_timer, 1, 0);
        err = cf_event_wait(ticker->tick, CF_FOREVER);
    }
    return err ? (int)err : (int)cf_return(call, &data, sizeof data);
}

/* What the task says; *data: its ticker. */
static cf_err
run(cf_executor *ex, void **data)
{
    cf_future *f;
    cf_bytes bytes;
    assert_ok(cf_submit(ex, wait_for_tick, NULL, 0, &f));
    cf_err err = cf_future_result(f, CF_FOREVER, &bytes);
    if (err)
        err = (cf_err)cf_future_error(f)->code;
    else
        *data = *(void *const *)bytes.data;
    cf_future_unref(f);
    return err;
}

Test(loop_extend, each_loop_has_one)
{
    cf_executor *ex[2];
    void *data[2] = {NULL, NULL}, *again = NULL;
    for (int i = 0; i < 2; i++) {
        assert_ok(cf_event_loop_create(NULL, &ex[i]));
        assert_ok(run(ex[i], &data[i]));
    }
    assert_ok(run(ex[0], &again));
    cr_assert(again == data[0] && data[0] != data[1]);
    cr_assert(atomic_load(&begun) == 2 && atomic_load(&ended) == 0);
    cf_executor_destroy(ex[0]);
    cr_assert(atomic_load(&ended) == 1 && atomic_load(&freed) == 1);
    cf_executor_destroy(ex[1]);
    cr_assert(atomic_load(&ended) == 2 && atomic_load(&freed) == 2);
}

Test(loop_extend, a_loop_in_its_caller_has_one)
{
    assert_ok(cf_event_loop_run(NULL, wait_for_tick, NULL, 0, NULL));
    cr_assert(atomic_load(&begun) == 1 && atomic_load(&freed) == 1);
}

Test(loop_extend, what_fails_to_begin_is_tried_again)
{
    cf_executor *ex;
    void *data = NULL;
    assert_ok(cf_event_loop_create(NULL, &ex));
    begin_fails = CF_EAGAIN;
    cr_assert(run(ex, &data) == CF_EAGAIN);
    begin_fails = CF_OK;
    assert_ok(run(ex, &data));
    cf_executor_destroy(ex);
    cr_assert(atomic_load(&begun) == 1 && atomic_load(&freed) == 1);
}

Test(loop_extend, other_tasks_wait_as_threads)
{
    const char *specs[] = {"inline", "threads:1", "processes:1"};
    for (int i = 0; i < 2 + HAS_PROCESSES; i++) {
        cf_executor *ex;
        void *data;
        assert_ok(cf_executor_open(specs[i], &ex));
        cr_assert(run(ex, &data) == CF_ENOTSUP);
        cf_executor_destroy(ex);
    }
    cr_assert(atomic_load(&begun) == 0);
}

static int
extend_in_a_child(cf_call *call, const void *arg, size_t arg_size)
{
    void *data;
    int status;
    (void)arg;
    (void)arg_size;
    cf_err err = cf_event_loop_extend(call, &extension, &data);
    pid_t child = err ? -1 : fork();
    if (child == 0) {
        err = cf_event_loop_extend(call, &extension, &data);
        _exit(err == CF_EFORKED ? 7 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return cf_fail(call, 1, "no child");
    return WEXITSTATUS(status) == 7 ? 0 : cf_fail(call, 2, "%#x", status);
}

Test(loop_extend, not_in_the_child_of_a_task)
{
    cf_future *f;
    assert_ok(cf_event_loop_run(NULL, extend_in_a_child, NULL, 0, &f));
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
}

Test(loop_extend, bad_arguments_are_refused)
{
    void *data;
    cf_event_loop_extension half = {begin, NULL};
    cr_assert(cf_event_loop_extend(NULL, &extension, &data) == CF_EINVAL);
    cr_assert(cf_event_loop_extend(NULL, &half, &data) == CF_EINVAL);
    half = (cf_event_loop_extension){NULL, end};
    cr_assert(cf_event_loop_extend(NULL, &half, &data) == CF_EINVAL);
}
