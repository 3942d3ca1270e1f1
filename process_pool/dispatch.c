/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. From the queue to the lanes: which worker
 * gets the next task. Idle workers get one first, then new workers, then
 * workers that will soon need one. So a worker does not wait for the program
 * after each task, and yet has few tasks in hand that another worker could
 * start. Those can be taken back.
 */
#include "process_pool/pool.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/executor/pending.h"
#include "process_pool/deal.h"
#include "process_pool/lock.h"
#include "process_pool/tasks.h"

enum {
    /* A task must run this long before the tasks behind it go to idle
     * workers, */
    STUCK_NS = CF__US(50),
    /* and this long before they go to any worker that has room: a hundred times
     * what its worker then waits for its next task. */
    LONG_NS = CF__MS(2),
    /* A worker that has not come for its next task for this long is missing: it
     * is in its initializer or finalizer, or has still to be forked. */
    MISSING_NS = CF__HEARTBEAT_NS
};

/* --- filling ------------------------------------------------------------- */

static bool
is_idle(const struct cf__processes *pool, const struct cf__process_lane *lane)
{
    return cf__lane_in_hand(lane) == 0 && cf__processes_has_room(pool, lane);
}

/* The lane's worker is in a long task, or has not come for its next one. */
static bool
is_slow(const struct cf__process_lane *lane, int64_t now)
{
    int64_t since = now - lane->progress_at;
    return lane->published > lane->oldest && since >= LONG_NS &&
           (since >= MISSING_NS || cf__lane_has_begun(lane));
}

/* The lane has room, and its worker will soon come to what it is given. */
static bool
has_turns(const struct cf__processes *pool,
          const struct cf__process_lane *lane,
          int64_t now)
{
    return cf__processes_has_room(pool, lane) && !is_slow(lane, now);
}

/* The lane has no worker, and as far as is known one can be forked. */
static bool
may_start(const struct cf__process_lane *lane, int64_t now)
{
    return lane->state == CF__LANE_ABSENT && lane->spawn_at <= now;
}

/* While tasks are queued: takes the tasks back that wait behind slow workers,
 * if other workers have room. They start before what is queued. */
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
        cf__lane_expect(lane, lane->oldest); /* this worker then needs a task */
    }
}

/* Hands a lane that has no worker its first task, and asks for a worker. */
static void
start(struct cf__processes *pool, struct cf__process_lane *lane, int64_t now)
{
    cf__lane_reset(lane);
    uint64_t first = lane->next;
    lane->state = CF__LANE_STAFFED;
    if (cf__processes_hand_one(pool, lane)) {
        cf__lane_publish(lane, now);
        if (cf__zygote_spawn(&pool->zygote, (int)(lane - pool->lanes), first))
            return;
    }
    /* The manager will hear that the zygote has ended, or try again. */
    cf__processes_take_back_many(pool, lane, CF__LANE);
    pool->in_hand -= cf__lane_in_hand(lane);
    lane->oldest = lane->next;
    lane->revoked = 0;
    lane->state = CF__LANE_ABSENT;
}

/* The lanes that take part in dealing, linked by next_in_turn. */
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

/* Tells the worker of the tasks that it was dealt. */
static void
publish(struct cf__processes *pool, struct cf__process_lane *lane, int64_t now)
{
    uint64_t count = lane->next - lane->published;
    /* If no other thread hands out more, the worker rings half way. */
    if (count > 1 && !pool->helped && cf__processes_has_work(pool))
        cf__lane_expect(lane, lane->published + (count - 1) / 2);
    cf__lane_publish(lane, now);
}

/* Hands one task to each worker that has none. false: there were too few tasks,
 * or no memory. Then tasks that are pushed meanwhile are for the idle workers
 * that are left, and no worker is forked for them. */
static bool
occupy_idle(struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (is_idle(pool, lane) && !cf__processes_hand_one(pool, lane))
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
        else
            pool->look_at = cf__sooner(pool->look_at, lane->spawn_at);
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
                cf__processes_deal(pool, lanes_in_turn(pool, now));
        }
    }
    for (int i = 0; i < pool->base.max_workers; i++) {
        struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->next != lane->published)
            publish(pool, lane, now);
    }
}

/* --- evening out --------------------------------------------------------- */

/* The highest priority of a task that waits in the heap or in returned;
 * INT64_MIN: there is none. */
static int64_t
waiting_priority(struct cf__processes *pool)
{
    int64_t heap = cf_load_relaxed(&pool->queue.heap_top); /* a hint */
    int64_t returned = cf__task_heap_top(&pool->returned);
    return heap > returned ? heap : returned;
}

/* If a task of a higher priority waits, takes back the tasks in lanes that
 * would start before it although their priority is lower. */
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

/* What a submit must do. If a lane could start something, it attends. But if an
 * idle worker is still awake and looks for more, it need not: the worker will
 * ring before it sleeps. While the manager is in user code nothing hears that
 * ring, so then no lane counts as awake. */
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
        if (idle || cf__processes_is_spent(pool, lane) ||
            lane->state == CF__LANE_ABSENT)
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

/* When some of the lane's tasks may go to others; CF__NEVER: it has too few.
 * idle: some worker has nothing to do. */
static int64_t
patience_ends_at(const struct cf__process_lane *lane, bool idle)
{
    if (cf__lane_tasks(lane) > 1)
        return lane->progress_at + STUCK_NS;
    if (cf__lane_tasks(lane) == 1 && idle && !cf__lane_has_begun(lane))
        return lane->progress_at + MISSING_NS;
    return CF__NEVER;
}

/* With an empty queue: takes tasks back from the lane that has the most of
 * those that are slow, and hands them out. false: no lane is slow, or not
 * yet. */
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
            pool->look_at = cf__sooner(pool->look_at, at);
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

/* Says whether an idle worker must ring before it sleeps: if something is
 * queued, or a lane has a task that another worker could get. */
static void
update_backlog(struct cf__processes *pool, bool is_queued)
{
    bool backlog = is_queued;
    _Atomic uint32_t *shared = &pool->shared->board->backlog;
    for (int i = 0; i < pool->base.max_workers && !backlog; i++)
        backlog = cf__lane_in_hand(&pool->lanes[i]) > 1;
    /* A submit may set it, too. pairs with may_wait, and with
     * cf__bells_sleep */
    if (cf_load_relaxed(shared) != backlog)
        cf_store_seq_cst(shared, backlog);
}

void
cf__processes_dispatch(struct cf__processes *pool, int64_t now)
{
    cf__assert(cf__processes_is_locked(pool));
    const uint64_t before = pool->taken;
    bool work = true;
    for (int tries = 0; work && tries < 2; tries++) {
        give_way(pool);
        fill_all(pool, now);
        for (int i = 0; i < pool->base.max_workers && even_out(pool, now); i++)
            continue;
        update_backlog(pool, false);
        cf_store_relaxed(&pool->wanting, wanting_of(pool));
        /* pairs with may_wait in submit.c: the submit sees that it must attend
         * or set the backlog, or we see what it has pushed */
        cf__fence_full();
        work = pool->returned.count || cf__queue_missed_work(&pool->queue);
        if (cf_load_relaxed(&pool->wanting) == CF__CONTENT)
            break;
    }
    if (!work)
        return;
    update_backlog(pool, true);
    /* Its submit may have seen a worker awake, and gone. */
    if (cf_load_relaxed(&pool->wanting) != CF__CONTENT && pool->taken != before)
        cf_store_relaxed(&pool->again, 1); /* for unlock_serving */
}
