/* SPDX-License-Identifier: MIT */
/*
 * The program's own fork handlers make, use and destroy executors, before a
 * fork and after it in the parent and the child, whether they were registered
 * before the library's or after them. In the child they are told what the
 * parent's executor is.
 */
#include <cfutures/cfutures.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/support/tasks.h"

static const char *spec;
static cf_executor *shared; /* the parent's */
static cf_future *held;     /* runs at the fork */
static bool inside;         /* an executor made here may fork, too */
static int went_well;

static void
use(cf_executor *ex)
{
    cf_future *f = NULL;
    CHECK(cf_submit(ex, task_nothing, NULL, 0, &f) == CF_OK);
    CHECK(cf_future_wait(f, CF_FOREVER) == CF_OK);
    cf_future_unref(f);
}

static void
use_one_of_its_own(void)
{
    cf_executor *own = NULL;
    CHECK(cf_executor_open(spec, &own) == CF_OK);
    use(own);
    cf_executor_destroy(own);
    went_well++;
}

static void
in_program(void)
{
    if (!spec || inside)
        return;
    inside = true;
    use_one_of_its_own();
    use(shared);
    inside = false;
}

static void
in_child(void)
{
    if (!spec || inside)
        return;
    inside = true;
    cf_future *f = NULL;
    cf_stats stats;
    alarm(30);
    CHECK(cf_submit(shared, task_nothing, NULL, 0, &f) == CF_EFORKED && !f);
    CHECK(cf_future_wait(held, CF_FOREVER) == CF_EFORKED);
    CHECK(!cf_future_cancel(held));
    CHECK(cf_executor_stats(shared, &stats) == CF_EFORKED);
    CHECK(cf_executor_shutdown(shared, 0, CF_FOREVER) == CF_EFORKED);
    CHECK(cf_future_create(&f) == CF_OK);
    CHECK(cf_future_set_result(f, NULL, 0) == CF_OK);
    cf_future_unref(f);
    use_one_of_its_own();
    inside = false;
}

static void
register_handlers(void)
{
    CHECK(pthread_atfork(in_program, in_program, in_child) == 0);
}

__attribute__((constructor(101))) static void
register_first(void)
{
    register_handlers();
}

int
main(int argc, char **argv)
{
    gate *g = gate_new();
    register_handlers();
    CHECK(argc == 2 && cf_executor_open(argv[1], &shared) == CF_OK);
    CHECK(cf_submit(shared, task_hold, g, 0, &held) == CF_OK);
    gate_await(g, 1);
    register_handlers();
    spec = argv[1];

    pid_t child = fork_child();
    if (child == 0) {
        CHECK(went_well == 6); /* three before the fork, three after it */
        inside = true;
        use_one_of_its_own();
        cf_executor_destroy(shared);
        exit(0);
    }
    expect_success(child);
    gate_open(g);
    CHECK(cf_future_wait(held, CF_FOREVER) == CF_OK);
    cf_future_unref(held);
    cf_executor_destroy(shared);
    printf("%d handlers went well\n", went_well);
    return EXIT_SUCCESS;
}
