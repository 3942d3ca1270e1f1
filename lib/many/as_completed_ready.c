/* SPDX-License-Identifier: MIT */
/* From a completer to the user: the iterator's ready. */
#include "lib/many/as_completed_iterator.h"

#include "lib/base/futex.h"
#include "lib/executor/server.h"

/* CF__USER_SLEEPS and any node differ in it, as nodes are aligned. */
static void *
word_of(void *pointer)
{
    const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (char *)pointer + (big_endian ? sizeof(void *) - 4 : 0);
}

void
cf__as_completed_push(struct cf__waiter *waiter, cf_future *f)
{
    cf_as_completed *it = ((struct cf__node *)waiter)->it;
    (void)f;
    int fd = cf_load_acquire(&it->fd); /* pairs with cf_as_completed_fd */
    struct cf__waiter *former = cf_load_relaxed(&it->ready);
    do {
        waiter->next = former == CF__USER_SLEEPS ? NULL : former;
        /* pairs with take_ready. After it, without an fd, the iterator must
         * not be touched. */
    } while (!cf_cas_weak_acq_rel(&it->ready, &former, waiter));
    if (former == CF__USER_SLEEPS)
        cf__futex_wake(word_of(&it->ready), 1);
    if (fd >= 0)
        cf__as_completed_signal_fd(fd);
}

bool
cf__as_completed_sleep(cf_as_completed *it, int64_t deadline_ns)
{
    struct cf__waiter *empty = NULL;
    /* pairs with cf__as_completed_push: it sees CF__USER_SLEEPS, or we see
     * what it pushed */
    if (!cf_cas_acq_rel(&it->ready, &empty, CF__USER_SLEEPS) &&
        empty != CF__USER_SLEEPS)
        return true;
    return cf__sleep(
        word_of(&it->ready), (uint32_t)(uintptr_t)CF__USER_SLEEPS, deadline_ns);
}
