/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. From the queue to the lanes: which worker
 * gets the next task. First the idle workers, then new ones, then those that
 * will need something soon. So a worker does not wait for the program after
 * each task, but has little in hand that another one could start; and what it
 * has not started can be taken back.
 */
#include "process_pool/pool.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/executor/pending.h"
#include "process_pool/tasks.h"

enum {
    /* So long must a task run, for what waits behind it to be given to idle
     * workers, */
    STUCK_NS = 50000,
    /* and so long, for that to be given to any: a hundred times what its worker
     * then waits for the next one. */
    LONG_NS = 2000000,
    /* So long may a worker not come for its next task: it is in its initializer
     * or finalizer, or has still to be forked. */
    MISSING_NS = CF__HEARTBEAT_NS
};

/* --- dealing ------------------------------------------------------------- */

static uint32_t
flags_of(const struct cf__processes *pool, const cf_future *f)
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
hand_one(struct cf__processes *pool, struct cf__process_lane *lane)
{
    int index = (int)(lane - pool->lanes);
    /* Whatever is handed out can come back. */
    if (!cf__returned_reserve(&pool->returned,
                              pool->returned.count + pool->in_hand + 1))
        return false;
    for (;;) {
        uint64_t sequence;
        cf_future *f = cf__processes_next(pool, &sequence);
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

/* The lane is empty and its worker has run its number: it is about to end, and
 * nobody follows. If somebody does after all, he sleeps soon. */
static bool
is_spent(const struct cf__processes *pool, const struct cf__process_lane *lane)
{
    size_t most = pool->setup.options.max_tasks_per_worker;
    return most && cf__lane_in_hand(lane) == 0 && lane->ran &&
           lane->ran % most == 0 &&
           !cf_load_relaxed(&lane->out->asleep); /* a hint */
}

/* The lane may be given one more task. */
static bool
has_room(const struct cf__processes *pool, const struct cf__process_lane *lane)
{
    size_t target = pool->base.bound ? 1 : lane->target;
    return lane->state == CF__LANE_STAFFED && !lane->quitting &&
           !lane->condemned && !lane->doomed &&
           cf__lane_in_hand(lane) < target && !is_spent(pool, lane);
}

static bool
is_idle(const struct cf__processes *pool, const struct cf__process_lane *lane)
{
    return cf__lane_in_hand(lane) == 0 && has_room(pool, lane);
}

/* The lane's worker is in a long task, or misses the next one. */
static bool
is_slow(const struct cf__process_lane *lane, int64_t now)
{
    int64_t since = now - lane->progress_at;
    return lane->published > lane->oldest && since >= LONG_NS &&
           (since >= MISSING_NS || cf__lane_has_begun(lane));
}

/* The lane has room, and its worker will come to what it is given. */
static bool
has_turns(const struct cf__processes *pool,
          const struct cf__process_lane *lane,
          int64_t now)
{
    return has_room(pool, lane) && !is_slow(lane, now);
}

/* The lane has no worker, and one can be had, for all that is known. */
static bool
may_start(const struct cf__process_lane *lane, int64_t now)
{
    return lane->state == CF__LANE_ABSENT && lane->spawn_at <= now;
}

/* While something is queued: what waits for slow workers goes back, to start
 * first, if others have room. */
static void
recall_from_slow(struct cf__processes *pool, int64_t now)
{
    const int lanes = pool->base.max_workers;
    bool room = false;
    for (int i = 0; i < lanes && !room; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        room = may_start(lane, now) || has_turns(pool, lane, now);
    }
    for (int i = 0; i < lanes; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (!is_slow(lane, now))
            continue;
        if (room)
            cf__processes_take_back_many(pool, lane, CF__LANE);
        cf__lane_expect(lane, lane->oldest); /* then it needs another one */
    }
}

/* The next task, and a worker, for a lane that has none. */
static void
start(struct cf__processes *pool, struct cf__process_lane *lane, int64_t now)
{
    cf__lane_reset(lane);
    uint64_t first = lane->next;
    lane->state = CF__LANE_STAFFED;
    if (hand_one(pool, lane)) {
        cf__lane_publish(lane, now);
        if (cf__zygote_spawn(&pool->zygote, (int)(lane - pool->lanes), first))
            return;
    }
    /* The manager will hear of the zygote's end, or try again. */
    cf__processes_take_back_many(pool, lane, CF__LANE);
    pool->in_hand -= cf__lane_in_hand(lane);
    lane->oldest = lane->next;
    lane->revoked = 0;
    lane->state = CF__LANE_ABSENT;
}

/* The lanes that have turns, linked by next_in_turn. */
static struct cf__process_lane *
lanes_in_turn(struct cf__processes *pool, int64_t now)
{
    struct cf__process_lane *first = NULL, **end = &first;
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (has_turns(pool, lane, now)) {
            *end = lane;
            end = &lane->next_in_turn;
        }
    }
    *end = NULL;
    return first;
}

/* In turns, one task each: so large tasks that follow each other go to
 * different workers. */
static void
deal(struct cf__processes *pool, int64_t now)
{
    struct cf__process_lane *first = lanes_in_turn(pool, now);
    struct cf__process_lane **turn = &first;
    while (first && hand_one(pool, *turn)) {
        struct cf__process_lane *lane = *turn;
        if (has_room(pool, lane))
            turn = &lane->next_in_turn;
        else
            *turn = lane->next_in_turn;
        if (!*turn)
            turn = &first;
    }
}

/* Tells the worker of what it was dealt. */
static void
publish(struct cf__processes *pool, struct cf__process_lane *lane, int64_t now)
{
    uint64_t count = lane->next - lane->published;
    /* If nobody else hands out more, half way is the time. */
    if (count > 1 && !pool->helped && cf__processes_has_work(pool))
        cf__lane_expect(lane, lane->published + (count - 1) / 2);
    cf__lane_publish(lane, now);
}

/* Each worker that has nothing to do gets a task. false: there were not so
 * many, or no memory. Then what comes in the meantime is for those that are
 * left: nobody else is started for it. */
static bool
occupy_idle(struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (is_idle(pool, lane) && !hand_one(pool, lane))
            return false;
    }
    return true;
}

static void
start_absent(struct cf__processes *pool, int64_t now)
{
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->state != CF__LANE_ABSENT || !cf__processes_has_work(pool))
            continue;
        if (may_start(lane, now))
            start(pool, lane, now);
        else if (lane->spawn_at < pool->look_at)
            pool->look_at = lane->spawn_at;
    }
}

static void
fill_all(struct cf__processes *pool, int64_t now)
{
    if (cf__processes_has_work(pool)) {
        recall_from_slow(pool, now);
        if (occupy_idle(pool)) {
            start_absent(pool, now);
            if (cf__processes_has_work(pool))
                deal(pool, now);
        }
    }
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->next != lane->published)
            publish(pool, lane, now);
    }
}

/* --- evening out --------------------------------------------------------- */

/* The highest priority that waits; INT64_MIN: nothing does, or only what has
 * none. */
static int64_t
waiting_priority(struct cf__processes *pool)
{
    int64_t heap = cf_load_relaxed(&pool->queue.heap_top); /* a hint */
    int64_t returned = cf__returned_top(&pool->returned);
    return heap > returned ? heap : returned;
}

/* What is in the lanes and would start after something of a higher priority
 * goes back. */
static void
give_way(struct cf__processes *pool)
{
    int64_t top = waiting_priority(pool);
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->lowest < top) {
            cf__processes_take_back_many(pool, lane, CF__LANE);
            lane->lowest = INT64_MAX;
        }
    }
}

/* What submits shall do: attend, if a lane could start something; but none
 * need do if an idle worker is still looking for more: it will ring. While user
 * code has the manager, nobody would hear it. */
static uint32_t
wanting_of(const struct cf__processes *pool)
{
    uint32_t wanting = CF__CONTENT;
    for (int i = 0; i < pool->base.max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        bool idle = is_idle(pool, lane);
        if (idle && !pool->finishing &&
            !cf_load_relaxed(&lane->out->asleep)) /* a hint */
            return CF__AWAKE + (uint32_t)i;
        if (idle || is_spent(pool, lane) || lane->state == CF__LANE_ABSENT)
            wanting = CF__EAGER;
    }
    return wanting;
}

static bool
any_idle(const struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++)
        if (is_idle(pool, &pool->lanes[i]))
            return true;
    return false;
}

/* When a part of what the lane has may be given to others; CF__NEVER: it has
 * too little. idle: a worker has nothing to do. */
static int64_t
patience_ends_at(const struct cf__process_lane *lane, bool idle)
{
    if (cf__lane_tasks(lane) > 1)
        return lane->progress_at + STUCK_NS;
    if (cf__lane_tasks(lane) == 1 && idle && !cf__lane_has_begun(lane))
        return lane->progress_at + MISSING_NS;
    return CF__NEVER;
}

/* Nothing is queued: who has nothing to do gets what waits for a slow worker.
 * false: there is no such thing, or not yet. */
static bool
even_out(struct cf__processes *pool, int64_t now)
{
    if (cf__processes_has_work(pool) || wanting_of(pool) == CF__CONTENT)
        return false;
    bool idle = any_idle(pool);
    struct cf__process_lane *longest = NULL;
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        int64_t at = patience_ends_at(lane, idle);
        if (at > now)
            pool->look_at = at < pool->look_at ? at : pool->look_at;
        else if (!longest || cf__lane_tasks(lane) > cf__lane_tasks(longest))
            longest = lane;
    }
    if (!longest)
        return false;
    size_t half = cf__lane_tasks(longest) / 2;
    cf__processes_take_back_many(pool, longest, half ? half : 1);
    if (!pool->returned.count)
        return false;
    fill_all(pool, now);
    return true;
}

/* Says whether an idle worker shall ring before it sleeps. */
static void
update_backlog(struct cf__processes *pool, bool is_queued)
{
    bool backlog = is_queued;
    _Atomic uint32_t *shared = &pool->shared->board->backlog;
    for (int i = 0; i < pool->base.max_workers && !backlog; i++)
        backlog = cf__lane_in_hand(&pool->lanes[i]) > 1;
    /* Submits may set it, too. pairs with them, and with cf__bells_sleep */
    if (cf_load_relaxed(shared) != backlog)
        cf_store_seq_cst(shared, backlog);
}

void
cf__processes_dispatch(struct cf__processes *pool, int64_t now)
{
    const uint64_t before = pool->taken;
    bool work = true;
    for (int tries = 0; work && tries < 2; tries++) {
        give_way(pool);
        fill_all(pool, now);
        for (int i = 0; i < pool->base.max_workers && even_out(pool, now); i++)
            continue;
        update_backlog(pool, false);
        cf_store_relaxed(&pool->wanting, wanting_of(pool));
        /* pairs with submit: it sees that it must attend or set the backlog,
         * or we see what it has pushed */
        cf__fence_full();
        work = cf__processes_has_work(pool);
        if (cf_load_relaxed(&pool->wanting) == CF__CONTENT)
            break;
    }
    if (!work)
        return;
    update_backlog(pool, true);
    /* Who pushed it may have seen a worker awake, and left. */
    if (cf_load_relaxed(&pool->wanting) != CF__CONTENT && pool->taken != before)
        cf_store_relaxed(&pool->again, 1); /* for the unlock */
}
