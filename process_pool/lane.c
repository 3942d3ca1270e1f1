/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. The program's side of a lane: lane.h.
 */
#include "process_pool/lane.h"

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/base/futex.h"
#include "lib/base/prefetch.h"
#include "lib/base/wake_cost.h"
#include "lib/executor/executor.h"

#include <limits.h>

void
cf__lane_init(struct cf__process_lane *lane,
              const struct cf__shared *shared,
              int index)
{
    memset(lane, 0, offsetof(struct cf__process_lane, tasks));
    lane->in = cf__shared_lane_in(shared, index);
    lane->out = cf__shared_lane_out(shared, index);
    lane->outbox = cf__shared_outbox(shared, index);
    lane->outbox_size = shared->outbox_size;
    lane->oldest = lane->next = lane->published = CF__FIRST_POSITION;
}

void
cf__lane_reset(struct cf__process_lane *lane)
{
    uint64_t start = lane->next;
    cf__assert(lane->oldest == start);
    lane->first_lap_end = start + CF__LANE;
    /* All of this is published by the fork of the worker. */
    cf_store_relaxed(&lane->out->asleep, 0);
    cf_store_relaxed(&lane->out->woke_within_ns, 0);
    cf_store_relaxed(&lane->out->requests, 0);
    cf_store_relaxed(&lane->out->pid, 0);
    cf_store_relaxed(&lane->out->ready, 0);
    cf_store_relaxed(&lane->out->init_failure, 0);
    cf_store_relaxed(&lane->in->answers, 0);
    cf_store_relaxed(&lane->in->quit, 0);
    cf_store_relaxed(&lane->in->published, start);
    cf_store_relaxed(&lane->in->collected, start);
    lane->oldest = lane->published = start;
    lane->revoked = 0;
    lane->ran = 0;
    lane->target = 2;
    lane->mark_count = 0;
    lane->lowest = INT64_MAX;
    lane->quitting = lane->condemned = lane->doomed = false;
    lane->kill_at = 0;
    lane->answered = 0;
}

uint64_t
cf__lane_find(const struct cf__process_lane *lane, const cf_future *f)
{
    size_t slot = cf_load_relaxed(&f->base) % CF__LANE; /* under the lock */
    uint64_t at = lane->oldest + (slot - lane->oldest) % CF__LANE;
    return at < lane->next && lane->tasks[slot] == f ? at : UINT64_MAX;
}

/* Writes a task as it travels. */
static void
write_order(struct cf__order *order, const cf_future *f, uint32_t flags)
{
    order->fn = f->fn;
    order->data = NULL;
    order->size = f->arg_size;
    if (__builtin_expect(f->owned & (CF__ARG_POINTER | CF__ARG_HEAP), 0)) {
        memcpy(&order->data, f->arg, sizeof order->data);
        if (f->owned & CF__ARG_HEAP)
            memcpy(&order->size, f->arg + sizeof order->data, sizeof(size_t));
    } else {
        memcpy(order->arg, f->arg, CF__INLINE_SIZE);
    }
    cf_store_relaxed(&order->flags, flags); /* published with the rest */
}

void
cf__lane_add(struct cf__process_lane *lane,
             cf_future *f,
             uint64_t sequence,
             uint32_t flags)
{
    cf__assert(cf__lane_in_hand(lane) < CF__LANE);
    uint64_t p = lane->next++;
    if (p < lane->first_lap_end) /* published with the order */
        cf_store_relaxed(&cf__lane_outcome(lane, p)->state,
                         cf__position_state(p, CF__FREE));
    cf__prefetch_to_write(cf__lane_order(lane, p + CF__AHEAD));
    write_order(cf__lane_order(lane, p), f, flags);
    cf_store_relaxed(&f->base, (uint32_t)p); /* under the lock */
    lane->tasks[p % CF__LANE] = f;
    lane->sequences[p % CF__LANE] = sequence;
    if (cf__priority(f) < lane->lowest)
        lane->lowest = cf__priority(f);
}

void
cf__lane_publish(struct cf__process_lane *lane, int64_t now)
{
    if (lane->published == lane->next)
        return;
    if (lane->published == lane->oldest) /* the worker had nothing to do */
        lane->progress_at = now;
    if (lane->mark_count == 0) {
        lane->mark = lane->next;
        lane->marked_at = now;
        lane->mark_count = (unsigned)cf__lane_in_hand(lane);
    }
    lane->published = lane->next;
    /* pairs with look in worker.c: the orders are whole */
    cf_store_release(&lane->in->published, lane->next);
    cf__lane_nudge(lane, false);
}

bool
cf__lane_is_untaken(const struct cf__process_lane *lane, uint64_t p)
{
    /* pairs with take in worker.c: what the worker did before is seen */
    uint64_t state = cf_load_acquire(&cf__lane_outcome(lane, p)->state);
    return cf__is_untaken(state, p);
}

cf_future *
cf__lane_revoke(struct cf__process_lane *lane, uint64_t p)
{
    cf_future *f = lane->tasks[p % CF__LANE];
    struct cf__outcome *outcome = cf__lane_outcome(lane, p);
    uint64_t state = cf_load_relaxed(&outcome->state); /* the swap checks it */
    /* pairs with take in worker.c: one of both gets the task */
    if (!f || !cf__is_untaken(state, p) ||
        !cf_cas_acq_rel(
            &outcome->state, &state, cf__position_state(p, CF__REVOKED)))
        return NULL;
    lane->tasks[p % CF__LANE] = NULL;
    lane->revoked++;
    return f;
}

void
cf__lane_expect(const struct cf__process_lane *lane, uint64_t p)
{
    /* pairs with run_next in worker.c: the worker sees the flag, or we see the
     * state, which it wrote before it looked */
    cf_fetch_or_seq_cst(&cf__lane_order(lane, p)->flags, CF__ORDER_NOTIFY);
    cf__fence_after_rmw(); /* the state is not loaded before it */
}

void
cf__lane_quit(struct cf__process_lane *lane)
{
    if (lane->quitting)
        return;
    lane->quitting = true;
    /* pairs with must_rise in worker.c */
    cf_store_release(&lane->in->quit, 1);
    cf__lane_nudge(lane, true);
}

void
cf__lane_nudge(const struct cf__process_lane *lane, bool always)
{
    /* pairs with cf__bells_sleep: the worker sees what we did, or we see it
     * asleep */
    cf__fence_full();
    if (!always && !cf_load_relaxed(&lane->out->asleep))
        return;
    cf_store_relaxed(&lane->out->asleep, 0); /* one wake-up is enough */
    /* Hints: how long the wake-up before this one took. */
    cf__wake_cost_learn(cf_load_relaxed(&lane->out->woke_within_ns));
    cf_store_relaxed(&lane->out->woke_within_ns, 0);
    cf_store_relaxed(&lane->in->rung_at, cf__now_ns());
    cf_fetch_add_seq_cst(&lane->in->bell, 1);
    cf__futex_wake_shared(&lane->in->bell, INT_MAX);
}

bool
cf__lane_read_failure(const struct cf__process_lane *lane,
                      uint64_t offset,
                      struct cf__lane_failure *out)
{
    struct cf__wire_failure *wire = &out->wire;
    if (!cf__lane_has(lane, offset, sizeof *wire))
        return false;
    memcpy(wire, lane->outbox + offset, sizeof *wire);
    if (wire->message_size >= sizeof out->message ||
        wire->file_size >= sizeof out->file ||
        !cf__lane_has(
            lane, offset, sizeof *wire + wire->message_size + wire->file_size))
        return false;
    const unsigned char *texts = lane->outbox + offset + sizeof *wire;
    memcpy(out->message, texts, wire->message_size);
    out->message[wire->message_size] = '\0';
    memcpy(out->file, texts + wire->message_size, wire->file_size);
    out->file[wire->file_size] = '\0';
    return true;
}

#ifdef CF_ASSERTIONS
static void
check_task(const struct cf__process_lane *lane, uint64_t p)
{
    const cf_future *f = lane->tasks[p % CF__LANE];
    if (!f)
        return;
    uint64_t word = cf_load_relaxed(&f->word); /* the lane has a handle of it */
    cf__assert((uintptr_t)f % _Alignof(cf_future) == 0);
    cf__assert(word >> 32 != 0);
    cf__assert(word & CF__REMOTE);
    cf__assert(cf_load_relaxed(&f->base) == (uint32_t)p);
    cf__assert(cf__lane_find(lane, f) == p);
}

static void
check_positions(const struct cf__process_lane *lane)
{
    size_t without_task = 0;
    cf__assert(lane->oldest >= CF__FIRST_POSITION);
    cf__assert(lane->oldest <= lane->published);
    cf__assert(lane->published <= lane->next);
    cf__assert(cf__lane_in_hand(lane) <= CF__LANE);
    for (uint64_t p = lane->oldest; p < lane->next; p++) {
        without_task += lane->tasks[p % CF__LANE] == NULL;
        check_task(lane, p);
    }
    cf__assert(lane->revoked == without_task);
}

/* Only the program writes these. What a worker writes is not asserted: a task
 * can overwrite it, and then collect condemns the worker. */
static void
check_shared(const struct cf__process_lane *lane)
{
    cf__assert(cf_load_relaxed(&lane->in->published) == lane->published);
    cf__assert(cf_load_relaxed(&lane->in->collected) == lane->oldest);
    cf__assert(cf_load_relaxed(&lane->in->answers) == lane->answered);
    cf__assert(!cf_load_relaxed(&lane->in->quit) == !lane->quitting);
}
#endif

void
cf__lane_check(const struct cf__process_lane *lane)
{
#ifdef CF_ASSERTIONS
    check_positions(lane);
    cf__assert(lane->failed <= lane->done);
    cf__assert(lane->mark_count == 0 || lane->mark <= lane->next);
    if (lane->state == CF__LANE_STAFFED)
        check_shared(lane);
    else
        cf__assert(cf__lane_in_hand(lane) == 0);
#else
    (void)lane;
#endif
}
