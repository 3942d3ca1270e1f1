/* SPDX-License-Identifier: MIT */
/* How a worker rings and sleeps: bells.h. README.md, "Waking". */
#include "process_pool/worker/bells.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/base/futex.h"

void
cf__bells_ring(struct cf__bells *bells)
{
    /* pairs with step_locked in manager.c: the manager sleeps and is rung, or
     * it will see what this worker did */
    uint32_t sleeps = cf_load_seq_cst(&bells->shared->board->sleeps);
    if (sleeps % 2 == 1 && sleeps != bells->rung) {
        bells->rung = sleeps;
        cf__bell_ring(bells->shared->bell);
    }
}

/* The program has woken this worker: tells it how long that took. */
static void
tell_wake_cost(struct cf__bells *bells)
{
    int64_t took = cf__now_ns() - cf_load_relaxed(&bells->in->rung_at);
    cf_store_relaxed(&bells->out->woke_within_ns, took); /* a hint */
}

void
cf__bells_sleep(struct cf__bells *bells,
                bool (*must_rise)(void *data),
                void *data)
{
    while (!must_rise(data)) {
        /* pairs with cf__lane_nudge */
        uint32_t bell = cf_load_acquire(&bells->in->bell);
        /* pairs with cf__lane_nudge and with may_wait in submit.c: they see
         * this worker asleep, or it sees what they did */
        cf_store_relaxed(&bells->out->asleep, 1);
        cf__fence_full();
        if (!must_rise(data)) {
            if (cf_load_seq_cst(&bells->shared->board->backlog))
                cf__bells_ring(bells);
            if (cf__futex_wait_shared(&bells->in->bell, bell))
                tell_wake_cost(bells);
        }
        cf_store_relaxed(&bells->out->asleep, 0); /* a hint */
    }
}
