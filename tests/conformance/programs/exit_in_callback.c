/* SPDX-License-Identifier: MIT */
/*
 * exit() in a callback, in the thread that other tasks need: an executor's
 * timer thread, a process pool's manager, the one with a callback that is due.
 * The end of the program waits for a task in another executor that waits for
 * them, and then it ends.
 */
#include <cfutures/cfutures.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/no_leak_search.h"
#include "tests/support/program.h"
#include "tests/support/tasks.h"

enum { STATUS = 3 };

/* Of whose callback calls exit(). */
enum way { IN_TASKS, IN_TIMED_TASKS, IN_PROMISES, WAYS };

static enum way way;
static cf_executor *ex, *other;
static gate *exits, *waits;
static cf_future *kept; /* what the due callback keeps */
static atomic_bool waited;

static void
callback_exit(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    gate_pass(exits); /* the other task is about to wait */
    exit(STATUS);
}

/* Is due when the other one exits. */
static void
callback_keep_promise(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    CHECK(cf_future_set_result(kept, NULL, 0) == CF_OK);
}

/* Its deadline ends it, which is the timer thread's to see. */
static cf_future *
submit_timed(void)
{
    cf_task task = CF_TASK_INIT;
    cf_future *f = NULL;
    task.fn = task_until_canceled;
    task.arg = waits;
    task.timeout_ns = CF_MS(5);
    CHECK(cf_submit_task(ex, &task, &f) == CF_OK);
    return f;
}

/* Runs in other: waits for a task of ex, also in a callback of that. */
static int
task_wait(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    cf_future *timed = submit_timed();
    if (way != IN_PROMISES) /* due in the thread that exits, perhaps */
        CHECK(cf_future_on_done(timed, callback_keep_promise, NULL) == CF_OK);
    gate_open(exits);
    CHECK(cf_future_wait(timed, CF_FOREVER) == CF_OK);
    CHECK(cf_future_wait(kept, CF_FOREVER) == CF_OK);
    atomic_store(&waited, true);
    return 0;
}

/* Comes after the library's own handler. */
static void
see_that_it_waited(void)
{
    CHECK(atomic_load(&waited));
}

static _Noreturn void
be_child(const char *spec)
{
    alarm(20);
    exits = gate_new();
    waits = gate_new();
    CHECK(atexit(see_that_it_waited) == 0);
    CHECK(cf_executor_open(spec, &ex) == CF_OK);
    CHECK(cf_executor_open("threads:1", &other) == CF_OK);
    CHECK(cf_future_create(&kept) == CF_OK);
    cf_future *f = NULL;
    gate *g = gate_new();
    if (way == IN_TASKS)
        CHECK(cf_submit(ex, task_hold, g, 0, &f) == CF_OK);
    else if (way == IN_TIMED_TASKS)
        f = submit_timed();
    else
        CHECK(cf_future_create(&f) == CF_OK);
    CHECK(cf_future_on_done(f, callback_exit, NULL) == CF_OK);
    if (way == IN_PROMISES)
        CHECK(cf_future_on_done(f, callback_keep_promise, NULL) == CF_OK);
    CHECK(cf_submit(other, task_wait, NULL, 0, NULL) == CF_OK);
    gate_open(g);
    if (way == IN_PROMISES)
        CHECK(cf_future_set_result(f, NULL, 0) == CF_OK);
    for (;;) /* the callback's exit() ends it */
        pause();
}

int
main(int argc, char **argv)
{
    CHECK(argc == 2);
    for (way = IN_TASKS; way < WAYS; way++) {
        pid_t child = fork_child();
        if (child == 0)
            be_child(argv[1]);
        int status = status_of(child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != STATUS) {
            fprintf(stderr, "%d: status %#x\n", (int)way, (unsigned)status);
            return EXIT_FAILURE;
        }
    }
    puts("3 programs ended");
    return EXIT_SUCCESS;
}
