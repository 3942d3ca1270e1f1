/* SPDX-License-Identifier: MIT */
/* The futex system call: see futex.h. */
#include "lib/base/futex.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* flags: FUTEX_PRIVATE_FLAG, or 0. false: the deadline has passed. */
static bool
call_wait(void *word, uint32_t expected, int64_t deadline_ns, int flags)
{
    int saved_errno = errno;
    struct timespec at = cf__timespec(deadline_ns);
    /* FUTEX_WAIT_BITSET, because its deadline is absolute and monotonic. */
    long rc = syscall(SYS_futex,
                      word,
                      FUTEX_WAIT_BITSET | flags,
                      expected,
                      deadline_ns == CF__NEVER ? NULL : &at,
                      NULL,
                      FUTEX_BITSET_MATCH_ANY);
    bool timed_out = rc < 0 && errno == ETIMEDOUT;
    errno = saved_errno;
    return !timed_out;
}

/* By how much the kernel may end this thread's waits too late, to end several
 * at once: 50 us, if the program has not changed it. A thread asks once. */
static int64_t
timer_slack(void)
{
    static __thread int64_t slack_ns = -1;
    if (slack_ns < 0) {
        int saved_errno = errno;
        int slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
        slack_ns = slack > 0 ? slack : 0;
        errno = saved_errno;
    }
    return slack_ns;
}

/* The kernel uses the slack whole, if nothing else wakes that processor. So it
 * is asked for an end that is earlier by that; what is left of the wait, if it
 * ended together with others, is a wait of its own. */
static bool
wait_until(void *word, uint32_t expected, int64_t deadline_ns, int flags)
{
    if (deadline_ns != CF__NEVER) {
        int64_t early_ns = deadline_ns - timer_slack();
        if (cf__now_ns() < early_ns) {
            if (call_wait(word, expected, early_ns, flags))
                return true;
            if (cf__now_ns() >= deadline_ns)
                return false;
        }
    }
    return call_wait(word, expected, deadline_ns, flags);
}

bool
cf__futex_wait(void *word, uint32_t expected, int64_t deadline_ns)
{
    return wait_until(word, expected, deadline_ns, FUTEX_PRIVATE_FLAG);
}

void
cf__futex_wake(void *word, int count)
{
    int saved_errno = errno;
    (void)syscall(
        SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
    errno = saved_errno;
}

void
cf__nap(int64_t duration_ns)
{
    _Atomic uint32_t none = 0;
    (void)cf__futex_wait(&none, 0, cf__now_ns() + duration_ns);
}

bool
cf__futex_wait_shared(void *word, uint32_t expected)
{
    int saved_errno = errno;
    long rc = syscall(SYS_futex, word, FUTEX_WAIT, expected, NULL, NULL, 0);
    errno = saved_errno;
    return rc == 0;
}

bool
cf__futex_wait_shared_until(void *word, uint32_t expected, int64_t deadline_ns)
{
    return wait_until(word, expected, deadline_ns, 0);
}

void
cf__futex_wake_shared(void *word, int count)
{
    int saved_errno = errno;
    (void)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved_errno;
}
