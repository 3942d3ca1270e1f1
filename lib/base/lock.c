/* SPDX-License-Identifier: MIT */
/* Waiting for a lock, and waking: see lock.h. */
#include "lib/base/lock.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/base/forked.h"
#include "lib/base/futex.h"

#include <sched.h>
#include <string.h>

enum {
    PAUSES = 32, /* about a microsecond */
    LOOKS = 16,  /* without yields they last for as long as a sleep costs */
    NAP_NS = CF__MS(1)
};

/* The holder may want the lock again soon. So this thread pauses between two
 * looks: else the cache line would go to and fro all the time. And it yields:
 * if there are more threads than processors, the holder may be one that waits
 * for this processor. */
static bool
spin(struct cf__lock *lock)
{
    for (int looks = 0; looks < LOOKS; looks++) {
        for (int pauses = 0; pauses < PAUSES; pauses++)
            cf_relax();
        if (cf__lock_try(lock))
            return true;
        sched_yield();
    }
    return false;
}

/* Sleeps while a thread of this process holds the lock and sleepers is set. If
 * the heavy fence is no membarrier, the holder may not know of this sleeper:
 * then the sleep is short. */
static void
sleep_while_held(struct cf__lock *lock)
{
    const uint16_t held[2] = {cf__generation, 1};
    uint32_t expected;
    _Static_assert(sizeof held == sizeof expected &&
                       sizeof *lock == sizeof expected,
                   "holder and sleepers are one futex word");
    memcpy(&expected, held, sizeof expected);
    (void)cf__futex_wait(lock,
                         expected,
                         cf__fence_asymmetric ? CF__NEVER
                                              : cf__now_ns() + NAP_NS);
}

void
cf__lock_wait(struct cf__lock *lock)
{
    cf__notice_fork(); /* in a child, the lock can be had after this */
    if (spin(lock))
        return;
    cf__fence_init();
    for (;;) {
        /* pairs with unlock, through the fences */
        cf_store_relaxed(&lock->sleepers, 1);
        cf__fence_heavy();
        if (cf__lock_try(lock))
            break;
        sleep_while_held(lock);
        if (cf__lock_try(lock))
            break;
    }
    /* Other threads may still sleep: this thread's unlock wakes the next. */
    cf_store_relaxed(&lock->sleepers, 1);
}

void
cf__lock_wake(struct cf__lock *lock)
{
    /* One unlocker wakes a thread: the one that clears sleepers. The woken
     * thread sets it again. */
    if (cf_exchange_acq_rel(&lock->sleepers, 0))
        cf__futex_wake(lock, 1);
}
