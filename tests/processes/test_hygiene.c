/* SPDX-License-Identifier: MIT */
/*
 * What a pool leaves alone in the program that creates it: descriptors, files,
 * buffers and exit handlers.
 */
#define _GNU_SOURCE
#include "tests/processes/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

static int
task_dies(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    abort();
}

/* --- descriptors --------------------------------------------------------- */

/* A pool with everything: payloads, a death, a recycled worker. */
static void
use_a_pool(void)
{
    cf_process_pool_options opts = options_for(2);
    opts.max_tasks_per_worker = 20;
    cf_executor *ex = pool_of(&opts);
    expect_works(ex);
    char *large = calloc(1, 1 << 20);
    cf_future *f = must_submit(ex, task_echo, large, 1 << 20);
    assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    cf_future_unref(f);
    free(large);
    f = must_submit(ex, task_dies, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(a_pool_leaves_no_descriptor_thread_process_or_memory_behind)
{
    int fds = process_fds();
    int threads = process_threads();
    size_t resident = 0;
    for (int i = 0; i < 40; i++) {
        if (i == 10)
            resident = process_resident();
        use_a_pool();
        cr_assert(process_fds() == fds, "round %d: %d", i, process_fds());
    }
    process_await_threads(threads);
    process_await_found(own_prefix(), 0);
    cr_assert(process_resident() < resident + (2 << 20),
              "%zu, %zu before",
              process_resident(),
              resident);
}

/* Descriptors that stay open when the program executes another one. */
static int
count_kept_on_exec(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) == 0;
    return count;
}

CF_TEST(all_descriptors_of_a_pool_are_closed_on_exec)
{
    int before = count_kept_on_exec();
    cf_executor *ex = pool_for(2);
    expect_workers(ex, 2);
    cr_assert(count_kept_on_exec() == before);
    cf_executor_destroy(ex);
}

static int
count_named_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    cr_assert_not_null(maps);
    int count = 0;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL)
        count += strstr(line, "/dev/shm") != NULL;
    fclose(maps);
    return count;
}

CF_TEST(nothing_of_a_pool_has_a_name_in_the_file_system)
{
    int before = count_named_mappings(); /* Criterion has some */
    cf_executor *ex = pool_for(2);
    cf_shared_free(ex, cf_shared_alloc(ex, 1 << 20));
    expect_workers(ex, 2);
    cr_assert(count_named_mappings() == before);
    cf_executor_destroy(ex);
}

/* Only the program has the end of the pipe. */
static void
expect_end_of_file(int fd)
{
    struct pollfd polled = {fd, POLLIN, 0};
    char byte;
    cr_assert(poll(&polled, 1, 30000) == 1, "a process holds the pipe open");
    cr_assert(read(fd, &byte, 1) == 0);
}

CF_TEST(workers_keep_no_pipe_of_the_program_open)
{
    for (int created_before = 0; created_before < 2; created_before++) {
        int ends[2];
        cf_executor *ex = created_before ? pool_for(2) : NULL;
        cr_assert(pipe(ends) == 0);
        if (ex == NULL)
            ex = pool_for(2);
        gate *g = gate_new();
        cf_future *held[2];
        occupy(ex, g, 2, held);
        close(ends[1]);
        expect_end_of_file(ends[0]);
        close(ends[0]);
        gate_open(g);
        unref_all(held, 2);
        cf_executor_destroy(ex);
    }
}

/* Takes a descriptor and writes to it. Returns errno, or 0. */
static int
task_writes(cf_call *call, const void *arg, size_t arg_size)
{
    int fd;
    (void)arg_size;
    memcpy(&fd, arg, sizeof fd);
    int error = write(fd, "!", 1) == 1 ? 0 : errno;
    return cf_return(call, &error, sizeof error) != CF_OK;
}

CF_TEST(with_inherit_descriptors_workers_have_those_of_the_snapshot)
{
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cf_process_pool_options opts = options_for(1);
    opts.inherit_descriptors = 1;
    cf_executor *ex = pool_of(&opts);
    cf_future *f = must_submit(ex, task_writes, &ends[1], sizeof ends[1]);
    cr_assert(int_result(f) == 0, "errno %d", int_result(f));
    char byte = 0;
    cr_assert(read(ends[0], &byte, 1) == 1 && byte == '!');
    cf_future_unref(f);
    cf_executor_destroy(ex);
    close(ends[1]);
    expect_end_of_file(ends[0]); /* once the pool is gone */
    close(ends[0]);
}

CF_TEST(standard_descriptors_are_the_program_s)
{
    cf_executor *ex = pool_for(1);
    for (int fd = 0; fd < 3; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
            continue;
        cf_future *f = must_submit(ex, task_writes, &fd, sizeof fd);
        cr_assert(int_result(f) != EBADF);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

/* --- stdio and exit handlers --------------------------------------------- */

/* Prints, and is not the last to do so. */
static int
task_prints(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    printf("%s\n", (const char *)arg);
    fprintf(stderr, "%s too\n", (const char *)arg);
    return 0;
}

static int
task_prints_and_exits(cf_call *call, const void *arg, size_t arg_size)
{
    (void)task_prints(call, arg, arg_size);
    exit(0);
}

static int
task_prints_and_exits_quickly(cf_call *call, const void *arg, size_t arg_size)
{
    (void)task_prints(call, arg, arg_size);
    quick_exit(7);
}

/* How often text is in what stands in the file. */
static int
count_text(FILE *file, const char *text)
{
    static char all[4096];
    rewind(file);
    all[fread(all, 1, sizeof all - 1, file)] = '\0';
    int count = 0;
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

CF_TEST(what_the_program_had_buffered_is_written_once)
{
    FILE *file = tmpfile();
    static char room[4096];
    cf_task_fn *const fns[] = {
        task_prints, task_prints_and_exits, task_prints_and_exits_quickly};
    char *texts[] = {"returned", "exited", "left"};
    int old[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    setvbuf(stdout, NULL, _IOFBF, 4096);
    setvbuf(stderr, room, _IOFBF, sizeof room);
    printf("buffered\n");
    fprintf(stderr, "buffered too\n");
    cf_executor *ex = pool_for(2);
    cf_future *fs[6];
    for (int i = 0; i < 6; i++)
        fs[i] = must_submit(ex, fns[i % 3], texts[i % 3], 0);
    for (int i = 0; i < 6; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL),
                   i % 3 == 0 ? CF_OK : CF_EWORKERDIED);
    cf_executor_destroy(ex);
    fflush(stdout);
    fflush(stderr);
    dup2(old[0], STDOUT_FILENO);
    dup2(old[1], STDERR_FILENO);
    unref_all(fs, 6);
    cr_assert(count_text(file, "buffered\n") == 1);
    cr_assert(count_text(file, "buffered too\n") == 1);
    for (int i = 0; i < 3; i++)
        cr_assert(count_text(file, texts[i]) == 4, "%s", texts[i]);
    fclose(file);
}

static atomic_int *exits;

static void
count_exit(void)
{
    atomic_fetch_add(exits, 1);
}

static int
task_exits_after_registering(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    (void)at_quick_exit(count_exit);
    (void)at_quick_exit(count_exit);
    quick_exit(7);
}

static int
task_exits(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    exit(0);
}

static int
task_exits_quickly(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    quick_exit(7);
}

/* The task's own are called. */
CF_TEST(quick_exit_in_a_task_runs_no_exit_handler_of_the_program)
{
    exits = counter_new();
    cr_assert(at_quick_exit(count_exit) == 0);
    cf_executor *ex = pool_for(1);
    cf_future *f = must_submit(ex, task_exits_quickly, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cr_assert(cf_future_error(f)->exit_status == 7);
    cr_assert(*exits == 0, "%d", *exits);
    cf_future_unref(f);
    f = must_submit(ex, task_exits_after_registering, NULL, 0);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
    cr_assert(*exits == 2, "%d", *exits);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

CF_TEST(exit_in_a_task_runs_no_exit_handler_of_the_program)
{
    exits = counter_new();
    cr_assert(atexit(count_exit) == 0);
    cf_executor *ex = pool_for(2);
    for (int i = 0; i < 5; i++) {
        cf_future *f = must_submit(ex, task_exits, NULL, 0);
        assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_EWORKERDIED);
        cf_future_unref(f);
    }
    expect_works(ex);
    cf_executor_destroy(ex);
    process_await_found(own_prefix(), 0);
    cr_assert(*exits == 0, "%d", *exits);
}
