/* SPDX-License-Identifier: MIT */
/*
 * Address space and stacks: what a pool reserves under limits, what of it is
 * filled, which other processes have it, and how much stack a task has.
 * Programs with other limits are children of the test.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MIB ((size_t)1 << 20)

static int
status_of(pid_t child)
{
    int status = -1;
    cr_assert(waitpid(child, &status, 0) == child);
    return status;
}

/* A number of /proc/self/status, in bytes. */
static size_t
number_of(const char *name)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtoull(line + strlen(name), NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib << 10;
}

/* --- limits -------------------------------------------------------------- */

/* A megabyte there and back, and an eighth of what the limit leaves is left to
 * the program. */
static int
program_under_limit(int resource, size_t limit, int workers, size_t wanted)
{
    size_t used = number_of(resource == RLIMIT_AS ? "VmSize:" : "VmData:");
    struct rlimit low = {used + limit, used + limit};
    cf_process_pool_options opts = options_for(workers);
    cf_executor *ex = NULL;
    opts.shared_memory = wanted;
    alarm(60);
    if ((resource == RLIMIT_AS ? setrlimit(RLIMIT_AS, &low)
                               : setrlimit(RLIMIT_DATA, &low)) != 0)
        return 2;
    if (cf_process_pool_create(&opts, &ex) != CF_OK)
        return 3;
    char *volatile eighth = malloc(limit / 8);
    if (eighth == NULL)
        return 4;
    free(eighth);
    char *large = calloc(1, MIB);
    cf_future *f = must_submit(ex, task_echo, large, MIB);
    if (cf_future_result(f, CF_SECONDS(20), NULL) != CF_OK)
        return 5;
    cf_future_unref(f);
    expect_works(ex);
    cf_executor_destroy(ex);
    return 0;
}

static void
expect_fits(int resource, size_t limit, int workers, size_t wanted)
{
    pid_t child = fork();
    if (child == 0)
        _exit(program_under_limit(resource, limit, workers, wanted));
    int status = status_of(child);
    cr_assert(status == 0, "%zu, %d, %zu: %x", limit, workers, wanted, status);
}

MALLOC_TEST(a_pool_fits_into_a_limit_on_address_space)
{
    static const size_t limits[] = {256, 700, 4096};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (int workers = 1; workers <= 8; workers *= 8)
            for (size_t wanted = 0; wanted < 2; wanted++)
                expect_fits(
                    RLIMIT_AS, limits[i] * MIB, workers, wanted * 512 * MIB);
}

MALLOC_TEST(a_pool_fits_into_a_limit_on_private_memory)
{
    expect_fits(RLIMIT_DATA, 64 * MIB, 2, 0);
    expect_fits(RLIMIT_DATA, 1024 * MIB, 8, 0);
}

/* In a worker that has a limit of its own. */
static int
task_has_a_pool(cf_call *call, const void *arg, size_t arg_size)
{
    int squared = 0, number = 9;
    cf_executor *ex = NULL;
    cf_future *f = NULL;
    cf_bytes bytes;
    (void)arg;
    (void)arg_size;
    cf_err err = cf_executor_open("processes:2", &ex);
    if (err == CF_OK)
        err = cf_submit(ex, task_square, &number, sizeof number, &f);
    if (err == CF_OK)
        err = cf_future_result(f, CF_SECONDS(20), &bytes);
    if (err != CF_OK)
        return cf_fail(call, (int)err, "%s", cf_err_name(err));
    memcpy(&squared, bytes.data, sizeof squared);
    cf_future_unref(f);
    cf_executor_destroy(ex);
    return cf_return(call, &squared, sizeof squared) != CF_OK;
}

MALLOC_TEST(a_worker_with_a_memory_limit_may_have_a_pool)
{
    cf_process_pool_options opts = options_for(1);
    opts.memory_limit = 64 * MIB;
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_has_a_pool, NULL, 0);
    cr_assert(int_result(f) == 81);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(many_pools_leave_each_other_room)
{
    enum { POOLS = 24 };
    cf_executor *pools[POOLS];
    for (int i = 0; i < POOLS; i++)
        pools[i] = pool_for(64);
    expect_works(pools[0]);
    expect_works(pools[POOLS - 1]);
    for (int i = 0; i < POOLS; i++)
        cf_executor_destroy(pools[i]);
}

static size_t
reserved_by_a_pool(void)
{
    size_t before = number_of("VmSize:");
    cf_executor *ex = pool_for(1);
    size_t reserved = number_of("VmSize:") - before;
    expect_works(ex);
    cf_executor_destroy(ex);
    return reserved;
}

CF_TEST(the_environment_says_how_much_a_pool_reserves)
{
    size_t usual = reserved_by_a_pool();
    setenv("CF_SHARED_MEMORY", "16M", 1);
    size_t small = reserved_by_a_pool();
    setenv("CF_SHARED_MEMORY", "65536k", 1);
    size_t larger = reserved_by_a_pool();
    setenv("CF_SHARED_MEMORY", "lots", 1); /* is nothing */
    size_t other = reserved_by_a_pool();
    unsetenv("CF_SHARED_MEMORY");
    cr_assert(small < larger && larger < usual, "%zu, %zu", small, larger);
    cr_assert(small >= 64 * MIB && other > larger);
}

CF_TEST(a_locked_program_does_not_fill_what_a_pool_reserves)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
            _exit(77);
        size_t before = number_of("VmRSS:");
        cf_executor *ex = pool_for(1);
        size_t filled = number_of("VmRSS:") - before;
        expect_works(ex);
        cf_executor_destroy(ex);
        _exit(filled < 64 * MIB ? 0 : 2);
    }
    int status = status_of(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        cr_skip("mlockall() is not allowed");
    cr_assert(status == 0, "%x", status);
}

/* --- children ------------------------------------------------------------ */

CF_TEST(a_child_of_the_program_has_results_but_no_shared_memory)
{
    cf_executor *ex = pool_for(1);
    volatile char *shared = cf_shared_alloc(ex, MIB);
    char *large = malloc(MIB);
    memset(large, 7, MIB);
    cf_future *f = must_submit(ex, task_echo, large, MIB);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    pid_t child = fork();
    if (child == 0) {
        cf_bytes bytes = {NULL, 0};
        if (cf_future_result(f, 0, &bytes) != CF_OK || bytes.size != MIB ||
            memcmp(bytes.data, large, MIB) != 0)
            _exit(2);
        cf_future_unref(f);
        cf_executor_destroy(ex);
        cf_executor *own = pool_for(1); /* where the other one was, perhaps */
        expect_works(own);
        cf_executor_destroy(own);
        (void)signal(SIGSEGV, SIG_DFL);
        shared[0] = 1;
        _exit(3);
    }
    int status = status_of(child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%x", status);
    cr_assert(shared[0] == 0);
    cf_shared_free(ex, (void *)shared);
    cf_future_unref(f);
    free(large);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* --- stacks -------------------------------------------------------------- */

/* Takes how much of the stack it touches, from above. */
static int
task_uses_stack(cf_call *call, const void *arg, size_t arg_size)
{
    size_t size;
    (void)arg_size;
    memcpy(&size, arg, sizeof size);
    volatile char *bytes = __builtin_alloca(size);
    for (size_t at = size; at > 4096; at -= 4096)
        bytes[at - 1] = 1;
    int done = bytes[size - 1];
    return cf_return(call, &done, sizeof done) != CF_OK;
}

static cf_err
try_stack(cf_executor *ex, size_t size)
{
    cf_future *f = must_submit(ex, task_uses_stack, &size, sizeof size);
    cf_err err = cf_future_result(f, CF_FOREVER, NULL);
    if (err != CF_OK)
        cr_assert(cf_future_error(f)->signal == SIGSEGV);
    cf_future_unref(f);
    return err;
}

static void *
make_pool(void *opts)
{
    return pool_of(opts);
}

/* Made in a thread that has not much of a stack, and ends. */
static cf_executor *
pool_from_a_small_thread(cf_process_pool_options *opts)
{
    pthread_t thread;
    pthread_attr_t attr;
    void *ex = NULL;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 << 10);
    cr_assert(pthread_create(&thread, &attr, make_pool, opts) == 0);
    pthread_join(thread, &ex);
    pthread_attr_destroy(&attr);
    return ex;
}

CF_TEST(tasks_have_a_stack_whatever_thread_made_the_pool)
{
    cf_process_pool_options opts = options_for(1);
    cf_executor *ex = pool_from_a_small_thread(&opts);
    assert_ok(try_stack(ex, 1 * MIB));
    assert_ok(try_stack(ex, 6 * MIB));
    cf_executor_destroy(ex);
}

CF_TEST(a_task_has_as_much_stack_as_was_asked_for)
{
    cf_process_pool_options opts = options_for(1);
    opts.stack_size = 32 * MIB;
    cf_executor *ex = pool_from_a_small_thread(&opts);
    assert_ok(try_stack(ex, 30 * MIB));
    cf_executor_destroy(ex);
    opts.stack_size = (size_t)PTHREAD_STACK_MIN - 1;
    assert_err(cf_process_pool_create(&opts, &ex), CF_EINVAL);
    opts.stack_size = SIZE_MAX;
    assert_err(cf_process_pool_create(&opts, &ex), CF_ETOOBIG);
}

CF_TEST(a_task_that_overflows_its_stack_fails_alone)
{
    cf_process_pool_options opts = options_for(1);
    opts.stack_size = 1 * MIB;
    cf_executor *ex = pool_of(&opts);
    for (int i = 0; i < 3; i++) {
        assert_err(try_stack(ex, 3 * MIB / 2), CF_EWORKERDIED);
        assert_ok(try_stack(ex, MIB / 2));
    }
    cr_assert(stats_of(ex).restarts == 3);
    cf_executor_destroy(ex);
}
