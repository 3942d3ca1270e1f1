/* SPDX-License-Identifier: MIT */
/*
 * The deque's longer functions: growing, stealing, withdrawing. See deque.h,
 * and README.md, "The deque". No locks.
 */
#include "thread_pool/deque.h"

#include "lib/base/large.h"

enum { FIRST_SIZE = 64 };

static size_t
bytes_of(uint64_t size)
{
    return sizeof(struct cf__ring) + size * sizeof(struct cf__slot);
}

static struct cf__ring *
new_ring(uint64_t size)
{
    struct cf__ring *ring = cf__large_calloc(bytes_of(size));
    if (ring)
        ring->size = size;
    return ring;
}

bool
cf__deque_init(struct cf__deque *deque)
{
    /* Indices count from 1, so that there is one before the first. No other
     * thread knows the deque yet. */
    cf_store_relaxed(&deque->top, 1);
    cf_store_relaxed(&deque->bottom, 1);
    deque->known_top = 1;
    cf_store_relaxed(&deque->ring, new_ring(FIRST_SIZE));
    return cf_load_relaxed(&deque->ring) != NULL;
}

void
cf__deque_fini(struct cf__deque *deque)
{
    struct cf__ring *ring = cf_load_relaxed(&deque->ring);
    while (ring) {
        struct cf__ring *former = ring->former;
        cf__large_free(ring, bytes_of(ring->size));
        ring = former;
    }
}

static bool
grow(struct cf__deque *deque, uint64_t size)
{
    struct cf__ring *old = cf_load_relaxed(&deque->ring); /* its only writer */
    struct cf__ring *ring = new_ring(size);
    if (!ring)
        return false;
    uint64_t bottom = cf_load_relaxed(&deque->bottom);
    for (uint64_t i = deque->known_top; i != bottom; i++) {
        struct cf__slot *from = &old->slots[i & (old->size - 1)];
        struct cf__slot *to = &ring->slots[i & (ring->size - 1)];
        cf_store_relaxed(&to->f, cf_load_relaxed(&from->f));
        cf_store_relaxed(&to->place, cf_load_relaxed(&from->place));
    }
    ring->former = old;
    /* pairs with the thieves' load of ring: publishes the copies */
    cf_store_release(&deque->ring, ring);
    return true;
}

bool
cf__deque_reserve(struct cf__deque *deque, uint64_t count)
{
    uint64_t size = cf_load_relaxed(&deque->ring)->size;
    /* pairs with T3 of a steal: the slots before it have been read */
    deque->known_top = cf_load_acquire(&deque->top);
    uint64_t used = cf_load_relaxed(&deque->bottom) - deque->known_top;
    if (used + count <= size)
        return true;
    if (deque->make_room) {
        deque->make_room(deque);
        /* It may have called destructors, which pushed. */
        size = cf_load_relaxed(&deque->ring)->size;
        used = cf_load_relaxed(&deque->bottom) - deque->known_top;
    }
    /* The pushes to the other half pay for the next look at all entries. */
    if (used + count <= size / 2)
        return true;
    do
        size *= 2;
    while (size < used + count);
    return grow(deque, size);
}

cf_future *
cf__deque_steal(struct cf__deque *deque,
                uint32_t base,
                const cf_future *still_runs)
{
    /* T1, T2 and T3 are in the total order with O3 of a pop: README.md. */
    uint64_t top = cf_load_seq_cst(&deque->top); /* T1 */
    for (;;) {
        uint64_t bottom = cf_load_seq_cst(&deque->bottom); /* T2 */
        if (top >= bottom || (base && (int32_t)((uint32_t)top - base) < 0))
            return NULL;
        /* pairs with grow(); a former ring has the entry as well */
        struct cf__ring *ring = cf_load_acquire(&deque->ring);
        cf_future *f = cf_load_relaxed(&ring->slots[top & (ring->size - 1)].f);
        if (still_runs && cf_future_done(still_runs))
            return NULL;
        /* T3. Succeeds only if no thread has taken the entry since T1. */
        if (cf_cas_seq_cst(&deque->top, &top, top + 1))
            return f;
    }
}

void
cf__deque_after_fork(struct cf__deque *deque)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom);
    cf_store_relaxed(&deque->top, bottom); /* one thread */
    deque->known_top = bottom;
}

bool
cf__deque_withdraw(struct cf__deque *deque, uint64_t *begin, uint64_t *end)
{
    uint64_t bottom = cf_load_relaxed(&deque->bottom); /* its only writer */
    uint64_t top = cf_load_relaxed(&deque->top) + 1;   /* checked below */
    if (top >= bottom)
        return false;
    cf_store_relaxed(&deque->bottom, top); /* the fence orders it */
    cf__fence_full();
    /* in the total order with T1, T2 and T3 of the thieves */
    if (cf_load_seq_cst(&deque->top) >= top) {
        cf__deque_release(deque, bottom); /* nothing was changed */
        return false;
    }
    *begin = top;
    *end = bottom;
    return true;
}

#ifdef CF_ASSERTIONS
/* The rings grow, and each size is a power of two. */
static void
check_rings(const struct cf__ring *ring)
{
    for (; ring; ring = ring->former) {
        cf__assert(ring->size >= FIRST_SIZE);
        cf__assert((ring->size & (ring->size - 1)) == 0);
        cf__assert(!ring->former || ring->former->size < ring->size);
    }
}
#endif

void
cf__deque_check(struct cf__deque *deque)
{
#ifdef CF_ASSERTIONS
    /* In this order, so that what is read later is not older. top only grows,
     * and a pop may have lowered bottom to just below it. */
    uint64_t top = cf_load_seq_cst(&deque->top);
    uint64_t bottom = cf_load_seq_cst(&deque->bottom);
    struct cf__ring *ring = cf_load_acquire(&deque->ring); /* pairs with grow */
    cf__assert(top <= bottom + 1);
    check_rings(ring);
    cf_future *f = cf_load_relaxed(&ring->slots[top & (ring->size - 1)].f);
    /* If top has changed, or all entries have been taken back, the rest says
     * nothing. */
    if (top >= bottom || cf_load_seq_cst(&deque->top) != top)
        return;
    cf__assert(bottom - top <= ring->size);
    cf__assert(f != NULL);
#else
    (void)deque;
#endif
}
