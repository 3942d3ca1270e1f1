/* SPDX-License-Identifier: MIT */
/*
 * The watchdog of an event loop: which task it names, that it does so once, how
 * long a run was, and that it sleeps while the loop does. A task that holds the
 * loop waits for what the watchdog writes.
 */
#include "event_loop/loop.h"

#include <cfutures/cfutures.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)
enum { LINE_SIZE = 1024 };

static int report; /* what has been written to standard error is read here */

static void
catch_reports(void)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_assert(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    report = ends[0];
}

TestSuite(watchdog, .init = catch_reports);

/* Blocks until the watchdog has written a line. */
static void
read_line(char line[LINE_SIZE])
{
    size_t length = 0;
    do
        cr_assert(read(report, line + length, 1) == 1);
    while (line[length++] != '\n' && length < LINE_SIZE - 1);
    line[length] = '\0';
}

static cf_executor *
watched_loop(int64_t stall_ns)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    cf_executor *ex = NULL;
    options.name = "sleepy_loop";
    options.stall_ns = stall_ns;
    assert_ok(cf_event_loop_create(&options, &ex));
    return ex;
}

/* A name that other objects could see, for the report. */
int hold_the_loop(cf_call *call, const void *arg, size_t arg_size);

int
hold_the_loop(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    read_line((char *)arg);
    return 0;
}

static cf_future *
submit_named(cf_executor *ex, cf_task_fn *fn, void *arg, const char *name)
{
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = fn;
    task.arg = arg;
    task.name = name;
    assert_ok(cf_submit_task(ex, &task, &f));
    return f;
}

static void
finish(cf_future *f)
{
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
}

Test(watchdog, the_report_names_the_loop_the_task_and_its_function)
{
    char line[LINE_SIZE] = "";
    cf_executor *ex = watched_loop(20 * MS);
    finish(submit_named(ex, hold_the_loop, line, "resize"));
    cr_assert(strstr(line, "cfutures: sleepy_loop: task \"resize\" (") == line,
              "%s",
              line);
    cr_assert(strstr(line, "(hold_the_loop) has held"), "%s", line);
    finish(submit_named(ex, hold_the_loop, line, NULL));
    cr_assert(strstr(line, ": task hold_the_loop has held"), "%s", line);
    cf_executor_destroy(ex);
}

/* Holds the loop until the watchdog has seen a run of many stalls. */
static int
hold_for_long(cf_call *call, const void *arg, size_t arg_size)
{
    cf_stats stats = {0};
    char line[LINE_SIZE];
    (void)arg;
    (void)arg_size;
    read_line(line);
    cr_assert(strstr(line, "\"patient\""), "%s", line);
    while (stats.longest_run_ns < 200 * (uint64_t)MS)
        assert_ok(cf_executor_stats(cf_call_executor(call), &stats));
    return 0;
}

Test(watchdog, a_run_is_reported_once_and_measured_on)
{
    char line[LINE_SIZE] = "";
    cf_stats stats;
    cf_executor *ex = watched_loop(20 * MS);
    finish(submit_named(ex, hold_for_long, NULL, "patient"));
    finish(submit_named(ex, hold_the_loop, line, "the next one"));
    while (!strstr(line, "\"the next one\"")) {
        cr_assert(!strstr(line, "\"patient\""), "twice: %s", line);
        read_line(line);
    }
    assert_ok(cf_executor_stats(ex, &stats));
    cr_assert(stats.longest_run_ns >= 200 * (uint64_t)MS);
    cf_executor_destroy(ex);
}

/* A callback of the loop's own task, after the task has ended. */
static void
hold_in_callback(cf_future *f, void *line)
{
    (void)f;
    read_line(line);
}

static int
return_at_once(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

static int
wait_then_return(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    return (int)cf_future_wait((cf_future *)arg, CF_FOREVER);
}

Test(watchdog, a_callback_is_no_task)
{
    char line[LINE_SIZE] = "";
    cf_future *go;
    cf_executor *ex = watched_loop(20 * MS);
    assert_ok(cf_future_create(&go));
    cf_future *f = submit_named(ex, wait_then_return, go, "caller");
    assert_ok(cf_future_on_done(f, hold_in_callback, line));
    assert_ok(cf_future_set_result(go, NULL, 0));
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(strstr(line, ": a callback or initializer has held"), "%s", line);
    cf_future_unref(f);
    cf_future_unref(go);
    cf_executor_destroy(ex);
}

Test(watchdog, it_sleeps_while_the_loop_does)
{
    cf_future *go;
    cf_executor *ex = watched_loop(MS);
    assert_ok(cf_future_create(&go));
    cf_future *f = submit_named(ex, wait_then_return, go, "parked");
    _Atomic uint32_t *at_work = &cf__evloop_of(ex)->watchdog.at_work;
    while (atomic_load(at_work) != CF__WATCH_ALONE)
        cf_sleep(NULL, MS);
    assert_ok(cf_future_set_result(go, NULL, 0));
    finish(f);
    while (atomic_load(at_work) != CF__WATCH_ALONE)
        cf_sleep(NULL, MS);
    cf_future_unref(go);
    cf_executor_destroy(ex); /* ends both */
}

static bool
is_watched(void)
{
    cf_executor *ex = watched_loop(0);
    bool watched = cf__evloop_of(ex)->options.stall_ns > 0;
    cf_executor_destroy(ex);
    return watched;
}

Test(watchdog, the_environment_says_what_the_options_do_not)
{
    char line[LINE_SIZE] = "";
    cf_executor *ex;
    cr_assert(!is_watched());
    setenv("CF_LOOP_STALL", "", 1);
    cr_assert(!is_watched());
    setenv("CF_LOOP_STALL", "20ms", 1);
    ex = watched_loop(0);
    cr_assert(cf__evloop_of(ex)->options.stall_ns == 20 * MS);
    finish(submit_named(ex, hold_the_loop, line, NULL));
    cf_executor_destroy(ex);
    ex = watched_loop(CF_FOREVER);
    cr_assert(cf__evloop_of(ex)->options.stall_ns == 0);
    cf_executor_destroy(ex);
    ex = watched_loop(5);
    cr_assert(cf__evloop_of(ex)->options.stall_ns == 5);
    cf_executor_destroy(ex);
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    options.stall_ns = -2;
    cr_assert(cf_event_loop_create(&options, &ex) == CF_EINVAL);
}

Test(watchdog, what_is_no_time_is_told)
{
    static const char *const texts[] = {
        "100", "ms", "-5ms", "0ms", "1.5s", "5m", "5 ms", "99999999999999999s"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char line[LINE_SIZE];
        setenv("CF_LOOP_STALL", texts[i], 1);
        cr_assert(!is_watched(), "%s", texts[i]);
        read_line(line);
        cr_assert(strstr(line, "is no time"), "%s", line);
        cr_assert(strstr(line, texts[i]), "%s", line);
    }
    setenv("CF_LOOP_STALL", "1s", 1);
    cr_assert(is_watched());
}

static int
fork_and_hold(cf_call *call, const void *arg, size_t arg_size)
{
    int status = -1;
    (void)arg_size;
    pid_t child = fork();
    if (child == 0)
        return (int)cf_sleep(call, MS);
    read_line((char *)arg);
    cr_assert(waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    return 0;
}

/* The child has no watchdog, and does not wait for one. */
Test(watchdog, a_task_may_fork)
{
    char line[LINE_SIZE] = "";
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    options.stall_ns = 20 * MS;
    cf_err err = cf_event_loop_run(&options, fork_and_hold, line, 0, NULL);
    if (err == CF_EFORKED)
        _exit(7);
    assert_ok(err);
    cr_assert(strstr(line, "fork_and_hold") || strstr(line, "+0x"));
}

static int
hold_and_end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    read_line((char *)arg);
    pthread_exit(NULL);
}

Test(watchdog, it_ends_with_its_loop_that_a_task_breaks)
{
    char line[LINE_SIZE] = "";
    cf_executor *ex = watched_loop(20 * MS);
    cf_future *f = submit_named(ex, hold_and_end_thread, line, NULL);
    cr_assert(cf_future_result(f, CF_FOREVER, NULL) == CF_EWORKERDIED);
    cf_future_unref(f);
    assert_ok(cf_executor_shutdown(ex, 0, CF_FOREVER));
    cr_assert(cf_submit(ex, return_at_once, NULL, 0, NULL) == CF_EBROKEN);
    cf_executor_destroy(ex);
}
