/* SPDX-License-Identifier: MIT */
/*
 * From the queue to the lanes: who gets the next task. Idle workers first,
 * then new ones, then those who will need something soon; so that a worker
 * does not wait for the program after each task, but little is in its hands
 * that another could start. What is, can be taken back.
 */
#include "process_pool/pool.h"

#include "lib/clock.h"
#include "lib/fence.h"

enum {
    STUCK_NS = 50000 /* so long must a lane make no progress, for what waits
                        there to be given to idle workers */
};

/* --- the next task ------------------------------------------------------- */

/* The highest priority that waits; INT64_MIN: nothing does, or only what has
 * none. */
static int64_t
waiting_priority(struct cf__process_pool *pool)
{
    int64_t heap = cf_load_relaxed(&pool->queue.heap_top); /* a hint */
    int64_t returned = cf__returned_top(&pool->returned);
    return heap > returned ? heap : returned;
}

/* The next task to start, which the caller owns the queue's handle of. NULL:
 * none. sequence: 0 if it has not been handed out before. */
static cf_future *
next_task(struct cf__process_pool *pool, uint64_t *sequence)
{
    int64_t returned = cf__returned_top(&pool->returned);
    int64_t heap = cf_load_relaxed(&pool->queue.heap_top); /* a hint */
    cf_future *f = NULL;
    *sequence = 0;
    if (returned < 0 || returned < heap) {
        f = cf__queue_take_prioritized(&pool->queue, true);
        if (!f && returned < 0)
            f = cf__queue_take(&pool->queue);
        if (!f && returned < heap)
            f = cf__queue_take_prioritized(&pool->queue, false);
        pool->taken += f != NULL;
        if (f || returned == INT64_MIN)
            return f;
    }
    pool->taken++;
    struct cf__returned_task task = cf__returned_take(&pool->returned);
    *sequence = task.sequence;
    return task.f;
}

bool
cf__process_pool_take_back_locked(struct cf__process_pool *pool,
                                  struct cf__process_lane *lane,
                                  uint64_t position)
{
    cf_future *f = cf__lane_revoke(lane, position);
    if (!f)
        return false;
    uint64_t sequence = lane->sequences[position % CF__LANE];
    if (cf__future_unclaim(f))
        cf__returned_add(&pool->returned, f, sequence);
    else
        cf__future_drop_stale(f); /* done by its timeout */
    return true;
}

/* Takes back up to count tasks that a lane's worker has not started. */
static void
take_back(struct cf__process_pool *pool,
          struct cf__process_lane *lane,
          size_t count)
{
    for (uint64_t p = lane->oldest; p < lane->next && count > 0; p++)
        count -= cf__process_pool_take_back_locked(pool, lane, p);
}

void
cf__process_pool_empty_lane_locked(struct cf__process_pool *pool,
                                   struct cf__process_lane *lane)
{
    take_back(pool, lane, CF__LANE);
}

cf_future *
cf__process_pool_take_all_locked(struct cf__process_pool *pool)
{
    uint64_t sequence;
    cf_future *first = NULL, *last = NULL, *f;
    for (int i = 0; i < pool->base.max_workers; i++)
        take_back(pool, &pool->lanes[i], CF__LANE);
    while ((f = next_task(pool, &sequence)) != NULL) {
        cf_store_relaxed(&f->next, NULL); /* out of the queue, and ours */
        if (last)
            cf_store_relaxed(&last->next, f);
        else
            first = f;
        last = f;
    }
    return first;
}

/* --- filling ------------------------------------------------------------- */

static uint32_t
flags_of(const struct cf__process_pool *pool, const cf_future *f)
{
    uint64_t word = cf_load_relaxed(&f->word); /* who comes later, expects */
    uint32_t flags = 0;
    if (word & (CF__SLEEPER | CF__WAITERS) || pool->base.bound)
        flags |= CF__ORDER_NOTIFY;
    if (word & CF__INTERRUPT)
        flags |= CF__ORDER_STOP;
    if (f->attributes && f->attributes->arg_free)
        flags |= CF__ORDER_NOTIFY;
    if (f->attributes && f->attributes->timeout_ns)
        flags |= CF__ORDER_TIMED;
    return flags;
}

/* Hands the lane one task; false: there is none. */
static bool
hand_one(struct cf__process_pool *pool, struct cf__process_lane *lane)
{
    int index = (int)(lane - pool->lanes);
    for (;;) {
        uint64_t sequence;
        cf_future *f = next_task(pool, &sequence);
        if (!f)
            return false;
        if (__builtin_expect(!cf__future_claim(f, index), 0)) {
            cf__future_drop_stale(f);
            continue;
        }
        uint32_t flags = flags_of(pool, f);
        cf__lane_add(lane, f, sequence ? sequence : ++pool->sequence, flags);
        pool->in_hand++;
        if (flags & CF__ORDER_TIMED)
            cf__timers_start(pool->base.timers, f);
        return true;
    }
}

/* How many tasks the lane may be given now. */
static size_t
room_of(const struct cf__process_pool *pool,
        const struct cf__process_lane *lane)
{
    size_t depth = pool->base.bound ? 1 : lane->depth;
    size_t most = pool->setup.options.max_tasks_per_worker;
    if (lane->state != CF__LANE_SERVED || lane->quitting || lane->condemned ||
        lane->doomed || cf__lane_in_hand(lane) >= depth)
        return 0;
    size_t room = depth - cf__lane_in_hand(lane);
    if (most && room > most - lane->handed)
        room = most - lane->handed;
    return room;
}

static bool
has_work(struct cf__process_pool *pool)
{
    return pool->returned.count || cf__queue_has_work(&pool->queue);
}

/* Up to share tasks for a lane, and the word to its worker. */
static void
fill(struct cf__process_pool *pool,
     struct cf__process_lane *lane,
     size_t share,
     int64_t now)
{
    size_t room = room_of(pool, lane);
    room = room < share ? room : share;
    /* Whatever is handed out can come back. */
    if (!cf__returned_reserve(&pool->returned,
                              pool->returned.count + pool->in_hand + room))
        return;
    uint64_t first = lane->next;
    while (room > 0 && hand_one(pool, lane))
        room--;
    /* If nobody else hands out more, half way is the time. */
    if (lane->next - first > 1 && !pool->helped && has_work(pool))
        cf__lane_expect(lane, first + (lane->next - first) / 2);
    cf__lane_publish(lane, now);
}

static bool
is_idle(const struct cf__process_pool *pool,
        const struct cf__process_lane *lane)
{
    return cf__lane_in_hand(lane) == 0 && room_of(pool, lane) > 0;
}

/* Up to share tasks for a lane that has no worker, and a worker. */
static void
start(struct cf__process_pool *pool,
      struct cf__process_lane *lane,
      size_t share,
      int64_t now)
{
    if (lane->state != CF__LANE_ABSENT)
        return;
    cf__lane_reset(lane);
    uint64_t first = lane->next;
    lane->state = CF__LANE_SERVED;
    fill(pool, lane, share, now);
    if (lane->next != first &&
        cf__zygote_spawn(&pool->zygote, (int)(lane - pool->lanes), first))
        return;
    /* The manager will hear of the zygote's end, or try again. */
    take_back(pool, lane, CF__LANE);
    pool->in_hand -= cf__lane_in_hand(lane);
    lane->oldest = lane->next;
    lane->state = CF__LANE_ABSENT;
}

/* A fair part of what is queued; at least 1. */
static size_t
share_of(struct cf__process_pool *pool)
{
    uint32_t queued =
        cf__queue_pushed(&pool->queue) - cf__queue_next_place(&pool->queue);
    size_t lanes = (size_t)pool->base.max_workers;
    size_t all = queued + pool->returned.count;
    return all ? (all + lanes - 1) / lanes : 1;
}

static void
fill_all(struct cf__process_pool *pool, int64_t now)
{
    const int lanes = pool->base.max_workers;
    size_t share = share_of(pool);
    for (int i = 0; i < lanes && has_work(pool); i++)
        if (is_idle(pool, &pool->lanes[i]))
            fill(pool, &pool->lanes[i], share, now);
    for (int i = 0; i < lanes && has_work(pool); i++)
        start(pool, &pool->lanes[i], share, now);
    for (int i = 0; i < lanes && has_work(pool); i++)
        fill(pool, &pool->lanes[i], CF__LANE, now);
}

/* --- evening out --------------------------------------------------------- */

/* What is in the lanes and would start after something of a higher priority
 * goes back. */
static void
give_way(struct cf__process_pool *pool)
{
    int64_t top = waiting_priority(pool);
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->lowest < top) {
            take_back(pool, lane, CF__LANE);
            lane->lowest = INT64_MAX;
        }
    }
}

/* What submits shall do: attend, if a lane could start something; but none
 * need do if an idle worker is still looking for more: it will ring. While user
 * code has the manager, nobody would hear it. */
static uint32_t
wanting_of(const struct cf__process_pool *pool)
{
    uint32_t wanting = CF__CONTENT;
    for (int i = 0; i < pool->base.max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        bool idle = is_idle(pool, lane);
        if (idle && !pool->finishing &&
            !cf_load_relaxed(&lane->out->asleep)) /* a hint */
            return CF__AWAKE + (uint32_t)i;
        if (idle || lane->state == CF__LANE_ABSENT)
            wanting = CF__EAGER;
    }
    return wanting;
}

/* Nothing is queued: an idle worker gets what waits behind a long task. false:
 * there is no such thing, or not yet. */
static bool
even_out(struct cf__process_pool *pool, int64_t now)
{
    if (has_work(pool) || wanting_of(pool) == CF__CONTENT)
        return false;
    struct cf__process_lane *longest = NULL;
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (cf__lane_tasks(lane) < 2)
            continue;
        if (now - lane->progress_at < STUCK_NS) {
            if (lane->progress_at + STUCK_NS < pool->look_at)
                pool->look_at = lane->progress_at + STUCK_NS;
            continue;
        }
        if (!longest || cf__lane_tasks(lane) > cf__lane_tasks(longest))
            longest = lane;
    }
    if (!longest)
        return false;
    take_back(pool, longest, cf__lane_tasks(longest) / 2);
    if (!pool->returned.count)
        return false;
    fill_all(pool, now);
    return true;
}

/* Says whether an idle worker shall ring before it sleeps. */
static void
set_backlog(struct cf__process_pool *pool, bool backlog)
{
    _Atomic uint32_t *shared = &pool->shared->board->backlog;
    for (int i = 0; i < pool->base.max_workers && !backlog; i++)
        backlog = cf__lane_in_hand(&pool->lanes[i]) > 1;
    if (cf_load_relaxed(shared) != backlog)
        cf_store_relaxed(shared, backlog); /* submits may set it, too */
}

void
cf__process_pool_dispatch_locked(struct cf__process_pool *pool, int64_t now)
{
    const uint64_t before = pool->taken;
    bool work = true;
    for (int tries = 0; work && tries < 2; tries++) {
        give_way(pool);
        fill_all(pool, now);
        for (int i = 0; i < pool->base.max_workers && even_out(pool, now); i++)
            continue;
        set_backlog(pool, false);
        cf_store_relaxed(&pool->wanting, wanting_of(pool));
        /* pairs with submit: it sees that it must attend or set the backlog,
         * or we see what it has pushed */
        cf__fence_full();
        work = has_work(pool);
        if (cf_load_relaxed(&pool->wanting) == CF__CONTENT)
            break;
    }
    if (!work)
        return;
    set_backlog(pool, true);
    /* Who pushed it may have seen a worker awake, and left. */
    if (cf_load_relaxed(&pool->wanting) != CF__CONTENT && pool->taken != before)
        cf_store_relaxed(&pool->again, 1); /* for the unlock */
}
