/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. When the manager must look next, and the
 * signals that it sends to workers then.
 */
#include "process_pool/alarm.h"

#include "lib/base/clock.h"
#include "process_pool/lock.h"
#include "process_pool/tasks.h"

#include <signal.h>

/* When the zygote has not read the last kill. */
#define TRY_AGAIN_NS CF__MS(1)

void
cf__processes_ring(struct cf__processes *pool)
{
    cf__assert(cf__processes_is_locked(pool));
    if (!pool->open)
        return; /* in a fork's child: the bell is its parent's */
    if (cf_load_relaxed(&pool->shared->board->sleeps) % 2 == 1)
        /* the manager changes sleeps under this lock, too */
        cf__bell_ring(pool->shared->bell);
}

void
cf__processes_set_alarm(struct cf__processes *pool, int64_t now)
{
    cf__assert(cf__processes_is_locked(pool));
    int64_t at = pool->look_at;
    if (cf__processes_has_tasks_out(pool))
        at = cf__sooner(at, now + CF__HEARTBEAT_NS);
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
    cf__assert(cf__processes_is_locked(pool));
    if (lane->state != CF__LANE_STAFFED)
        return;
    /* A signal that is due earlier stands, if it is for the same position or
     * for any; but nothing stands in the way of SIGKILL. At most one task runs,
     * so a record for another position is past. */
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

/* The task that the signal is for no longer runs. If it still does, no other
 * task will start before the signal comes: all tasks that wait behind it are
 * taken back. */
static bool
is_past(struct cf__processes *pool, struct cf__process_lane *lane)
{
    uint64_t p = lane->kill_position;
    if (p == CF__ANY_POSITION)
        return false;
    cf__processes_take_back_many(pool, lane, CF__LANE);
    /* pairs with run_next in worker.c */
    uint64_t state = cf_load_acquire(&cf__lane_outcome(lane, p)->state);
    return p < lane->oldest || state == cf__position_state(p, CF__DONE);
}

void
cf__processes_send_due_signal(struct cf__processes *pool,
                              struct cf__process_lane *lane,
                              int64_t now)
{
    cf__assert(cf__processes_is_locked(pool));
    if (!lane->kill_at || lane->kill_at > now)
        return;
    if (is_past(pool, lane)) {
        lane->kill_at = 0;
        return;
    }
    int index = (int)(lane - pool->lanes);
    if (!cf__zygote_kill(&pool->zygote, index, lane->kill_signal)) {
        /* the zygote has not read the last one */
        lane->kill_at = now + TRY_AGAIN_NS;
        return;
    }
    /* The signal may arrive late: it must hit no task that starts after this
     * one. */
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
