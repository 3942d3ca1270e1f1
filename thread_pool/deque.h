/* SPDX-License-Identifier: MIT */
/*
 * A worker's own tasks: those that its tasks have submitted. A Chase-Lev deque,
 * without locks. The owner pushes at the bottom. Every thief, the owner too,
 * takes the oldest entry, from the top, so that tasks start in the order of
 * submission. Only a task that the owner waits for is taken from the bottom.
 * README.md, "The deque", has the protocol.
 *
 * Each entry owns one handle of its task, and exactly one thread takes it. An
 * entry has an index, which counts from 1; indices only grow, but those of
 * entries that the owner took back are used again.
 */
#ifndef CF_THREAD_POOL_DEQUE_H
#define CF_THREAD_POOL_DEQUE_H

#include "lib/base/assert.h"
#include "lib/base/fence.h"
#include "lib/executor/pending.h"
#include "lib/future/future.h"

struct cf__slot {
    _Atomic(cf_future *) f;
    /* How many tasks had come to the queue before the entry (modulo 2^32). */
    _Atomic uint32_t place;
};

struct cf__ring {
    struct cf__ring *former; /* smaller; kept, since thieves may read it */
    uint64_t size;           /* slots; a power of 2 */
    struct cf__slot slots[];
};

struct cf__deque {
    /* The index of the oldest entry. Atomic. Writers: thieves, by
     * compare-and-swap. Only grows. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t top;
    /* The index behind the newest entry. Atomic. Writer: the owner. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t bottom;
    _Atomic(struct cf__ring *) ring; /* atomic; writer: the owner */
    uint64_t known_top; /* only the owner uses it: top was at least this */
    /* Called before the ring grows. NULL: nothing. Set by the owner. */
    void (*make_room)(struct cf__deque *deque);
};

/* What a pop has done. */
enum cf__pop {
    /* The task is not claimed: it was not pending, or was not the newest. */
    CF__POP_NOT_CLAIMED,
    /* The task is claimed. A thief has the entry, with its handle. */
    CF__POP_CLAIMED,
    /* The task is claimed, and the entry's handle is the caller's. */
    CF__POP_CLAIMED_ENTRY
};

bool cf__deque_init(struct cf__deque *deque); /* false: no memory */
void cf__deque_fini(struct cf__deque *deque);

/* Makes room for count more entries. false: no memory. Called by the owner. */
bool cf__deque_reserve(struct cf__deque *deque, uint64_t count);

/* Takes the oldest entry if its index is at least base (0: any; see
 * cf__deque_base()). NULL: there is none. Called by any thread. still_runs, if
 * not NULL, is a future that must still be running after the entry was read. */
cf_future *cf__deque_steal(struct cf__deque *deque,
                           uint32_t base,
                           const cf_future *still_runs);

/*
 * Takes all entries but the oldest out of the thieves' reach: those from *begin
 * to before *end. Called by the owner. It may then move them towards *begin,
 * and ends with cf__deque_release(). false: thieves are too near; the caller
 * goes on as after a release.
 */
bool
cf__deque_withdraw(struct cf__deque *deque, uint64_t *begin, uint64_t *end);

/* Puts the entries before end back in reach. As after a push,
 * cf__threads_tell_of_entries() comes next. Called by the owner. */
static inline void
cf__deque_release(struct cf__deque *deque, uint64_t end)
{
    /* pairs with T2 of a steal: publishes the slots */
    cf_store_release(&deque->bottom, end);
}

/* The slot of an index. Called by the owner. */
static inline struct cf__slot *
cf__deque_slot(struct cf__deque *deque, uint64_t index)
{
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    return &ring->slots[index & (ring->size - 1)];
}

/* Asserts that the deque is whole (lib/base/assert.h). Called by any thread,
 * while no entries are withdrawn. */
void cf__deque_check(struct cf__deque *deque);

/* Makes the deque empty. Called in a fork's child, which has one thread. */
void cf__deque_after_fork(struct cf__deque *deque);

/* Adds a task. false: no memory. Called by the owner. */
static inline bool
cf__deque_push(struct cf__deque *deque, cf_future *f, uint32_t place)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom); /* its only writer */
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    if (__builtin_expect(bottom - deque->known_top >= ring->size, 0)) {
        if (!cf__deque_reserve(deque, 1))
            return false;
        bottom = cf_load_relaxed(&deque->bottom); /* a sweep may change it */
        ring = cf_load_relaxed(&deque->ring);
    }
    cf__assert(f && bottom - deque->known_top < ring->size);
    struct cf__slot *slot = &ring->slots[bottom & (ring->size - 1)];
    cf_store_relaxed(&slot->f, f);
    cf_store_relaxed(&slot->place, place);
    /* pairs with T2 of a steal: publishes the slot and the task */
    cf_store_release(&deque->bottom, bottom + 1);
    return true;
}

/* The place of the oldest entry. false: there is none. Called by the owner. A
 * hint, since a thief may take the entry meanwhile. */
static inline bool
cf__deque_oldest_place(struct cf__deque *deque, uint32_t *place)
{
    uint64_t top = cf_load_relaxed(&deque->top);
    if (top >= cf_load_relaxed(&deque->bottom))
        return false;
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    *place = cf_load_relaxed(&ring->slots[top & (ring->size - 1)].place);
    return true;
}

/* Called by any thread, as a hint. A thread that is about to sleep calls it
 * after a fence. */
static inline bool
cf__deque_empty(struct cf__deque *deque)
{
    return cf_load_relaxed(&deque->top) >= cf_load_relaxed(&deque->bottom);
}

/* How many entries there are. Called by the owner. A hint, since thieves take
 * some meanwhile. */
static inline uint64_t
cf__deque_count(struct cf__deque *deque)
{
    return cf_load_relaxed(&deque->bottom) - cf_load_relaxed(&deque->top);
}

/* There is an entry, and the index of the oldest is at least base. Called by
 * any thread, as a hint. */
static inline bool
cf__deque_reaches(struct cf__deque *deque, uint32_t base)
{
    uint64_t top = cf_load_relaxed(&deque->top);
    return top < cf_load_relaxed(&deque->bottom) &&
           (int32_t)((uint32_t)top - base) >= 0;
}

/* The index from which on entries will be pushed now (modulo 2^32). Never 0,
 * which stands for an unknown one. Called by the owner. */
static inline uint32_t
cf__deque_base(struct cf__deque *deque)
{
    uint32_t base = (uint32_t)cf_load_relaxed(&deque->bottom);
    return base ? base : 1;
}

/*
 * If f is the newest entry and pending, claims it for worker and takes the
 * entry out. Called by the owner. O1, O2 and O3 are the steps of README.md.
 *
 * Chase and Lev need a full fence between the store to bottom and the load of
 * top. Here the claim's compare-and-swap is between them, and is that fence.
 */
static inline enum cf__pop
cf__deque_pop_if(struct cf__deque *deque, cf_future *f, int worker)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom) - 1; /* its only writer */
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    struct cf__slot *slot = &ring->slots[bottom & (ring->size - 1)];
    if (cf_load_relaxed(&slot->f) != f ||
        cf__state(cf_load_relaxed(&f->word)) != CF_PENDING)
        return CF__POP_NOT_CLAIMED;
    cf_store_relaxed(&deque->bottom, bottom); /* O1; the fence orders it */
    bool claimed = cf__future_claim_word(f, worker); /* O2 */
    /* Without a fence, a thief and the owner could both have the entry. A claim
     * that failed may not have tried its compare-and-swap. */
    if (claimed)
        cf__fence_after_rmw();
    else
        cf__fence_full();
    /* O3, in the total order with T1, T2 and T3 of a steal */
    uint64_t top = cf_load_seq_cst(&deque->top);
    bool entry = top < bottom;
    if (top == bottom) /* the last entry: one swap of all succeeds */
        entry = cf_cas_seq_cst(&deque->top, &top, top + 1);
    if (top >= bottom) /* the deque is empty: bottom and top are equal again */
        cf_store_release(&deque->bottom, bottom + 1); /* publishes nothing */
    if (!claimed && entry) {
        /* The task was cancelled meanwhile. The entry is out, so its handle is
         * dropped. */
        cf__future_drop_stale(f);
        return CF__POP_NOT_CLAIMED;
    }
    if (!claimed)
        return CF__POP_NOT_CLAIMED;
    return entry ? CF__POP_CLAIMED_ENTRY : CF__POP_CLAIMED;
}

#endif
