/* SPDX-License-Identifier: MIT */
/*
 * Programs, tasks and initializers that close what they did not open, as
 * daemons do, and then have files of their own with the same numbers: the
 * pool goes on, and touches none of them. Each program is a child of the test,
 * whose own descriptors Criterion needs.
 */
#define _GNU_SOURCE
#include "tests/processes/manager.h"
#include "tests/processes/processes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { FIRST = 3, LAST = 255, SOCKETS = 16 };

static void
close_everything(void)
{
    for (int fd = FIRST; fd <= LAST; fd++)
        close(fd);
}

/* Sockets with the lowest numbers there are. One end of a pair sees
 * what is written to the other, or that it was closed. */
static bool
open_sockets(void)
{
    int ends[2];
    for (int i = 0; i < SOCKETS / 2; i++)
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0 ||
            send(ends[0], "mine", 4, 0) != 4 ||
            send(ends[1], "mine", 4, 0) != 4)
            return false;
    return true;
}

/* No socket has been written to, read from, or closed. */
static bool
sockets_are_untouched(void)
{
    for (int fd = FIRST; fd < FIRST + SOCKETS; fd++) {
        char bytes[16];
        if (recv(fd, bytes, sizeof bytes, 0) != 4 ||
            memcmp(bytes, "mine", 4) != 0 ||
            recv(fd, bytes, sizeof bytes, 0) != -1)
            return false;
    }
    return true;
}

/* --- in the program ------------------------------------------------------ */

static int
task_dies(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    abort();
}

/* A new worker takes the place of one that dies; a signal reaches it. */
static bool
still_works(cf_executor *ex)
{
    cf_future *f = must_submit(ex, task_dies, NULL, 0);
    if (cf_future_result(f, CF_SECONDS(20), NULL) != CF_EWORKERDIED)
        return false;
    cf_future_unref(f);
    expect_works(ex);
    gate *g = gate_new();
    f = must_submit(ex, task_until_canceled, g, 0);
    gate_await(g, 1);
    cf_future *stopped = must_submit(ex, task_pid, NULL, 0);
    (void)cf_future_interrupt(f);
    bool ended = cf_future_wait(f, CF_SECONDS(20)) == CF_OK &&
                 cf_future_wait(stopped, CF_SECONDS(20)) == CF_OK;
    cf_future_unref(f);
    cf_future_unref(stopped);
    return ended;
}

/* The descriptors go when the pool is new, or has been used. */
static int
program_that_closes(bool used, bool reuses)
{
    alarm(60);
    cf_executor *ex = pool_for(2);
    if (used)
        expect_works(ex);
    close_everything();
    if (reuses && !open_sockets())
        return 2;
    if (!still_works(ex))
        return 3;
    cf_executor_destroy(ex);
    if (reuses && !sockets_are_untouched())
        return 4;
    return process_await_found(own_prefix(), 0) < 0 ? 5 : 0;
}

static int
status_of(pid_t child)
{
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child);
    return status;
}

CF_TEST(a_pool_goes_on_when_the_program_has_closed_all_descriptors)
{
    for (int used = 0; used < 2; used++) {
        for (int reuses = 0; reuses < 2; reuses++) {
            pid_t child = fork();
            if (child == 0)
                _exit(program_that_closes(used, reuses));
            int status = status_of(child);
            cr_assert(status == 0, "%d, %d: %x", used, reuses, status);
        }
    }
}

static atomic_bool forks;
static pid_t children[64];
static int child_count;

/* Children that do nothing, and have what they find. */
static void *
fork_often(void *unused)
{
    while (atomic_load(&forks) && child_count < 64) {
        pid_t child = fork();
        if (child == 0) {
            for (;;)
                pause();
        }
        if (child > 0)
            children[child_count++] = child;
    }
    return unused;
}

static void
end_children(void)
{
    while (child_count > 0) {
        pid_t child = children[--child_count];
        kill(child, SIGKILL);
        (void)status_of(child);
    }
}

/* What tells of the program's end is no descriptor of the program. */
CF_TEST(workers_end_with_a_program_that_has_closed_all_descriptors)
{
    gate *ready = gate_new(), *held = gate_new();
    char prefix[16];
    pid_t child = fork();
    if (child == 0) {
        cf_executor *ex = pool_for(1);
        cf_future *f = must_submit(ex, task_hold, held, 0);
        gate_await(held, 1);
        close_everything();
        gate_pass(ready);
        cf_future_unref(f);
        _exit(0);
    }
    snprintf(prefix, sizeof prefix, "t%d", (int)child);
    gate_await(ready, 1);
    cr_assert(process_find(prefix, NULL, 0) == 2);
    kill(child, SIGKILL);
    (void)status_of(child);
    process_await_found(prefix, 0);
}

/* Other processes have what the pool had open, as a child has that another
 * thread forks while the pool is created. */
CF_TEST(the_end_of_the_zygote_is_noticed_though_others_have_its_descriptors)
{
    char name[32];
    snprintf(name, sizeof name, "%s_z", own_prefix());
    for (int i = 0; i < 10; i++) {
        atomic_store(&forks, true);
        pthread_t thread;
        pthread_create(&thread, NULL, fork_often, NULL);
        cf_executor *ex = pool_for(1);
        atomic_store(&forks, false);
        pthread_join(thread, NULL);
        gate *g = gate_new();
        cf_future *held;
        occupy(ex, g, 1, &held);
        pid_t zygote;
        cr_assert(process_find(name, &zygote, 1) == 1);
        kill(zygote, SIGKILL);
        cf_err err = cf_future_result(held, CF_SECONDS(20), NULL);
        end_children();
        assert_err(err, CF_EWORKERDIED);
        cf_future_unref(held);
        cf_executor_destroy(ex);
    }
}

/* No descriptor may be opened, and none polled. */
CF_TEST(a_pool_of_a_program_without_descriptors_works_and_sleeps)
{
    enum { SLEEPS_MAX = 60 }; /* until it rests, a second later */
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        cf_executor *ex = pool_for(1);
        expect_works(ex);
        const struct rlimit none = {0, 0};
        if (setrlimit(RLIMIT_NOFILE, &none) != 0)
            _exit(2);
        expect_works(ex);
        unsigned before = manager_sleeps(ex);
        await_manager_at_rest(ex);
        unsigned sleeps = manager_sleeps(ex) - before;
        cf_executor_destroy(ex);
        _exit(sleeps < SLEEPS_MAX ? 0 : 3);
    }
    int status = status_of(child);
    cr_assert(status == 0, "%x", status);
}

/* --- in a worker --------------------------------------------------------- */

static int
init_closes(cf_call *call, void *data, void **worker_data)
{
    (void)call;
    (void)data;
    (void)worker_data;
    close_everything();
    return open_sockets() ? 0 : 1;
}

/* Looks at what the initializer has opened. */
static int
task_looks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    int untouched = sockets_are_untouched();
    return cf_return(call, &untouched, sizeof untouched) != CF_OK;
}

static int
task_closes(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    close_everything();
    return open_sockets() ? 0 : cf_fail(call, 1, "no sockets");
}

/* No call waits for these tasks while they run, so the worker rings. */
static void
expect_untouched(cf_executor *ex, int restarts)
{
    cf_future *fs[20];
    for (int i = 0; i < 5; i++) {
        submit_squares(ex, fs, 20);
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        expect_squares(fs, 20);
    }
    cf_future *f = must_submit(ex, task_looks, NULL, 0);
    cr_assert(int_result(f) == 1);
    cf_future_unref(f);
    cr_assert(stats_of(ex).restarts == (uint64_t)restarts);
    cf_executor_destroy(ex);
}

CF_TEST(an_initializer_may_close_all_descriptors_and_have_its_own)
{
    cf_process_pool_options opts = options_for(1);
    opts.initializer = init_closes;
    expect_untouched(pool_of(&opts), 0);
}

CF_TEST(a_task_may_close_all_descriptors_and_have_its_own)
{
    cf_executor *ex = pool_for(1);
    cf_future *f = must_submit(ex, task_closes, NULL, 0);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    expect_untouched(ex, 0);
}
