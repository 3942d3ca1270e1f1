/* SPDX-License-Identifier: MIT */
/*
 * Threads of a pool are like the thread that created it, not like the one whose
 * submit starts them: CPU mask, scheduling class, nice value. Thread pool only.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <sched.h>
#include <sys/resource.h>

enum { WORKERS = 2 };

struct looks {
    cpu_set_t cpus;
    int policy, nice;
};

static struct looks
own_looks(void)
{
    struct looks looks = {.policy = sched_getscheduler(0),
                          .nice = getpriority(PRIO_PROCESS, 0)};
    CPU_ZERO(&looks.cpus);
    cr_assert(sched_getaffinity(0, sizeof looks.cpus, &looks.cpus) == 0);
    return looks;
}

static bool
alike(const struct looks *a, const struct looks *b)
{
    return CPU_EQUAL(&a->cpus, &b->cpus) && a->policy == b->policy &&
           a->nice == b->nice;
}

static void
expect_like(const struct looks *are,
            const struct looks *wanted,
            const char *name)
{
    cr_assert(alike(are, wanted),
              "%s: %d CPUs, class %d, nice value %d; not %d, %d, %d",
              name,
              CPU_COUNT(&are->cpus),
              are->policy,
              are->nice,
              CPU_COUNT(&wanted->cpus),
              wanted->policy,
              wanted->nice);
}

static int
task_looks(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    struct looks looks = own_looks();
    gate_pass((gate *)arg);
    return cf_return(call, &looks, sizeof looks);
}

static int
task_exits(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    pthread_exit(NULL);
}

static void
note_looks(cf_future *f, void *data)
{
    (void)f;
    *(struct looks *)data = own_looks();
}

/* Starts all workers of the pool, one of them twice, and its timer thread, and
 * looks at them. */
static void
expect_threads_like(cf_executor *ex, const struct looks *wanted)
{
    cf_future *fs[WORKERS], *gone = must_submit(ex, task_exits, NULL, 0);
    assert_err(cf_future_result(gone, CF_FOREVER, NULL), CF_EWORKERDIED);
    cf_future_unref(gone);
    gate *g = gate_new();
    for (int i = 0; i < WORKERS; i++)
        fs[i] = must_submit(ex, task_looks, g, 0);
    gate_await(g, WORKERS);
    gate_open(g);
    for (int i = 0; i < WORKERS; i++) {
        cf_bytes looks;
        assert_ok(cf_future_result(fs[i], CF_FOREVER, &looks));
        expect_like(looks.data, wanted, "a worker");
    }
    unref_all(fs, WORKERS);

    /* It begins when its callback has been added. */
    struct looks timer = {.policy = -1};
    cf_future *timed = NULL;
    cf_task task = CF_TASK_INIT;
    task.fn = task_until_canceled;
    task.arg = gate_new();
    task.timeout_ns = 1;
    g = gate_new();
    occupy(ex, g, WORKERS, fs);
    assert_ok(cf_submit_task(ex, &task, &timed));
    assert_ok(cf_future_on_done(timed, note_looks, &timer));
    gate_open(g);
    assert_ok(cf_executor_wait_idle(ex, CF_FOREVER));
    expect_like(&timer, wanted, "the timer thread");
    cf_future_unref(timed);
    unref_all(fs, WORKERS);
}

/* A thread that changes itself, and then does something with a pool. */
struct changed {
    bool (*change)(void); /* false: the system does not allow it */
    cf_executor *ex;      /* NULL: creates it; else it uses it */
    struct looks looks;   /* what it is like; wanted, if it uses the pool */
    bool skipped;
    int pin_workers;
};

static void *
changed_main(void *arg)
{
    struct changed *c = arg;
    if (!c->change()) {
        c->skipped = true;
    } else if (c->ex) {
        expect_threads_like(c->ex, &c->looks);
    } else {
        cf_thread_pool_options opts = CF_THREAD_POOL_OPTIONS_INIT;
        opts.max_workers = WORKERS;
        opts.pin_workers = c->pin_workers;
        c->looks = own_looks();
        assert_ok(cf_thread_pool_create(&opts, &c->ex));
    }
    return NULL;
}

/* What came of it; skipped: nothing. */
static struct changed
in_a_thread(struct changed c)
{
    pthread_t thread;
    cr_assert(pthread_create(&thread, NULL, changed_main, &c) == 0);
    pthread_join(thread, NULL);
    return c;
}

static bool
one_cpu(void)
{
    struct looks own = own_looks();
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &own.cpus))
        cpu++;
    if (CPU_COUNT(&own.cpus) < 2)
        return false;
    CPU_ZERO(&own.cpus);
    CPU_SET(cpu, &own.cpus);
    return sched_setaffinity(0, sizeof own.cpus, &own.cpus) == 0;
}

static bool
batch_and_nice(void)
{
    const struct sched_param none = {0};
    return sched_setscheduler(0, SCHED_BATCH, &none) == 0 &&
           setpriority(PRIO_PROCESS, 0, 5) == 0;
}

static bool
idle_class(void)
{
    const struct sched_param none = {0};
    return sched_setscheduler(0, SCHED_IDLE, &none) == 0;
}

static bool
real_time(void)
{
    const struct sched_param low = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &low) == 0;
}

static bool
real_time_for_itself(void)
{
    const struct sched_param low = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &low) == 0;
}

static bool
real_time_on_one_cpu(void)
{
    return one_cpu() && real_time();
}

static bool
unchanged(void)
{
    return true;
}

/* The pool is created here, and used by a thread of the other kind. */
static void
expect_untouched_by(bool (*change)(void))
{
    struct changed use = {.change = change, .looks = own_looks()};
    use.ex = test_executor(WORKERS);
    bool skipped = in_a_thread(use).skipped;
    cf_executor_destroy(use.ex);
    if (skipped)
        cr_skip_test("one CPU only, or no privilege");
}

/* The other way round. */
static void
expect_taken_from(bool (*change)(void))
{
    struct changed made = in_a_thread((struct changed){.change = change});
    if (made.skipped)
        cr_skip_test("one CPU only, or no privilege");
    expect_threads_like(made.ex, &made.looks);
    cf_executor_destroy(made.ex);
}

CF_TEST(threads_do_not_take_the_cpus_of_the_submitter)
{
    expect_untouched_by(unchanged);
    expect_untouched_by(one_cpu);
}

CF_TEST(threads_do_not_take_the_class_of_the_submitter)
{
    expect_untouched_by(real_time);
    expect_untouched_by(real_time_on_one_cpu);
}

CF_TEST(threads_take_the_cpus_of_their_pool_s_creator)
{
    expect_taken_from(one_cpu);
}

CF_TEST(threads_take_the_class_and_nice_value_of_their_pool_s_creator)
{
    expect_taken_from(batch_and_nice);
    expect_taken_from(idle_class);
}

CF_TEST(threads_take_the_real_time_class_of_their_pool_s_creator)
{
    expect_taken_from(real_time);
}

/* The flag says that threads which it starts are plain. */
CF_TEST(threads_do_not_take_a_class_that_is_not_inherited)
{
    struct looks plain = own_looks();
    plain.nice = 0; /* as the system has it for such a thread's children */
    struct changed made =
        in_a_thread((struct changed){.change = real_time_for_itself});
    if (made.skipped)
        cr_skip_test("one CPU only, or no privilege");
    expect_threads_like(made.ex, &plain);
    cf_executor_destroy(made.ex);
}

CF_TEST(pinned_workers_stay_on_the_cpus_of_their_pool_s_creator)
{
    struct changed made =
        in_a_thread((struct changed){.change = one_cpu, .pin_workers = 1});
    if (made.skipped)
        cr_skip_test("one CPU only, or no privilege");
    gate *g = gate_new();
    gate_open(g);
    cf_future *f = must_submit(made.ex, task_looks, g, 0);
    cf_bytes looks;
    assert_ok(cf_future_result(f, CF_FOREVER, &looks));
    expect_like(looks.data, &made.looks, "a worker");
    cf_future_unref(f);
    cf_executor_destroy(made.ex);
}
