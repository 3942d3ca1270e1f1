/* SPDX-License-Identifier: MIT */
/*
 * Names that the system does not answer at once, while tasks go on, leave, or
 * end, and no thread can be started: when the system answers is up to a gate of
 * this program's (fake_names.h).
 */
#define _GNU_SOURCE
#include "loop_streams.h"

#include "tests/support/fake_names.h"

#include <cfutures/resolve.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <uv.h>

enum { AT_ONCE = 32 }; /* as resolve.h says */

#define ok(condition) cr_assert((condition), "errno %d", errno)

static const struct fake_address one[] = {{"192.0.2.1", 0}};

static void
await_no_thread(void)
{
    while (fake_names_threads() > 0)
        sched_yield();
}

/* --- names that are slow -------------------------------------------------- */

/* A task that asks for a name. */
struct order {
    const char *host;
    int64_t timeout_ns;
};

struct outcome {
    cf_err err;
    int code; /* errno */
};

static int
ask(cf_call *call, const void *arg, size_t arg_size)
{
    const struct order *order = arg;
    struct outcome it;
    cf_addresses a = {0, NULL};
    (void)arg_size;
    it.err = cf_resolve(call, order->host, "80", order->timeout_ns, &a);
    it.code = errno;
    cf_addresses_free(&a);
    return cf_return(call, &it, sizeof it);
}

static cf_future *
submit_ask(cf_executor *loop, const char *host, int64_t timeout_ns)
{
    struct order order = {host, timeout_ns};
    cf_future *f = NULL;
    ok(cf_submit(loop, ask, &order, sizeof order, &f) == CF_OK);
    return f;
}

static struct outcome
outcome_of(cf_future *f)
{
    struct outcome it;
    cf_bytes bytes;
    ok(cf_future_result(f, CF_FOREVER, &bytes) == CF_OK);
    memcpy(&it, bytes.data, sizeof it);
    cf_future_unref(f);
    return it;
}

static struct fake_name names[] = {
    {"slow.test", .addresses = one, .count = 1},
    {"quick.test", .addresses = one, .count = 1},
};

/* A loop, and a new gate before slow.test. */
static cf_executor *
new_loop(void)
{
    cf_executor *loop;
    names[0].gate = gate_new();
    fake_names_use(names, 2);
    ok(cf_event_loop_create(NULL, &loop) == CF_OK);
    return loop;
}

static void
on_work(uv_work_t *work)
{
    *(bool *)work->data = true;
}

static void
on_worked(uv_work_t *work, int status)
{
    (void)status;
    cf_future *f = *(cf_future **)(void *)(work + 1);
    (void)cf_future_set_result(f, NULL, 0);
}

/* What libuv does in its threads, files among it. */
static int
use_uv_threads(cf_call *call, const void *arg, size_t arg_size)
{
    struct {
        uv_work_t work;
        cf_future *f;
    } it;
    bool worked = false;
    (void)arg;
    (void)arg_size;
    expect_ok(call, cf_future_create(&it.f));
    it.work.data = &worked;
    expect(call,
           uv_queue_work(cf_event_loop_uv(cf_call_executor(call)),
                         &it.work,
                         on_work,
                         on_worked) == 0);
    expect_ok(call, cf_future_wait(it.f, CF_FOREVER));
    cf_future_unref(it.f);
    expect(call, worked);
    return 0;
}

Test(loop_resolve_slow, slow_names_hold_up_nothing_else)
{
    cf_executor *loop = new_loop();
    cf_future *slow[AT_ONCE - 1], *f;
    for (int i = 0; i < AT_ONCE - 1; i++)
        slow[i] = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, AT_ONCE - 1);
    for (int i = 0; i < 3; i++)
        ok(outcome_of(submit_ask(loop, "quick.test", CF_FOREVER)).err == CF_OK);
    ok(cf_submit(loop, use_uv_threads, NULL, 0, &f) == CF_OK);
    finish(f);
    gate_open(names[0].gate);
    for (int i = 0; i < AT_ONCE - 1; i++)
        ok(outcome_of(slow[i]).err == CF_OK);
    cf_executor_destroy(loop);
    await_no_thread();
}

Test(loop_resolve_slow, a_task_leaves_a_slow_name_at_once)
{
    cf_executor *loop = new_loop();
    cf_future *f = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, 1);
    ok(cf_future_interrupt(f));
    ok(outcome_of(f).err == CF_EINTERRUPTED);
    ok(outcome_of(submit_ask(loop, "slow.test", 1)).err == CF_ETIMEDOUT);
    ok(outcome_of(submit_ask(loop, "slow.test", 0)).err == CF_ETIMEDOUT);
    ok(outcome_of(submit_ask(loop, "quick.test", CF_FOREVER)).err == CF_OK);
    gate_open(names[0].gate);
    await_no_thread();
    cf_executor_destroy(loop);
}

Test(loop_resolve_slow, too_many_slow_names_wait_in_a_queue)
{
    cf_executor *loop = new_loop();
    cf_future *slow[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        slow[i] = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, AT_ONCE);
    cf_future *last = submit_ask(loop, "quick.test", CF_FOREVER);
    cf_future *gone = submit_ask(loop, "slow.test", CF_FOREVER);
    ok(outcome_of(submit_ask(loop, "quick.test", 1)).err == CF_ETIMEDOUT);
    ok(cf_future_interrupt(gone));
    (void)cf_future_wait(gone, CF_FOREVER);
    cf_future_unref(gone); /* it was cancelled if it had not begun */
    ok(!cf_future_done(last) && fake_names_threads() == AT_ONCE);
    gate_open(names[0].gate);
    ok(outcome_of(last).err == CF_OK);
    for (int i = 0; i < AT_ONCE; i++)
        ok(outcome_of(slow[i]).err == CF_OK);
    await_no_thread();
    cf_executor_destroy(loop);
}

/* --- the end -------------------------------------------------------------- */

Test(loop_resolve_slow, the_end_of_a_loop_waits_for_no_look_up)
{
    cf_executor *loop = new_loop();
    cf_future *fs[AT_ONCE + 2];
    for (int i = 0; i < AT_ONCE + 2; i++)
        fs[i] = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, AT_ONCE);
    for (int i = 0; i < AT_ONCE + 2; i++) {
        (void)cf_future_interrupt(fs[i]);
        (void)cf_future_wait(fs[i], CF_FOREVER);
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(loop);
    ok(fake_names_threads() == AT_ONCE);
    gate_open(names[0].gate);
    await_no_thread();
}

static int
end_thread(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    pthread_exit(NULL);
}

/* Under tasks that wait for names, asked and queued ones. */
Test(loop_resolve_slow, a_thread_that_ends_waits_for_no_look_up)
{
    cf_executor *loop = new_loop();
    cf_future *fs[AT_ONCE + 2], *killer;
    for (int i = 0; i < AT_ONCE + 2; i++)
        fs[i] = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, AT_ONCE);
    ok(outcome_of(submit_ask(loop, "quick.test", 1)).err == CF_ETIMEDOUT);
    ok(cf_submit(loop, end_thread, NULL, 0, &killer) == CF_OK);
    cf_future_unref(killer);
    for (int i = 0; i < AT_ONCE + 2; i++) {
        ok(cf_future_result(fs[i], CF_FOREVER, NULL) == CF_EWORKERDIED);
        cf_future_unref(fs[i]);
    }
    cf_executor_destroy(loop);
    gate_open(names[0].gate);
    await_no_thread();
}

static int
fork_beside(cf_call *call, const void *arg, size_t arg_size)
{
    cf_addresses a;
    (void)arg;
    (void)arg_size;
    pid_t child = fork();
    if (child == 0) {
        bool refused =
            cf_resolve(call, "quick.test", "80", CF_FOREVER, &a) == CF_EFORKED;
        _exit(refused ? 0 : 1);
    }
    int status;
    expect(call, waitpid(child, &status, 0) == child && status == 0);
    expect_ok(call, cf_resolve(call, "quick.test", "80", CF_FOREVER, &a));
    cf_addresses_free(&a);
    return 0;
}

Test(loop_resolve_slow, a_fork_beside_a_slow_name)
{
    cf_executor *loop = new_loop();
    cf_future *f, *slow = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, 1);
    ok(cf_submit(loop, fork_beside, NULL, 0, &f) == CF_OK);
    finish(f);
    gate_open(names[0].gate);
    ok(outcome_of(slow).err == CF_OK);
    cf_executor_destroy(loop);
    await_no_thread();
}

/* --- no thread ------------------------------------------------------------ */

/* Below 0: threads start. Else so many do, and then no more. */
static atomic_int allowed = -1;
static atomic_int refused;
/* Opened by the next refusal, which comes when no such thread is left. */
static _Atomic(gate *) last_gate;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
int __real_pthread_create(pthread_t *,
                          const pthread_attr_t *,
                          void *(*)(void *),
                          void *);
int __wrap_pthread_create(pthread_t *,
                          const pthread_attr_t *,
                          void *(*)(void *),
                          void *);

int
__wrap_pthread_create(pthread_t *thread,
                      const pthread_attr_t *attr,
                      void *(*fn)(void *),
                      void *arg)
{
    if (atomic_load(&allowed) < 0)
        return __real_pthread_create(thread, attr, fn, arg);
    if (atomic_load(&allowed) > 0) {
        atomic_fetch_sub(&allowed, 1);
        return __real_pthread_create(thread, attr, fn, arg);
    }
    gate *g = atomic_exchange(&last_gate, NULL);
    if (g) {
        gate_open(g);
        await_no_thread();
    }
    atomic_fetch_add(&refused, 1);
    return EAGAIN;
}
/* NOLINTEND */

Test(loop_resolve_slow, without_a_thread_a_name_fails_or_waits_for_one)
{
    cf_executor *loop = new_loop();
    ok(outcome_of(submit_ask(loop, "quick.test", CF_FOREVER)).err == CF_OK);
    await_no_thread();
    atomic_store(&allowed, 0);
    struct outcome it = outcome_of(submit_ask(loop, "quick.test", CF_FOREVER));
    ok(it.err == CF_ESYS && it.code == EAGAIN && atomic_load(&refused) == 1);
    atomic_store(&allowed, 1);
    cf_future *slow = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, 1);
    cf_future *quick = submit_ask(loop, "quick.test", CF_FOREVER);
    while (atomic_load(&refused) == 1)
        sched_yield();
    gate_open(names[0].gate);
    ok(outcome_of(slow).err == CF_OK);
    ok(outcome_of(quick).err == CF_OK);
    cf_executor_destroy(loop);
    await_no_thread();
}

/* The only thread is about to end. It still takes the question. */
Test(loop_resolve_slow, a_name_is_answered_though_no_thread_is_left)
{
    cf_executor *loop = new_loop();
    cf_future *slow = submit_ask(loop, "slow.test", CF_FOREVER);
    gate_await(names[0].gate, 1);
    atomic_store(&last_gate, names[0].gate);
    atomic_store(&allowed, 0);
    struct outcome it = outcome_of(submit_ask(loop, "quick.test", CF_FOREVER));
    ok(atomic_load(&refused) == 1);
    ok(it.err == CF_OK);
    ok(outcome_of(slow).err == CF_OK);
    cf_executor_destroy(loop);
}
