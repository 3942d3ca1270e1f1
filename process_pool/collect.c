/* SPDX-License-Identifier: MIT */
/*
 * From a lane's outcomes to futures. Everything that is read here may have
 * been written by a task that went astray: each field is read once, checked,
 * and then used.
 */
#include "process_pool/pool.h"

#include "lib/clock.h"
#include "lib/failure.h"
#include "lib/life.h"

#include <signal.h>
#include <stdlib.h>

enum { DEPTH_NS = 200000, DEPTH_MAX = CF__LANE / 2, DEPTH_MIN = 2 };

/* So long after its last task a pool gives free memory back. */
#define TRIM_NS INT64_C(1000000000)

/* --- results ------------------------------------------------------------- */

static void
give_back(void *owner, void *block)
{
    struct cf__shared *shared = owner;
    (void)cf__arena_free(&shared->parcels, block);
    cf__shared_release(shared);
}

/* Another block in place of a grant; none if there is no memory. */
static void
replace_grant(struct cf__process_pool *pool,
              struct cf__process_lane *lane,
              size_t i,
              size_t size)
{
    struct cf__grant *grant = &lane->in->grants[i];
    void *block = cf__arena_alloc(&pool->shared->parcels, size);
    lane->grants[i].block = block;
    lane->grants[i].size = block ? size : 0;
    grant->block = block;
    grant->size = lane->grants[i].size;
    /* pairs with find_grant: the block is there */
    cf_store_release(&grant->number, block ? ++lane->grant_number : 0);
}

static bool
take_grant(struct cf__process_pool *pool,
           struct cf__process_lane *lane,
           cf_future *f,
           uint64_t i,
           size_t size)
{
    if (i >= CF__GRANTS || !lane->grants[i].block ||
        size > lane->grants[i].size)
        return false;
    struct cf__lent lent = {
        lane->grants[i].block, size, give_back, pool->shared};
    cf_fetch_add_relaxed(&pool->shared->users, 1); /* we are one */
    cf__future_store_lent(f, &lent);
    replace_grant(pool, lane, (size_t)i, lane->grants[i].size);
    return true;
}

/* The record of a failure that has no text. */
static cf_error
plain_failure(const struct cf__process_pool *pool,
              const struct cf__process_lane *lane,
              cf_err kind,
              const char *message)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = kind;
    error.message = message;
    error.worker = (int)(lane - pool->lanes);
    error.pid = cf_load_relaxed(&lane->out->pid); /* for people to read */
    return error;
}

/* Copies it: it stays in the lane only until it has been collected. */
static bool
take_outbox(const struct cf__process_pool *pool,
            const struct cf__process_lane *lane,
            cf_future *f,
            uint64_t offset,
            size_t size,
            uint64_t *flags)
{
    if (size > CF__OUTBOX_LARGEST || offset > CF__OUTBOX - size)
        return false;
    void *copy = malloc(size);
    if (copy) {
        memcpy(copy, lane->out->outbox + offset, size);
        cf__future_store_result(f, copy, size);
        return true;
    }
    cf_error error =
        plain_failure(pool, lane, CF_ETASK, "no memory for the result");
    error.code = CF_ENOMEM;
    cf__future_store_error(f, cf__failure_new(&error));
    *flags = CF__FAILED;
    return true;
}

/* An interrupted or terminated task that fails has been cancelled. */
static cf_err
kind_of_failure(const cf_future *f, cf_err kind)
{
    bool stopped = cf_load_relaxed(&f->word) & CF__INTERRUPT ||
                   cf_load_relaxed(&f->executor->terminated);
    return stopped ? CF_ECANCELED : kind;
}

/* texts: NULL: none. */
static bool
take_failure(const struct cf__process_pool *pool,
             const struct cf__process_lane *lane,
             cf_future *f,
             const struct cf__wire_failure *wire,
             const unsigned char *texts)
{
    char message[CF__MESSAGE_MAX + 1] = "", file[CF__MESSAGE_MAX + 1];
    if (texts) {
        if (wire->message_size >= sizeof message ||
            wire->file_size >= sizeof file)
            return false;
        memcpy(message, texts, wire->message_size);
        message[wire->message_size] = '\0';
        memcpy(file, texts + wire->message_size, wire->file_size);
        file[wire->file_size] = '\0';
    }
    cf_error error =
        plain_failure(pool, lane, kind_of_failure(f, CF_ETASK), message);
    error.code = wire->code;
    if (texts && wire->file_size) {
        error.file = file;
        error.line = wire->line;
    }
    cf__future_store_error(f, cf__failure_new(&error));
    return true;
}

static bool
take_packed_failure(const struct cf__process_pool *pool,
                    const struct cf__process_lane *lane,
                    cf_future *f,
                    uint64_t offset)
{
    struct cf__wire_failure wire;
    if (offset > CF__OUTBOX - sizeof wire)
        return false;
    memcpy(&wire, lane->out->outbox + offset, sizeof wire);
    if (wire.message_size > CF__OUTBOX || wire.file_size > CF__OUTBOX ||
        offset + sizeof wire + wire.message_size + wire.file_size > CF__OUTBOX)
        return false;
    return take_failure(
        pool, lane, f, &wire, lane->out->outbox + offset + sizeof wire);
}

/* Moves an outcome into its future. false: it is impossible. */
static bool
take_outcome(struct cf__process_pool *pool,
             struct cf__process_lane *lane,
             cf_future *f,
             const struct cf__outcome *outcome,
             uint64_t *flags)
{
    /* Published by the state. */
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
    if (kind == CF__IN_GRANT)
        return take_grant(pool, lane, f, offset, size);
    *flags = CF__FAILED;
    if (kind == CF__AS_FAILURE)
        return take_packed_failure(pool, lane, f, offset);
    struct cf__wire_failure wire;
    memcpy(&wire, outcome->data, sizeof wire);
    return kind == CF__AS_BARE_FAILURE &&
           take_failure(pool, lane, f, &wire, NULL);
}

/* --- ends ---------------------------------------------------------------- */

/* Leaves f, with its outcome, to the manager: user code is to be called. */
static void
defer(struct cf__process_pool *pool, cf_future *f, uint64_t flags)
{
    cf_store_relaxed(&f->base, (uint32_t)flags); /* under the lock */
    cf_store_relaxed(&f->next, NULL);
    if (pool->deferred)
        cf_store_relaxed(&pool->deferred_last->next, f);
    else
        pool->deferred = f;
    pool->deferred_last = f;
    cf__process_pool_ring(pool);
}

/* f has left its lane, and its outcome is in it. */
static inline void
end_task(struct cf__process_pool *pool,
         struct cf__process_lane *lane,
         cf_future *f,
         uint64_t flags)
{
    lane->done++;
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
        f->owned &= (unsigned char)~CF__ARG_HEAP;
    }
    if (__builtin_expect(!cf__future_finish_unwatched(f, flags), 0))
        defer(pool, f, flags);
}

void
cf__process_pool_fail_locked(struct cf__process_pool *pool,
                             struct cf__process_lane *lane,
                             cf_future *f,
                             const cf_error *error)
{
    cf_error mine = *error;
    mine.kind = kind_of_failure(f, error->kind);
    cf__future_store_error(f, cf__failure_new(&mine));
    end_task(pool, lane, f, CF__FAILED);
}

void
cf__process_pool_condemn_locked(struct cf__process_pool *pool,
                                struct cf__process_lane *lane)
{
    if (lane->condemned)
        return;
    lane->condemned = true;
    cf__process_pool_kill_later_locked(
        pool, lane, CF__ANY_POSITION, SIGKILL, cf__now_ns());
}

/* --- the lane ------------------------------------------------------------ */

static void
answer_request(struct cf__process_pool *pool, struct cf__process_lane *lane)
{
    /* pairs with request: what is wanted */
    uint32_t requests = cf_load_acquire(&lane->out->requests);
    if (__builtin_expect(requests == lane->answered, 1))
        return;
    uint32_t i = cf_load_relaxed(&lane->out->wanted_index);
    uint64_t size = cf_load_relaxed(&lane->out->wanted_size);
    if (size > pool->shared->parcels.size / 2) {
        cf__process_pool_condemn_locked(pool, lane);
        return;
    }
    if (size && i < CF__GRANTS) {
        if (lane->grants[i].block)
            cf__arena_free(&pool->shared->parcels, lane->grants[i].block);
        replace_grant(pool, lane, i, (size_t)size);
    }
    lane->answered = requests;
    /* pairs with answered: the grant, and what has been collected */
    cf_store_release(&lane->in->answers, requests);
    cf__lane_nudge(lane, true);
}

/* So many that a lane has work for DEPTH_NS, going by the last ones. */
static void
adapt_depth(struct cf__process_lane *lane, int64_t now)
{
    if (lane->mark_count == 0 || lane->oldest < lane->mark)
        return;
    int64_t each = (now - lane->marked_at) / lane->mark_count;
    int64_t depth = each > 0 ? DEPTH_NS / each : DEPTH_MAX;
    lane->depth = depth > DEPTH_MAX   ? DEPTH_MAX
                  : depth < DEPTH_MIN ? DEPTH_MIN
                                      : (unsigned)depth;
    lane->mark_count = 0;
}

/* The worker has ended the task at the oldest position, or skipped it. */
static inline bool
end_oldest(struct cf__process_pool *pool, struct cf__process_lane *lane)
{
    uint64_t p = lane->oldest;
    cf_future *f = lane->tasks[p % CF__LANE];
    if (f) {
        uint64_t flags = 0;
        if (!take_outcome(pool, lane, f, cf__lane_outcome(lane, p), &flags))
            return false;
        lane->oldest = p + 1;
        pool->in_hand--;
        end_task(pool, lane, f, flags);
    } else {
        lane->oldest = p + 1;
        pool->in_hand--;
    }
    return true;
}

void
cf__process_pool_collect_locked(struct cf__process_pool *pool,
                                struct cf__process_lane *lane,
                                int64_t now)
{
    uint64_t before = lane->oldest;
    while (lane->oldest < lane->published) {
        uint64_t p = lane->oldest;
        /* pairs with the worker's end of a task: publishes the outcome */
        uint64_t state = cf_load_acquire(&cf__lane_outcome(lane, p)->state);
        if (state != CF__STATE(p, CF__DONE)) {
            if (state != CF__STATE(p, CF__TAKEN) &&
                state != CF__STATE(p, CF__REVOKED) && !cf__is_untaken(state, p))
                cf__process_pool_condemn_locked(pool, lane);
            break;
        }
        if (!end_oldest(pool, lane)) {
            cf__process_pool_condemn_locked(pool, lane);
            break;
        }
    }
    if (lane->oldest != before) {
        lane->progress_at = now;
        if (!pool->trim_at)
            cf__process_pool_ring(pool); /* for the manager to note it */
        pool->trim_at = now + TRIM_NS;
        if (lane->oldest == lane->next)
            lane->lowest = INT64_MAX;
        adapt_depth(lane, now);
        /* pairs with free_collected: it has been read */
        cf_store_release(&lane->in->collected, lane->oldest);
    }
    answer_request(pool, lane);
}
