/* SPDX-License-Identifier: MIT */
/*
 * A worker's own tasks: those that its tasks submitted. A Chase-Lev deque:
 * the owner pushes at the bottom; everybody, the owner too, takes the oldest
 * from the top, so that tasks start in the order of submission. Only a task
 * that the owner waits for is taken from the bottom. README.md has the
 * protocol.
 *
 * Each entry owns one handle of its task, and goes to exactly one taker.
 */
#ifndef CF_THREAD_POOL_DEQUE_H
#define CF_THREAD_POOL_DEQUE_H

#include "lib/base/fence.h"
#include "lib/executor/pending.h"
#include "lib/future/future.h"

struct cf__slot {
    _Atomic(cf_future *) f;
    /* How many tasks had come to the queue before it (modulo 2^32). */
    _Atomic uint32_t place;
};

struct cf__ring {
    struct cf__ring *former; /* smaller; kept, as thieves may read it */
    uint64_t size;           /* a power of 2 */
    struct cf__slot slots[];
};

struct cf__deque {
    /* Atomic. Writers: whoever takes, by compare-and-swap. Only grows. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t top;
    /* Atomic. Writer: the owner. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t bottom;
    _Atomic(struct cf__ring *) ring; /* writer: the owner */
    uint64_t known_top;              /* the owner's: top was at least this */
    /* Called before the ring grows; set once. */
    void (*make_room)(struct cf__deque *deque);
};

/* What a pop found. */
enum cf__pop {
    CF__POP_NOT_CLAIMED, /* the task was not pending, or not there: no change */
    CF__POP_CLAIMED,     /* claimed; the entry went to a thief, with its
                             handle */
    CF__POP_CLAIMED_ENTRY /* claimed, and the entry's handle is the caller's */
};

bool cf__deque_init(struct cf__deque *deque); /* false: no memory */
void cf__deque_fini(struct cf__deque *deque);

/* Makes room for count more entries; false: no memory. The owner. */
bool cf__deque_reserve(struct cf__deque *deque, uint64_t count);

/* Takes the oldest entry whose place in the deque is at least base; NULL: none
 * there. Anybody. still_runs, if not NULL, is a future that must still be
 * running after the entry was read. */
cf_future *cf__deque_steal(struct cf__deque *deque,
                           uint32_t base,
                           const cf_future *still_runs);

/*
 * The owner takes all entries but the oldest out of the thieves' reach: those
 * from *begin to before *end. It may move them towards begin then, and ends with
 * cf__deque_release(). false: thieves are too near, and what follows is as after a
 * release.
 */
bool
cf__deque_withdraw(struct cf__deque *deque, uint64_t *begin, uint64_t *end);

/* The entries before end are in reach again. What follows is as after a push:
 * cf__threads_tell_of_entries(). */
static inline void
cf__deque_release(struct cf__deque *deque, uint64_t end)
{
    /* pairs with steal: publishes the slots */
    cf_store_release(&deque->bottom, end);
}

/* The slot of an index. The owner. */
static inline struct cf__slot *
cf__deque_slot(struct cf__deque *deque, uint64_t index)
{
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    return &ring->slots[index & (ring->size - 1)];
}

/* The owner, after a fork: empty. */
void cf__deque_after_fork(struct cf__deque *deque);

/* Adds a task. The owner. false: no memory. */
static inline bool
cf__deque_push(struct cf__deque *deque, cf_future *f, uint32_t place)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom); /* the owner's */
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    if (__builtin_expect(bottom - deque->known_top >= ring->size, 0)) {
        if (!cf__deque_reserve(deque, 1))
            return false;
        bottom = cf_load_relaxed(&deque->bottom); /* it may have been swept */
        ring = cf_load_relaxed(&deque->ring);
    }
    struct cf__slot *slot = &ring->slots[bottom & (ring->size - 1)];
    cf_store_relaxed(&slot->f, f);
    cf_store_relaxed(&slot->place, place);
    /* pairs with steal: publishes the slot and the task */
    cf_store_release(&deque->bottom, bottom + 1);
    return true;
}

/* The place of the oldest entry; false: there is none. The owner. A thief may
 * take the entry meanwhile: a hint. */
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

/* Anybody, as a hint; after a fence for who is about to sleep. */
static inline bool
cf__deque_empty(struct cf__deque *deque)
{
    return cf_load_relaxed(&deque->top) >= cf_load_relaxed(&deque->bottom);
}

/* The oldest entry, if any, is at base or later. Anybody, as a hint. */
static inline bool
cf__deque_reaches(struct cf__deque *deque, uint32_t base)
{
    uint64_t top = cf_load_relaxed(&deque->top);
    return top < cf_load_relaxed(&deque->bottom) &&
           (int32_t)((uint32_t)top - base) >= 0;
}

/* Where entries pushed from now on will be: never 0, which means unknown. */
static inline uint32_t
cf__deque_base(struct cf__deque *deque)
{
    uint32_t base = (uint32_t)cf_load_relaxed(&deque->bottom);
    return base ? base : 1;
}

/*
 * If f is the newest entry and pending, claims it for worker and takes the
 * entry out. The owner.
 *
 * Chase and Lev need a full fence between the store to bottom and the load of
 * top; here the claim's compare-and-swap is in between and serves as one.
 */
static inline enum cf__pop
cf__deque_pop_if(struct cf__deque *deque, cf_future *f, int worker)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom) - 1; /* the owner's */
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    struct cf__slot *slot = &ring->slots[bottom & (ring->size - 1)];
    if (cf_load_relaxed(&slot->f) != f ||
        cf__state(cf_load_relaxed(&f->word)) != CF_PENDING)
        return CF__POP_NOT_CLAIMED;
    cf_store_relaxed(&deque->bottom, bottom); /* ordered by the fence */
    bool claimed = cf__future_claim_word(f, worker);
    /* Without a fence a thief and we could both have the entry. A claim that
     * failed may not have tried. */
    if (claimed)
        cf__fence_after_rmw();
    else
        cf__fence_full();
    uint64_t top = cf_load_seq_cst(&deque->top);
    bool entry = top < bottom;
    if (top == bottom) /* the last one: of thieves and us, one swap succeeds */
        entry = cf_cas_seq_cst(&deque->top, &top, top + 1);
    if (top >= bottom) /* empty now: bottom and top are equal again */
        cf_store_release(&deque->bottom, bottom + 1); /* no new entry */
    if (!claimed && entry) {
        /* Cancelled meanwhile. The entry is out: its handle goes. */
        cf__future_drop_stale(f);
        return CF__POP_NOT_CLAIMED;
    }
    if (!claimed)
        return CF__POP_NOT_CLAIMED;
    return entry ? CF__POP_CLAIMED_ENTRY : CF__POP_CLAIMED;
}

#endif
