/* SPDX-License-Identifier: MIT */
/*
 * How a completer gives a node to the user: both change `ready` by one atomic
 * step each. README.md, "How a completion reaches the iterator".
 */
#include "lib/many/as_completed_iterator.h"

#include "lib/base/futex.h"
#include "lib/executor/server.h"

/* The low half of the pointer: the futex that a user sleeps on if it is in no
 * task. There the mark 1 differs from NULL and from each node, as nodes are
 * aligned. */
static void *
word_of(void *pointer)
{
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (char *)pointer + (big_endian ? sizeof(void *) - 4 : 0);
}

struct cf__callback *
cf__as_completed_push(struct cf__waiter *waiter, cf_future *f)
{
    cf_as_completed *it = ((struct cf__node *)waiter)->it;
    (void)f;
    int fd = cf_load_acquire(&it->fd); /* pairs with cf_as_completed_fd */
    struct cf__waiter *former = cf_load_relaxed(&it->ready);
    do {
        waiter->next = cf__is_sleeper_mark(former) ? NULL : former;
        /* pairs with cf__as_completed_take_ready and sleep_parked. Without an
         * fd, the iterator may be gone after this step. */
    } while (!cf_cas_weak_acq_rel(&it->ready, &former, waiter));
    if (former == cf__sleeper_mark(NULL))
        cf__futex_wake(word_of(&it->ready), 1);
    else if (cf__is_sleeper_mark(former))
        cf__worker_unpark((struct cf__worker *)((uintptr_t)former - 1));
    if (fd >= 0)
        cf__as_completed_signal_fd(fd);
    return NULL;
}

/* Sleeps until worker is unparked, then removes the mark: no completer finds it
 * any more. If one has found it, `called` tells hand_out() to wait for that
 * completer. Its node is the oldest, and so the next one to be handed out. */
static bool
sleep_parked(cf_as_completed *it,
             struct cf__worker *worker,
             int64_t deadline_ns)
{
    struct cf__waiter *mark = cf__sleeper_mark(worker);
    bool in_time = cf__worker_park(worker, deadline_ns);
    if (!cf_cas_acq_rel(&it->ready, &mark, NULL))
        it->called = true;
    return in_time;
}

bool
cf__as_completed_sleep(cf_as_completed *it,
                       struct cf__worker *worker,
                       int64_t deadline_ns)
{
    struct cf__waiter *mark = cf__sleeper_mark(worker);
    struct cf__waiter *empty = NULL;
    /* pairs with cf__as_completed_push: the completer sees the mark, or this
     * thread sees the node */
    if (!cf_cas_acq_rel(&it->ready, &empty, mark) && empty != mark)
        return true;
    if (worker)
        return sleep_parked(it, worker, deadline_ns);
    return cf__sleep(
        word_of(&it->ready), (uint32_t)(uintptr_t)mark, deadline_ns);
}
