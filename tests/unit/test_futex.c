/* SPDX-License-Identifier: MIT */
/* lib/base/futex.h: how long a wait is. */
#define _GNU_SOURCE /* sched_setaffinity() */
#include "lib/base/clock.h"
#include "lib/base/futex.h"

#include <cfutures/base.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>

enum { WAITS = 50 };

static atomic_bool over;

static void
stay_on_this_cpu(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

/* Each interrupt of its short sleeps ends all waits of this CPU that may end by
 * then. */
static void *
sleep_little(void *unused)
{
    const struct timespec little = {0, 100000};
    (void)unused;
    (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    while (!atomic_load(&over))
        (void)nanosleep(&little, NULL);
    return NULL;
}

/* The thread's timer slack is used before the deadline, not after. */
Test(futex, a_wait_is_not_too_short_with_much_timer_slack)
{
    uint32_t word = 0;
    pthread_t other;
    stay_on_this_cpu();
    cr_assert_eq(pthread_create(&other, NULL, sleep_little, NULL), 0);
    cr_assert_eq(prctl(PR_SET_TIMERSLACK, CF_MS(8), 0, 0, 0), 0);
    for (int i = 0; i < WAITS; i++) {
        const int64_t deadline_ns = cf__now_ns() + CF_MS(10);
        while (cf__futex_wait(&word, 0, deadline_ns))
            continue;
        cr_assert_geq(cf__now_ns(), deadline_ns);
    }
    atomic_store(&over, true);
    (void)pthread_join(other, NULL);
}
