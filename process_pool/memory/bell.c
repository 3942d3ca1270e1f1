/* SPDX-License-Identifier: MIT */
/* The manager's bell, and the kernel's list of robust futexes: bell.h. */
#include "process_pool/memory/bell.h"

#include "lib/base/futex.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RUNG ((uint32_t)FUTEX_OWNER_DIED)

/* The list's head and its links, as the kernel knows them. The kernel finds the
 * word of a link at the same distance from each link. */
static struct robust_list_head robust;

_Static_assert(offsetof(struct cf__pulse, next) == 0, "a struct robust_list");

void
cf__bell_own(struct cf__bell *bell, struct cf__pulse *pulse)
{
    uint32_t id = (uint32_t)syscall(SYS_gettid);
    const long distance = (long)(offsetof(struct cf__pulse, word) -
                                 offsetof(struct cf__pulse, next));
    /* Published by READY. */
    cf_store_relaxed(&bell->word, id | FUTEX_WAITERS);
    cf_store_relaxed(&pulse->word, id);
    /* The pulse is in the list. The bell is "pending": so the kernel never
     * reads a link of it, and it needs none. The kernel goes through the list
     * first. */
    robust.futex_offset = distance;
    robust.list.next = (struct robust_list *)(void *)pulse;
    pulse->next = &robust.list;
    robust.list_op_pending =
        (struct robust_list *)(void *)((char *)bell +
                                       offsetof(struct cf__bell, word) -
                                       distance);
    if (syscall(SYS_set_robust_list, &robust, sizeof robust) == 0)
        cf_store_relaxed(&pulse->kept, 1);
}

void
cf__bell_disown(struct cf__bell *bell, struct cf__pulse *pulse)
{
    /* pairs with cf__pulse_stopped: all reports are there */
    cf_store_release(&pulse->word, FUTEX_OWNER_DIED);
    cf__bell_ring(bell);
}

void
cf__bell_ring(struct cf__bell *bell)
{
    /* pairs with cf__bell_answer: it sees what we did, or await sees that we
     * rang */
    cf_fetch_or_seq_cst(&bell->word, RUNG);
    cf__futex_wake_shared(&bell->word, INT_MAX);
}

/* The word while it has not been rung. */
static uint32_t
silent(const struct cf__pulse *pulse)
{
    uint32_t id = cf_load_relaxed(&pulse->word) & FUTEX_TID_MASK;
    return id | FUTEX_WAITERS;
}

void
cf__bell_answer(struct cf__bell *bell, const struct cf__pulse *pulse)
{
    /* pairs with cf__bell_ring. What a stray task has written there goes,
     * too. */
    cf_store_seq_cst(&bell->word, silent(pulse));
}

void
cf__bell_await(struct cf__bell *bell,
               const struct cf__pulse *pulse,
               int64_t deadline_ns)
{
    /* Between the kernel's mark on the pulse and its mark on the bell, silent()
     * is not what the bell holds: so the wait returns, and we look again. */
    cf__futex_wait_shared_until(&bell->word, silent(pulse), deadline_ns);
}

bool
cf__pulse_stopped(const struct cf__pulse *pulse)
{
    /* pairs with cf__bell_disown */
    return cf_load_acquire(&pulse->word) & FUTEX_OWNER_DIED;
}
