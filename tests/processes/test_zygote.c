/* SPDX-License-Identifier: MIT */
/*
 * The zygote in bad surroundings. Its socket is held by other processes; its
 * reports and the kills that it is to send wait until they are read; its calls
 * are interrupted; it dies, with workers in every state.
 */
#define _GNU_SOURCE
#include "tests/processes/manager.h"
#include "tests/processes/processes.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/support/call_faults.h"

static pid_t
own_zygote(void)
{
    char name[24];
    pid_t zygote = 0;
    snprintf(name, sizeof name, "%s_z", own_prefix());
    cr_assert(process_find(name, &zygote, 1) == 1);
    return zygote;
}

static int
task_aborts(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    abort();
}

static void
expect_died(cf_future *f)
{
    assert_err(cf_future_result(f, CF_SECONDS(20), NULL), CF_EWORKERDIED);
    cf_future_unref(f);
}

static cf_err
try_create(cf_executor **out)
{
    cf_process_pool_options opts = options_for(1);
    return cf_process_pool_create(&opts, out);
}

/* --- a socket that others hold ------------------------------------------- */

CF_TEST(the_zygotes_death_is_noticed_though_another_process_holds_its_socket)
{
    call_hold_at_fork();
    cf_executor *ex = pool_for(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cr_assert(kill(own_zygote(), SIGKILL) == 0);
    expect_died(held);
    cr_assert(process_lives(call_holder()));
    assert_err(cf_submit(ex, task_nothing, NULL, 0, NULL), CF_EBROKEN);
    cf_executor_destroy(ex);
    cr_assert(process_lives(call_holder()));
    call_holder_end();
}

CF_TEST(a_zygote_that_dies_at_once_is_noticed_though_its_socket_is_held)
{
    cf_executor *ex = NULL;
    call_hold_at_fork();
    call_kill_grandchild();
    assert_err(try_create(&ex), CF_ESYS);
    cr_assert_null(ex);
    call_holder_end();
    assert_ok(try_create(&ex));
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* --- reports ------------------------------------------------------------- */

/* The manager is in a callback, and reads no report. */
static void
hold_manager(cf_executor *ex, gate *g)
{
    cf_future *f = must_submit(ex, task_nothing, NULL, 0);
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cf_future_unref(f);
    gate *first = gate_new();
    f = must_submit(ex, task_hold, first, 0);
    assert_ok(cf_future_on_done(f, hold_done, g));
    gate_open(first);
    gate_await(g, 1);
    cf_future_unref(f);
}

enum { MANY = 24 };

/* Kills all workers; no thread reads the reports. */
static void
kill_all_workers(void)
{
    pid_t pids[MANY + 1];
    pid_t zygote = own_zygote();
    int count = process_find(own_prefix(), pids, MANY + 1);
    cr_assert(count == MANY + 1, "%d processes", count);
    for (int i = 0; i < count; i++)
        if (pids[i] != zygote)
            cr_assert(kill(pids[i], SIGKILL) == 0);
    process_await_found(own_prefix(), 1);
}

CF_TEST(reports_wait_until_the_manager_reads_them)
{
    cf_executor *ex = pool_for(MANY);
    gate *callback = gate_new();
    gate *g = gate_new();
    cf_future *held[MANY];
    hold_manager(ex, callback);
    occupy(ex, g, MANY, held);
    kill_all_workers();
    while (process_state(own_zygote()) != 'S')
        sched_yield();
    gate_open(callback);
    for (int i = 0; i < MANY; i++)
        expect_died(held[i]);
    gate_open(g);
    expect_works(ex);
    cr_assert(stats_of(ex).restarts == MANY);
    cf_executor_destroy(ex);
}

CF_TEST(no_process_outlives_the_program_though_its_reports_are_unread)
{
    pid_t *holder = shared_new(sizeof *holder);
    gate *dead = gate_new();
    pid_t program = fork();
    if (program == 0) {
        call_hold_at_fork();
        cf_process_pool_options opts = options_for(MANY);
        cf_executor *ex = pool_of(&opts);
        (void)ex;
        *holder = call_holder();
        gate *callback = gate_new();
        cf_future *held[MANY];
        hold_manager(ex, callback);
        occupy(ex, gate_new(), MANY, held);
        kill_all_workers();
        gate_arrive(dead);
        for (;;)
            pause();
    }
    char name[24];
    gate_await(dead, 1);
    snprintf(name, sizeof name, "t%d", (int)program);
    cr_assert(process_find(name, NULL, 0) > 0);
    cr_assert(kill(program, SIGKILL) == 0);
    cr_assert(waitpid(program, NULL, 0) == program);
    process_await_found(name, 0);
    cr_assert(kill(*holder, SIGKILL) == 0);
}

/* Takes a gate. */
static int
task_ignores_sigterm(cf_call *call, const void *arg, size_t arg_size)
{
    (void)signal(SIGTERM, SIG_IGN);
    return task_pid(call, arg, arg_size);
}

/* Stops the zygote's working thread, and returns when it has stopped. */
static void
stop_zygote(const struct cf__processes *pool, pid_t zygote)
{
    pid_t worker = (pid_t)cf_load_relaxed(&pool->zygote.post->pulse.word);
    cr_assert(kill(zygote, SIGSTOP) == 0);
    while (process_state(worker) != 'T')
        sched_yield();
}

/* Waits until the SIGKILL of the first lane is due and has been put off. false:
 * it has not been, for long. */
static bool
await_kill_put_off(struct cf__processes *pool)
{
    const int64_t end = cf__now_ns() + CF_SECONDS(20);
    bool waits = false;
    for (; !waits && cf__now_ns() < end; sched_yield()) {
        cf__processes_lock(pool);
        const struct cf__process_lane *lane = &pool->lanes[0];
        waits = lane->kill_signal == SIGKILL && lane->grace_ends_at != 0 &&
                lane->kill_at > lane->grace_ends_at;
        cf__processes_unlock_alone(pool);
    }
    return waits;
}

CF_TEST(a_kill_waits_until_the_zygote_has_read_the_last_one)
{
    cf_process_pool_options opts = options_for(1);
    opts.kill_grace_ns = CF_MS(20);
    cf_executor *ex = pool_of(&opts);
    gate *g = gate_new();
    cf_future *f = must_submit(ex, task_ignores_sigterm, g, 0);
    gate_await(g, 1);
    pid_t zygote = own_zygote();
    stop_zygote(cf__processes_of(ex), zygote);
    cr_assert(cf_future_interrupt(f)); /* SIGTERM, and then SIGKILL */
    bool waits = await_kill_put_off(cf__processes_of(ex));
    cf_err err = cf_future_result(f, 0, NULL);
    cr_assert(kill(zygote, SIGCONT) == 0); /* whatever was found */
    cr_assert(waits);
    assert_err(err, CF_ETIMEDOUT);
    assert_err(cf_future_result(f, CF_FOREVER, NULL), CF_ECANCELED);
    cr_assert(cf_future_error(f)->signal == SIGKILL);
    expect_works(ex);
    cr_assert(stats_of(ex).restarts == 1);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

/* The manager has not heard of it yet. A service fills the lanes that have had
 * a worker, asks for another worker, and is refused. */
CF_TEST(tasks_that_the_zygotes_death_keeps_from_a_worker_go_back)
{
    enum { WORKERS = 3, TASKS = WORKERS * CF__LANE };
    static cf_future *fs[TASKS];
    cf_executor *ex = pool_for(WORKERS);
    struct cf__processes *pool = cf__processes_of(ex);
    gate *callback = gate_new();
    hold_manager(ex, callback); /* by two tasks: one lane has no worker */
    cr_assert(kill(own_zygote(), SIGKILL) == 0);
    process_await_found(own_prefix(), 0); /* its workers, too */
    cr_assert(cf__pulse_stopped(&pool->zygote.post->pulse));
    for (int i = 0; i < TASKS; i++)
        fs[i] = must_submit(ex, task_nothing, NULL, 0);
    (void)stats_of(ex); /* a service */
    cf__processes_lock(pool);
    size_t returned = pool->returned.count;
    cf__processes_unlock_alone(pool);
    gate_open(callback);
    for (int i = 0; i < TASKS; i++)
        assert_err(cf_future_result(fs[i], CF_FOREVER, NULL), CF_EBROKEN);
    cr_assert(returned > 0);
    unref_all(fs, TASKS);
    cf_executor_destroy(ex);
}

/* --- interrupted calls --------------------------------------------------- */

CF_TEST(interrupted_calls_are_made_again)
{
    cf_executor *ex = pool_for(1);
    call_interrupt_waitpid(1);
    expect_died(must_submit(ex, task_aborts, NULL, 0));
    cr_assert(call_interrupts_left() == 0);
    expect_works(ex);
    cf_executor_destroy(ex);
}

/* --- a limit on descriptors ---------------------------------------------- */

CF_TEST(a_pool_under_a_lowered_limit_on_descriptors_works_and_sleeps)
{
    enum { WAITS_MAX = 60 }; /* until the manager rests, a second later */
    for (rlim_t limit = 3; limit-- > 0;) {
        cf_executor *ex = pool_for(2);
        expect_works(ex);
        struct rlimit old;
        cr_assert(getrlimit(RLIMIT_NOFILE, &old) == 0);
        struct rlimit low = {limit, old.rlim_max};
        cr_assert(setrlimit(RLIMIT_NOFILE, &low) == 0);
        expect_works(ex);
        expect_died(must_submit(ex, task_aborts, NULL, 0));
        cf_future *f = must_submit(ex, task_nothing, NULL, 0);
        assert_ok(cf_future_on_done(f, count_done, counter_new()));
        assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
        cf_future_unref(f);
        int before = call_futexes();
        await_manager_at_rest(ex);
        int waits = call_futexes() - before;
        cf_executor_destroy(ex);
        cr_assert(setrlimit(RLIMIT_NOFILE, &old) == 0);
        cr_assert(waits < WAITS_MAX, "%d waits, limit %d", waits, (int)limit);
    }
}

CF_TEST(workers_keep_no_descriptor_above_a_lowered_limit_on_an_old_kernel)
{
    enum { HIGH = 500, LOWERED = 100 };
    int ends[2];
    cr_assert(pipe(ends) == 0);
    cr_assert(dup2(ends[1], HIGH) == HIGH && close(ends[1]) == 0);
    struct rlimit low = {LOWERED, LOWERED};
    cr_assert(setrlimit(RLIMIT_NOFILE, &low) == 0);
    call_refuse_close_range();
    cf_executor *ex = pool_for(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    cr_assert(close(HIGH) == 0);
    struct pollfd polled = {ends[0], POLLIN, 0};
    cr_assert(poll(&polled, 1, 10000) == 1, "a process holds the pipe open");
    gate_open(g);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}

/* --- another user -------------------------------------------------------- */

enum { OTHER_USER = 54321 };

static int
become_nobody(cf_call *call, void *init_data, void **worker_data)
{
    (void)init_data;
    (void)worker_data;
    if (setgid(OTHER_USER) != 0 || setuid(OTHER_USER) != 0)
        return cf_fail(call, errno, "setuid");
    return 0;
}

/* Takes a gate. */
static int
task_holds_as_nobody(cf_call *call, const void *arg, size_t arg_size)
{
    if (become_nobody(call, NULL, NULL) != 0)
        return 1;
    return task_hold(call, arg, arg_size);
}

static int
task_is_nobody(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg;
    (void)arg_size;
    return become_nobody(call, NULL, NULL);
}

/* A pool with a worker of each kind: in a task, and idle. */
static cf_executor *
pool_of_nobodies(bool in_initializer, gate *g)
{
    cf_process_pool_options opts = options_for(2);
    if (in_initializer)
        opts.initializer = become_nobody;
    cf_executor *ex = pool_of(&opts);
    cf_task_fn *fn = in_initializer ? task_hold : task_holds_as_nobody;
    assert_ok(cf_submit(ex, fn, g, 0, NULL));
    gate_await(g, 1);
    cf_future *f = must_submit(ex, task_is_nobody, NULL, 0);
    if (!in_initializer)
        assert_ok(cf_future_result(f, CF_FOREVER, NULL));
    assert_ok(cf_future_wait(f, CF_FOREVER));
    cf_future_unref(f);
    return ex;
}

static void
await_sleep(pid_t pid)
{
    while (process_state(pid) != 'S')
        sched_yield();
}

CF_TEST(workers_that_have_changed_their_user_go_with_the_zygote)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
    for (int in_initializer = 0; in_initializer < 2; in_initializer++) {
        cf_executor *ex = pool_of_nobodies(in_initializer, gate_new());
        pid_t pids[3];
        cr_assert(process_find(own_prefix(), pids, 3) == 3);
        for (int i = 0; i < 3; i++)
            await_sleep(pids[i]);
        cr_assert(kill(own_zygote(), SIGKILL) == 0);
        process_await_found(own_prefix(), 0);
        cf_executor_destroy(ex);
    }
}

CF_TEST(workers_that_have_changed_their_user_go_with_the_program)
{
    if (geteuid() != 0)
        cr_skip_test("needs root");
    for (int in_initializer = 0; in_initializer < 2; in_initializer++) {
        gate *ready = gate_new();
        pid_t program = fork();
        if (program == 0) {
            (void)pool_of_nobodies(in_initializer, gate_new());
            gate_arrive(ready);
            for (;;)
                pause();
        }
        char name[24];
        gate_await(ready, 1);
        snprintf(name, sizeof name, "t%d", (int)program);
        cr_assert(process_find(name, NULL, 0) == 3);
        cr_assert(kill(program, SIGKILL) == 0);
        cr_assert(waitpid(program, NULL, 0) == program);
        process_await_found(name, 0);
    }
}
