/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. How tasks come from the queue into lanes:
 * see deal.h. Tasks that no others precede are taken from the queue several
 * together, for one compare-and-swap.
 */
#include "process_pool/deal.h"

#include "lib/executor/pending.h"
#include "process_pool/lock.h"
#include "process_pool/tasks.h"

enum { RUN = 32 /* tasks that are taken together, at most */ };

static uint32_t
flags_of(const struct cf__processes *pool, const cf_future *f)
{
    /* a waiter that comes later calls expect */
    uint64_t word = cf_load_relaxed(&f->word);
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

/* Makes sure that count tasks more, once they are handed out, can come back. */
static bool
reserve(struct cf__processes *pool, size_t count)
{
    return cf__task_heap_reserve(&pool->returned,
                                 pool->returned.count + pool->in_hand + count);
}

/* Hands a task, of which the caller has the queue's handle, to the lane.
 * sequence: 0 if it has never been handed out. false: it was no longer pending,
 * and is dropped. */
static inline bool
hand(struct cf__processes *pool,
     struct cf__process_lane *lane,
     cf_future *f,
     uint64_t sequence)
{
    if (__builtin_expect(!cf__future_claim(f, (int)(lane - pool->lanes)), 0)) {
        cf__future_drop_stale(f);
        return false;
    }
    uint32_t flags = flags_of(pool, f);
    cf__lane_add(lane, f, sequence ? sequence : ++pool->sequence, flags);
    pool->in_hand++;
    if (flags & CF__ORDER_TIMED)
        cf__timers_start(pool->base.timers, f);
    return true;
}

bool
cf__processes_hand_one(struct cf__processes *pool,
                       struct cf__process_lane *lane)
{
    cf__assert(cf__processes_is_locked(pool));
    if (!reserve(pool, 1))
        return false;
    for (;;) {
        uint64_t sequence;
        cf_future *f = cf__processes_next(pool, &sequence);
        if (!f)
            return false;
        if (hand(pool, lane, f, sequence))
            return true;
    }
}

bool
cf__processes_is_spent(const struct cf__processes *pool,
                       const struct cf__process_lane *lane)
{
    size_t most = pool->setup.options.max_tasks_per_worker;
    return most && cf__lane_in_hand(lane) == 0 && lane->ran &&
           lane->ran % most == 0 &&
           !cf_load_relaxed(&lane->out->asleep); /* a hint */
}

/* How many more tasks the lane may be given. */
static inline size_t
room_of(const struct cf__processes *pool, const struct cf__process_lane *lane)
{
    size_t target = pool->base.bound ? 1 : lane->target;
    size_t in_hand = cf__lane_in_hand(lane);
    bool open = lane->state == CF__LANE_STAFFED && !lane->quitting &&
                !lane->condemned && !lane->doomed;
    return open && in_hand < target && !cf__processes_is_spent(pool, lane)
               ? target - in_hand
               : 0;
}

bool
cf__processes_has_room(const struct cf__processes *pool,
                       const struct cf__process_lane *lane)
{
    return room_of(pool, lane) > 0;
}

/* The lanes to which tasks are dealt: first, and those linked behind it, one
 * task to each in turn. So large tasks that follow each other go to different
 * workers. */
struct dealing {
    struct cf__process_lane *first, **turn;
};

/* The lane whose turn it is has got a task: the next one's turn comes. */
static inline void
end_turn(const struct cf__processes *pool, struct dealing *dealing)
{
    struct cf__process_lane *lane = *dealing->turn;
    /* NOLINTBEGIN(clang-analyzer-core.NullDereference): deal_run asserts that
     * there is a lane */
    if (cf__processes_has_room(pool, lane))
        dealing->turn = &lane->next_in_turn;
    else
        *dealing->turn = lane->next_in_turn;
    if (!*dealing->turn)
        dealing->turn = &dealing->first;
    /* NOLINTEND(clang-analyzer-core.NullDereference) */
}

/* How many tasks the lanes in turn have room for, up to RUN. */
static size_t
room_for_run(const struct cf__processes *pool, const struct dealing *dealing)
{
    size_t room = 0;
    for (const struct cf__process_lane *lane = dealing->first;
         lane && room < RUN;
         lane = lane->next_in_turn)
        room += room_of(pool, lane);
    return room < RUN ? room : RUN;
}

/* Deals tasks that are taken from the queue together, where no others come
 * before them. false: there are none, or no memory. */
static bool
deal_run(struct cf__processes *pool, struct dealing *dealing)
{
    cf_future *run[RUN];
    size_t most = room_for_run(pool, dealing);
    if (pool->returned.count || !reserve(pool, most) ||
        cf__queue_has_prioritized(&pool->queue, true))
        return false;
    size_t count = cf__queue_take_run(&pool->queue, run, most);
    pool->taken += count;
    for (size_t i = 0; i < count; i++) {
        cf__assert(dealing->first); /* there is room for all of the run */
        if (hand(pool, *dealing->turn, run[i], 0))
            end_turn(pool, dealing);
    }
    return count > 0;
}

void
cf__processes_deal(struct cf__processes *pool, struct cf__process_lane *first)
{
    struct dealing dealing = {.first = first};
    cf__assert(cf__processes_is_locked(pool));
    dealing.turn = &dealing.first;
    while (dealing.first) {
        if (deal_run(pool, &dealing))
            continue;
        if (!cf__processes_hand_one(pool, *dealing.turn))
            break;
        end_turn(pool, &dealing);
    }
}
