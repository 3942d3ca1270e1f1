/* SPDX-License-Identifier: MIT */
/* Batches under way: see batch.h. No locks. */
#include "lib/executor/batch.h"

#include "lib/base/futex.h"

#include <limits.h>

bool
cf__batch_enter(cf_executor *ex)
{
    /* pairs with cf__batches_refuse: it sees this batch, or this thread sees
     * that batches are refused */
    (void)cf_fetch_add_seq_cst(&ex->batches, CF__BATCHES_ONE);
    if (!cf_load_seq_cst(&ex->refuses_batches))
        return true;
    cf__batch_leave(ex);
    return false;
}

void
cf__batch_leave(cf_executor *ex)
{
    uint32_t batches = cf_load_relaxed(&ex->batches); /* the swap checks it */
    /* pairs with cf__batches_await: it sees what was pushed. A thread that is
     * woken and has to wait on sets the mark again. */
    while (!cf_cas_weak_acq_rel(&ex->batches,
                                &batches,
                                (batches - CF__BATCHES_ONE) &
                                    ~CF__BATCHES_AWAITED))
        continue;
    if (batches & CF__BATCHES_AWAITED) /* an address: ex may be gone */
        cf__futex_wake(&ex->batches, INT_MAX);
}

bool
cf__batches_await(cf_executor *ex, int64_t deadline_ns)
{
    bool in_time = true;
    /* pairs with cf__batch_leave. In a fork's child no batch goes on. */
    uint32_t batches = cf_load_seq_cst(&ex->batches);
    while (batches >= CF__BATCHES_ONE && in_time && !cf__executor_forked(ex)) {
        uint32_t awaited = batches | CF__BATCHES_AWAITED;
        if (batches != awaited &&
            !cf_cas_acq_rel(&ex->batches, &batches, awaited))
            continue;
        in_time = cf__futex_wait(&ex->batches, awaited, deadline_ns);
        batches = cf_load_acquire(&ex->batches);
    }
    return batches < CF__BATCHES_ONE || cf__executor_forked(ex);
}

void
cf__batches_refuse(cf_executor *ex)
{
    cf_store_seq_cst(&ex->refuses_batches, true); /* pairs with enter */
    (void)cf__batches_await(ex, CF__NEVER);
}
