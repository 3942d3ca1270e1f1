/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. When the manager is to look next, and the
 * signals that it sends to workers then.
 */
#include "process_pool/alarm.h"

#include "lib/base/clock.h"
#include "process_pool/tasks.h"

#include <signal.h>

enum { TRY_AGAIN_NS = 1000000 /* if the zygote has too much to read */ };

void
cf__processes_ring(struct cf__processes *pool)
{
    if (!pool->open)
        return; /* in a fork's child: the bell is the parent's */
    if (cf_load_relaxed(&pool->shared->board->sleeps) % 2 == 1)
        cf__bell_ring(pool->shared->bell); /* both sides have the lock */
}

void
cf__processes_set_alarm(struct cf__processes *pool, int64_t now)
{
    int64_t at = pool->look_at;
    if (cf__processes_has_tasks_out(pool) && now + CF__HEARTBEAT_NS < at)
        at = now + CF__HEARTBEAT_NS;
    if (at >= pool->wakes_at)
        return;
    pool->wakes_at = at;
    cf__processes_ring(pool);
}

void
cf__processes_kill_later(struct cf__processes *pool,
                         struct cf__process_lane *lane,
                         uint64_t position,
                         int signo,
                         int64_t at)
{
    if (lane->state != CF__LANE_STAFFED)
        return;
    /* What is due earlier, for the same or for anything, stands; but nothing
     * stands in the way of SIGKILL. At most one task runs: a record for
     * another one is past. */
    bool stands = lane->kill_at && lane->kill_at <= at &&
                  (lane->kill_position == CF__ANY_POSITION ||
                   lane->kill_position == position) &&
                  (lane->kill_signal == SIGKILL || signo != SIGKILL);
    if (stands)
        return;
    lane->kill_position = position;
    lane->kill_signal = signo;
    lane->kill_at = at;
    cf__processes_ring(pool);
}

int64_t
cf__processes_after_grace(const struct cf__processes *pool, int64_t now)
{
    int64_t grace = pool->setup.options.kill_grace_ns;
    return grace >= CF__NEVER - now ? CF__NEVER : now + grace;
}

/* The task that the signal is for does not run any more. If it does, nothing
 * else will before the signal has come: all that waits behind it goes back. */
static bool
is_past(struct cf__processes *pool, struct cf__process_lane *lane)
{
    uint64_t p = lane->kill_position;
    if (p == CF__ANY_POSITION)
        return false;
    cf__processes_take_back_many(pool, lane, CF__LANE);
    /* pairs with the worker's end of a task */
    uint64_t state = cf_load_acquire(&cf__lane_outcome(lane, p)->state);
    return p < lane->oldest || state == cf__position_state(p, CF__DONE);
}

void
cf__processes_send_due_signal(struct cf__processes *pool,
                              struct cf__process_lane *lane,
                              int64_t now)
{
    if (!lane->kill_at || lane->kill_at > now)
        return;
    if (is_past(pool, lane)) {
        lane->kill_at = 0;
        return;
    }
    int index = (int)(lane - pool->lanes);
    if (!cf__zygote_kill(&pool->zygote, index, lane->kill_signal)) {
        lane->kill_at = now + TRY_AGAIN_NS; /* it has too much to read */
        return;
    }
    /* The signal may come late: nobody else shall be hit by it. */
    lane->doomed = true;
    lane->kill_position = CF__ANY_POSITION;
    lane->kill_at = 0;
    if (lane->kill_signal != SIGKILL) {
        if (!lane->grace_ends_at) /* a second signal grants no second grace */
            lane->grace_ends_at = cf__processes_after_grace(pool, now);
        lane->kill_signal = SIGKILL;
        lane->kill_at = lane->grace_ends_at;
    }
}
