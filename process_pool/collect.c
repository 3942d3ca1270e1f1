/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. From a lane's outcomes to futures. A task
 * that went astray may have written anything into what is read here. So each
 * field is read once, checked, and then used.
 */
#include "process_pool/collect.h"

#include "lib/base/clock.h"
#include "lib/base/forked.h"
#include "lib/base/observer.h"
#include "lib/base/wake_cost.h"
#include "lib/executor/argument.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "process_pool/alarm.h"
#include "process_pool/lock.h"

#include <signal.h>
#include <stdlib.h>

enum {
    TARGET_WAKES = 16, /* work in hand, in wake-ups: the worker rings half way,
                          and the manager needs one wake-up to come */
    STARVED_NS =
        CF__MS(1), /* a worker with longer tasks did not run dry for want
                             of wake-ups */
    TARGET_MAX = CF__LANE / 2,
    TARGET_MIN = 2
};

/* This long after its last task a pool gives free memory back. */
#define TRIM_NS CF__S(1)

/* --- results ------------------------------------------------------------- */

static void
give_back(void *owner, void *block)
{
    struct cf__shared *shared = owner;
    if (shared->generation != cf__generation_now())
        return; /* in a fork's child the vault is the parent's */
    (void)cf__arena_free(&shared->vault, block);
    cf__shared_release(shared);
}

/* The record of f's failure without a text. */
static cf_error
plain_failure(const struct cf__processes *pool,
              const struct cf__process_lane *lane,
              const cf_future *f,
              cf_err kind)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = kind;
    error.name = cf__name(f);
    error.worker = (int)(lane - pool->lanes);
    error.pid = cf_load_relaxed(&lane->out->pid); /* for people to read */
    return error;
}

/* Copies a result to where no worker can write: a large one to the vault, as
 * long as that has room, others to the heap. false: no memory. */
static bool
copy_result(struct cf__shared *shared,
            cf_future *f,
            const unsigned char *from,
            size_t size)
{
    void *copy = size > CF__SMALL_RESULT
                     ? cf__arena_alloc_to_fill(&shared->vault, size)
                     : NULL;
    bool in_vault = copy != NULL;
    if (!copy)
        copy = malloc(size);
    if (!copy)
        return false;
    memcpy(copy, from, size);
    if (in_vault) {
        struct cf__lent lent = {copy, size, give_back, shared};
        /* not 0: the pool is a user, too */
        cf_fetch_add_relaxed(&shared->users, 1);
        cf__future_store_lent(f, &lent);
    } else {
        cf__future_store_result(f, copy, size);
    }
    return true;
}

static bool
take_outbox(const struct cf__processes *pool,
            const struct cf__process_lane *lane,
            cf_future *f,
            uint64_t offset,
            uint64_t size,
            uint64_t *flags)
{
    if (!cf__lane_has(lane, offset, size))
        return false;
    if (copy_result(pool->shared, f, lane->outbox + offset, (size_t)size))
        return true;
    cf_error error = plain_failure(pool, lane, f, CF_ETASK);
    error.message = "no memory for the result";
    error.code = CF_ENOMEM;
    cf__future_store_error(f, cf__failure_new(&error));
    *flags = CF__FAILED;
    return true;
}

/* A task that fails after it was interrupted or terminated counts as
 * cancelled. */
static cf_err
kind_of_failure(const cf_future *f, cf_err kind)
{
    return cf__was_stopped(f->executor, f) ? CF_ECANCELED : kind;
}

/* kind: how the worker has packed the failure. */
static bool
take_failure(const struct cf__processes *pool,
             const struct cf__process_lane *lane,
             cf_future *f,
             uint32_t kind,
             uint64_t offset,
             const struct cf__outcome *outcome)
{
    struct cf__lane_failure failure;
    failure.message[0] = failure.file[0] = '\0';
    if (kind == CF__AS_BARE_FAILURE)
        memcpy(&failure.wire, outcome->data, sizeof failure.wire);
    else if (kind != CF__AS_FAILURE ||
             !cf__lane_read_failure(lane, offset, &failure))
        return false;
    cf_error error = plain_failure(pool, lane, f, kind_of_failure(f, CF_ETASK));
    cf__lane_describe(&failure, &error);
    cf__future_store_error(f, cf__failure_new(&error));
    return true;
}

/* Moves an outcome into its future. false: no worker writes such an outcome. */
static bool
take_outcome(struct cf__processes *pool,
             struct cf__process_lane *lane,
             cf_future *f,
             const struct cf__outcome *outcome,
             uint64_t *flags)
{
    /* All three were published by the state. */
    uint32_t kind = cf_load_relaxed(&outcome->kind);
    uint64_t size = cf_load_relaxed(&outcome->size);
    uint64_t offset = cf_load_relaxed(&outcome->offset);
    if (__builtin_expect(kind == CF__IN_PLACE, 1)) {
        if (size > CF__INLINE_SIZE)
            return false;
        memcpy(f->result, outcome->data, CF__INLINE_SIZE);
        f->result_size = (uint8_t)size;
        return true;
    }
    if (kind == CF__IN_OUTBOX)
        return take_outbox(pool, lane, f, offset, size, flags);
    *flags = CF__FAILED;
    return take_failure(pool, lane, f, kind, offset, outcome);
}

/* --- ends ---------------------------------------------------------------- */

/* Leaves f, with its outcome in it, to the manager, because user code must be
 * called. */
static void
defer(struct cf__processes *pool, cf_future *f, uint64_t flags)
{
    cf_store_relaxed(&f->base, (uint32_t)flags); /* under the lock */
    cf_store_relaxed(&f->next, NULL);
    if (pool->deferred)
        cf_store_relaxed(&pool->deferred_last->next, f);
    else
        pool->deferred = f;
    pool->deferred_last = f;
    cf__processes_ring(pool);
}

/* f has left its lane and has its outcome: completes f, or defers that. */
static inline void
end_task(struct cf__processes *pool,
         struct cf__process_lane *lane,
         cf_future *f,
         uint64_t flags)
{
    lane->done++;
    cf__observer_release(f);
    /* A task that has outrun its timeout has failed, whatever it returned. */
    if (flags || cf_load_relaxed(&f->word) & CF__COMPLETING)
        lane->failed++;
    if (__builtin_expect(f->attributes != NULL, 0)) {
        if (f->attributes->timeout_ns)
            cf__timers_stop(pool->base.timers, f);
        if (f->attributes->arg_free) {
            defer(pool, f, flags);
            return;
        }
    }
    if (__builtin_expect(f->owned & CF__ARG_HEAP, 0)) {
        cf__future_release_arg(f);
        f->owned &= (uint16_t)~CF__ARG_HEAP;
    }
    if (__builtin_expect(!cf__future_finish_unwatched(f, flags), 0))
        defer(pool, f, flags);
}

void
cf__processes_fail(struct cf__processes *pool,
                   struct cf__process_lane *lane,
                   cf_future *f,
                   const cf_error *error)
{
    cf__assert(cf__processes_is_locked(pool));
    cf_error mine = *error;
    mine.kind = kind_of_failure(f, error->kind);
    mine.name = cf__name(f);
    cf__future_store_error(f, cf__failure_new(&mine));
    end_task(pool, lane, f, CF__FAILED);
}

/* --- the lane ------------------------------------------------------------ */

/* Kills a worker that has written what no worker writes. */
static void
condemn(struct cf__processes *pool, struct cf__process_lane *lane)
{
    if (lane->condemned)
        return;
    lane->condemned = true;
    cf__processes_kill_later(
        pool, lane, CF__ANY_POSITION, SIGKILL, cf__now_ns());
}

/* requests: how often the worker had asked for everything to be collected,
 * before it was. */
static void
answer_requests(struct cf__process_lane *lane, uint32_t requests)
{
    if (__builtin_expect(requests == lane->answered, 1))
        return;
    lane->answered = requests;
    /* pairs with answered in outbox.c: the worker sees what has been
     * collected */
    cf_store_release(&lane->in->answers, requests);
    cf__lane_nudge(lane, true);
}

/* Sets how many tasks the lane should have in hand: enough for TARGET_WAKES
 * wake-ups, going by how long its last tasks took. But if the worker ran dry
 * while tasks were queued, that time has idleness in it; then the target is at
 * least doubled. */
static void
adapt_target(struct cf__processes *pool,
             struct cf__process_lane *lane,
             int64_t now)
{
    if (lane->mark_count == 0 || lane->oldest < lane->mark)
        return;
    int64_t each = (now - lane->marked_at) / lane->mark_count;
    int64_t work_ns = TARGET_WAKES * cf__wake_cost();
    int64_t target = each > 0 ? work_ns / each : TARGET_MAX;
    int64_t twice = (int64_t)lane->target * 2;
    if (lane->oldest == lane->published && each < STARVED_NS &&
        target < twice && cf__queue_has_work(&pool->queue))
        target = twice;
    lane->target = target > TARGET_MAX   ? TARGET_MAX
                   : target < TARGET_MIN ? TARGET_MIN
                                         : (unsigned)target;
    lane->mark_count = 0;
}

/* Takes out the oldest position, whose task the worker has ended or skipped.
 * false: the outcome is impossible. */
static inline bool
end_oldest(struct cf__processes *pool, struct cf__process_lane *lane)
{
    uint64_t p = lane->oldest;
    cf_future *f = lane->tasks[p % CF__LANE];
    if (f) {
        uint64_t flags = 0;
        if (!take_outcome(pool, lane, f, cf__lane_outcome(lane, p), &flags))
            return false;
        lane->oldest = p + 1;
        lane->ran++;
        pool->in_hand--;
        end_task(pool, lane, f, flags);
    } else {
        lane->oldest = p + 1;
        lane->revoked--;
        pool->in_hand--;
    }
    return true;
}

void
cf__processes_trim_later(struct cf__processes *pool, int64_t now)
{
    cf__assert(cf__processes_is_locked(pool));
    if (!pool->trim_at)
        cf__processes_ring(pool); /* so that the manager sees trim_at */
    pool->trim_at = now + TRIM_NS;
}

void
cf__processes_collect(struct cf__processes *pool,
                      struct cf__process_lane *lane,
                      int64_t now)
{
    cf__assert(cf__processes_is_locked(pool));
    uint64_t before = lane->oldest;
    /* pairs with request in outbox.c: what had ended by then is seen */
    uint32_t requests = cf_load_acquire(&lane->out->requests);
    while (lane->oldest < lane->published) {
        uint64_t p = lane->oldest;
        /* Behind many that have ended there are more. */
        if (p - before >= CF__AHEAD && p + CF__AHEAD < lane->published)
            __builtin_prefetch(cf__lane_outcome(lane, p + CF__AHEAD));
        /* pairs with run_next in worker.c: publishes the outcome */
        uint64_t state = cf_load_acquire(&cf__lane_outcome(lane, p)->state);
        if (state != cf__position_state(p, CF__DONE)) {
            if (state != cf__position_state(p, CF__TAKEN) &&
                state != cf__position_state(p, CF__REVOKED) &&
                !cf__is_untaken(state, p))
                condemn(pool, lane);
            break;
        }
        if (!end_oldest(pool, lane)) {
            condemn(pool, lane);
            break;
        }
    }
    if (lane->oldest != before) {
        lane->progress_at = now;
        cf__processes_trim_later(pool, now);
        if (lane->oldest == lane->next)
            lane->lowest = INT64_MAX;
        adapt_target(pool, lane, now);
        /* pairs with free_collected in outbox.c: all of it has been read */
        cf_store_release(&lane->in->collected, lane->oldest);
    }
    answer_requests(lane, requests);
}
