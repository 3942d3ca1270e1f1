/* SPDX-License-Identifier: MIT */
/*
 * Forks while pools are busy, made and destroyed, from submitters and from
 * tasks, with fork handlers of the program that use pools, too. Attacks
 * lib/base/forked.c (how a child notices that it is one),
 * lib/executor/registry.c and lib/future/block.c (what other threads of the
 * parent leave half done) and cf__threads_after_fork().
 *
 * In the child everything of the parent's says CF_EFORKED, nothing hangs, and a
 * pool of its own works; the parent is unharmed. The children leave by _exit().
 */
#include "common.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SUBMITTERS = 2,
    FORKER = SUBMITTERS, /* submits, too */
    MAKER,
    THREADS,
    FORKS = 20,
    RECENT = 8,
    CHILD_SECONDS_MAX = 15
};

static atomic_uint_fast64_t forks, tasks;

struct round {
    cf_executor *ex;
    cf_executor *bounded;
    uint64_t stream;
    atomic_bool over;
};

static struct round *_Atomic current;

static int
square(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    CHECK_EQ(arg_size, sizeof n);
    memcpy(&n, arg, sizeof n);
    n *= n;
    return (int)cf_return(call, &n, sizeof n);
}

/* --- in the child --------------------------------------------------------- */

/* With children of its own, so that the child's workers steal and sleep. */
static int
sum_of_squares(cf_call *call, const void *arg, size_t arg_size)
{
    enum { COUNT = 10 };
    cf_future *parts[COUNT];
    int sum = 0;
    (void)arg;
    (void)arg_size;
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(
            cf_submit(cf_call_executor(call), square, &i, sizeof i, &parts[i]),
            CF_OK);
    for (int i = COUNT; i-- > 0;) {
        cf_bytes bytes;
        int part;
        CHECK_EQ(cf_future_result(parts[i], CF_FOREVER, &bytes), CF_OK);
        memcpy(&part, bytes.data, sizeof part);
        sum += part;
        cf_future_unref(parts[i]);
    }
    return (int)cf_return(call, &sum, sizeof sum);
}

static void
use_own_pool(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *ex;
    cf_future *f;
    cf_bytes bytes;
    int sum;
    options.max_workers = 2;
    CHECK_EQ(cf_thread_pool_create(&options, &ex), CF_OK);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(cf_submit(ex, sum_of_squares, NULL, 0, &f), CF_OK);
        CHECK_EQ(cf_future_result(f, CF_FOREVER, &bytes), CF_OK);
        memcpy(&sum, bytes.data, sizeof sum);
        CHECK_EQ(sum, 285);
        cf_future_unref(f);
    }
    cf_executor_destroy(ex);
}

static void
refuse(cf_executor *ex)
{
    int n = 3;
    cf_future *f = NULL;
    cf_stats s;
    CHECK_EQ(cf_submit(ex, square, &n, sizeof n, &f), CF_EFORKED);
    CHECK(!f);
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_EFORKED);
    CHECK_EQ(cf_executor_stats(ex, &s), CF_EFORKED);
    CHECK_EQ(cf_executor_shutdown(ex, 0, CF_FOREVER), CF_EFORKED);
    CHECK_EQ(cf_executor_terminate(ex, SIGTERM), CF_EFORKED);
    cf_executor_destroy(ex);
}

static void
never(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    FAIL("a callback of the parent's task ran in the child");
}

static void
look_at(cf_future *f)
{
    bool done = cf_future_done(f);
    CHECK_EQ(cf_future_wait(f, CF_FOREVER), done ? CF_OK : CF_EFORKED);
    CHECK(done || !cf_future_cancel(f));
    CHECK(!cf_future_interrupt(f));
    if (!done)
        CHECK_EQ(cf_future_on_done(f, never, NULL), CF_OK);
    cf_future_unref(f);
}

/* Ends the child with 0, or kills it when it hangs. */
_Noreturn static void
be_child(struct round *round, cf_future **recent, unsigned count, bool own)
{
    alarm(CHILD_SECONDS_MAX);
    for (unsigned i = 0; i < count; i++)
        look_at(recent[i]);
    refuse(round->ex);
    refuse(round->bounded);
    /* AddressSanitizer's allocator does not renew its locks in a child. */
    if (own && !STRESS_ASAN)
        use_own_pool();
    _exit(0);
}

/* --- fork handlers ------------------------------------------------------- */

static void
use_for_a_moment(cf_executor *ex)
{
    cf_future *f;
    int n = 5;
    CHECK_EQ(cf_submit(ex, square, &n, sizeof n, &f), CF_OK);
    CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
    cf_future_unref(f);
}

static void
make_one(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_executor *ex;
    options.max_workers = 1;
    CHECK_EQ(cf_thread_pool_create(&options, &ex), CF_OK);
    use_for_a_moment(ex);
    cf_executor_destroy(ex);
}

static void
in_parent(void)
{
    struct round *round = atomic_load(&current);
    make_one();
    if (round)
        use_for_a_moment(round->ex);
}

static void
in_child(void)
{
    struct round *round = atomic_load(&current);
    alarm(CHILD_SECONDS_MAX);
    if (round)
        refuse(round->ex);
    if (!STRESS_ASAN)
        make_one();
}

/* As early as the library's own, or earlier. */
__attribute__((constructor(101))) static void
register_handlers(void)
{
    if (!STRESS_TSAN)
        CHECK_EQ(pthread_atfork(in_parent, in_parent, in_child), 0);
}

/* --- in the parent -------------------------------------------------------- */

static void
fork_once(struct round *round, cf_future **recent, unsigned count, bool own)
{
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        be_child(round, recent, count, own);
    while (waitpid(child, &status, 0) < 0)
        CHECK_EQ(errno, EINTR);
    if (status)
        FAIL("the child ended with status %#x", (unsigned)status);
    atomic_fetch_add(&forks, 1);
    stress_alive();
}

static int
fork_inside(cf_call *call, const void *arg, size_t arg_size)
{
    struct round *round = (struct round *)(uintptr_t)arg;
    struct random r = random_stream(round->stream);
    cf_future *child;
    int n = 7;
    (void)arg_size;
    CHECK_EQ(cf_submit(cf_call_executor(call), square, &n, sizeof n, &child),
             CF_OK);
    fork_once(round, &child, 1, random_percent(&r, 50));
    CHECK_EQ(cf_future_result(child, CF_FOREVER, NULL), CF_OK);
    cf_future_unref(child);
    return 0;
}

static void
submit_or_fork(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->stream + index + 1);
    cf_future *recent[RECENT] = {NULL};
    bool forks_too = index == FORKER;
    while (index == MAKER && !atomic_load(&round->over))
        make_one();
    for (unsigned i = 0, forked = 0; !atomic_load(&round->over); i++) {
        cf_future **slot = &recent[i % RECENT];
        int n = (int)(i % 1000);
        if (*slot) {
            cf_bytes bytes;
            CHECK_EQ(cf_future_result(*slot, CF_FOREVER, &bytes), CF_OK);
            CHECK_EQ(bytes.size, sizeof n);
            cf_future_unref(*slot);
        }
        cf_executor *ex = random_percent(&r, 30) ? round->bounded : round->ex;
        CHECK_EQ(cf_submit(ex, square, &n, sizeof n, slot), CF_OK);
        atomic_fetch_add(&tasks, 1);
        if (!forks_too || i < RECENT || !random_percent(&r, 5))
            continue;
        if (random_percent(&r, 25)) {
            cf_future *f;
            CHECK_EQ(cf_submit(round->ex, fork_inside, round, 0, &f), CF_OK);
            CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
            cf_future_unref(f);
        } else {
            fork_once(round, recent, RECENT, random_percent(&r, 50));
        }
        atomic_store(&round->over, ++forked == FORKS);
    }
    for (unsigned i = 0; i < RECENT; i++)
        cf_future_unref(recent[i]);
}

static void
one_round(uint64_t number)
{
    struct random r = random_stream(number);
    struct round round = {.stream = random_next(&r)};
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = 2;
    options.queue_capacity = 4;
    CHECK_EQ(cf_thread_pool_create(&options, &round.bounded), CF_OK);
    round.ex = stress_random_pool(&r);
    atomic_store(&current, &round);
    in_threads(THREADS, submit_or_fork, &round);
    atomic_store(&current, NULL);
    cf_executor_destroy(round.bounded);
    stress_pool_destroy(round.ex);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN) {
        puts("skipped: ThreadSanitizer has no threads after a fork");
        return STRESS_SKIPPED;
    }
    register_handlers(); /* after the library's, and in the child too */
    stress_begin(argc, argv);
    for (uint64_t number = 1; stress_goes_on(); number++)
        one_round(number);
    return stress_end("%llu forks, %llu tasks",
                      (unsigned long long)forks,
                      (unsigned long long)tasks);
}
