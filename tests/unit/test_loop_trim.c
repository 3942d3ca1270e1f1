/* SPDX-License-Identifier: MIT */
/* The memory of stacks that a burst of tasks has used. */
#include <cfutures/event_loop.h>

#include "tests/support/gate.h"
#include "tests/unit/loop_tasks.h"
#include "tests/unit/resident.h"

#include <sys/resource.h>

enum { TASKS = 200, DEEP = 128 * 1024, BURST_MIB = TASKS * DEEP >> 20 };

static cf_executor *ex;
static gate *begun;

static int
use_much_and_wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    volatile char much[DEEP];
    memset((void *)much, 1, sizeof much);
    gate_arrive(begun);
    return wait_for(call, arg, arg_size) + much[0] - 1;
}

/* All tasks are there at once, so each has a stack of its own. */
static void
burst(void)
{
    static cf_future *fs[TASKS];
    cf_future *go;
    begun = gate_new();
    assert_ok(cf_future_create(&go));
    for (int i = 0; i < TASKS; i++)
        fs[i] = submit(ex, use_much_and_wait_for, go, 0);
    gate_await(begun, TASKS);
    assert_ok(cf_future_set_result(go, NULL, 0));
    for (int i = 0; i < TASKS; i++) {
        assert_ok(cf_future_result(fs[i], CF_FOREVER, NULL));
        cf_future_unref(fs[i]);
    }
    cf_future_unref(go);
}

static void
set_up(void)
{
    cf_event_loop_options options = CF_EVENT_LOOP_OPTIONS_INIT;
    options.max_stacks_kept = 1;
    assert_ok(cf_event_loop_create(&options, &ex));
}

static void
tear_down(void)
{
    cf_executor_destroy(ex);
}

Test(loop_trim,
     goes_back_when_nothing_has_come_for_a_while,
     .init = set_up,
     .fini = tear_down,
     .timeout = 60)
{
    long before = resident_mib();
    for (int round = 0; round < 2; round++) {
        burst();
        while (resident_mib() > before + BURST_MIB / 4)
            assert_ok(cf_sleep(NULL, CF_MS(10)));
    }
}

static long
faults(void)
{
    struct rusage usage;
    cr_assert(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt;
}

/* Else each burst of a busy loop would pay for its memory again. */
Test(loop_trim,
     stays_between_bursts,
     .init = set_up,
     .fini = tear_down,
     .timeout = 60)
{
    enum { BURSTS = 20 };
    long least = BURSTS * (long)BURST_MIB;
    burst();
    long before = faults();
    for (int i = 0; i < BURSTS; i++)
        burst();
    long pages = (least << 20) / sysconf(_SC_PAGESIZE);
    cr_assert(faults() - before < pages / 4,
              "%ld faults of %ld",
              faults() - before,
              pages);
}
