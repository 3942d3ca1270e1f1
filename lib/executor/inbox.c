/* SPDX-License-Identifier: MIT */
/* The inbox of a queue: see inbox.h and README.md. */
#include "lib/executor/inbox_block.h"

#define SLOTS CF__INBOX_SLOTS
#define CHAIN CF__INBOX_CHAIN
#define SKIP CF__INBOX_SKIP

enum { PREFETCH_AHEAD = 6 }; /* tasks of a chain */

void
cf__inbox_init(struct cf__inbox *inbox)
{
    memset(inbox, 0, sizeof *inbox);
    inbox->used = SLOTS;
    inbox->limit = SLOTS;
    cf_store_relaxed(&inbox->closed, true); /* no other thread knows it yet */
}

void
cf__inbox_fini(struct cf__inbox *inbox)
{
    /* no other thread uses it any more */
    struct cf__inbox_block *b = cf_load_relaxed(&inbox->first);
    while (b) {
        struct cf__inbox_block *next = cf_load_relaxed(&b->next);
        cf__inbox_free_block(b);
        b = next;
    }
    cf__inbox_free_block(cf_load_relaxed(&inbox->spare));
}

bool
cf__inbox_add_block_locked(struct cf__inbox *inbox)
{
    struct cf__inbox_block *block = NULL;
    if (cf_load_relaxed(&inbox->spare)) /* a hint: the exchange decides */
        /* pairs with give_to_pushers: the taker has read the block */
        block = cf_exchange_acq_rel(&inbox->spare, NULL);
    if (!block)
        block = cf__inbox_new_block(inbox->last == NULL);
    if (!block)
        return false;
    cf_store_relaxed(&block->next, NULL);
    block->begin = 0;
    block->end = SLOTS;
    /* A fork's child finds the list whole, whenever it was forked. */
    if (inbox->last)
        cf_store_release(&inbox->last->next, block);
    else
        cf_store_release(&inbox->first, block);
    inbox->last = block;
    inbox->used = 0;
    return true;
}

/* What is rare in a push are functions of their own, not inlined: so the common
 * way has no registers to save. */
__attribute__((noinline)) static cf_err
wake_next(struct cf__inbox *inbox)
{
    cf__lock_wake(&inbox->lock);
    return CF_OK;
}

static inline cf_err
insert_and_unlock(struct cf__inbox *inbox, uintptr_t slot, size_t count)
{
    inbox->last->slots[inbox->used++] = slot;
    uint64_t pushed = cf_load_relaxed(&inbox->pushed); /* locked */
    /* pairs with the taker's load: publishes the slot, and the tasks */
    cf_store_release(&inbox->pushed, pushed + count);
    return cf__unlock_begin(&inbox->lock) ? wake_next(inbox) : CF_OK;
}

/* The inbox is closed, or needs another block. */
__attribute__((noinline)) static cf_err
push_to_full_locked(struct cf__inbox *inbox, uintptr_t slot, size_t count)
{
    cf_err err = CF_OK;
    if (cf_load_relaxed(&inbox->closed)) /* locked */
        err = CF_ESHUTDOWN;
    else if (!cf__inbox_add_block_locked(inbox))
        err = CF_ENOMEM;
    if (!err)
        return insert_and_unlock(inbox, slot, count);
    cf__unlock(&inbox->lock);
    return err;
}

static inline cf_err
push_locked(struct cf__inbox *inbox, uintptr_t slot, size_t count)
{
    bool room =
        !cf_load_relaxed(&inbox->closed) && inbox->used < SLOTS; /* locked */
    return __builtin_expect(room, 1) ? insert_and_unlock(inbox, slot, count)
                                     : push_to_full_locked(inbox, slot, count);
}

__attribute__((noinline)) static cf_err
wait_and_push(struct cf__inbox *inbox, uintptr_t slot, size_t count)
{
    cf__lock_wait(&inbox->lock);
    return push_locked(inbox, slot, count);
}

cf_err
cf__inbox_push(struct cf__inbox *inbox,
               cf_future *oldest,
               cf_future *newest,
               size_t count)
{
    uintptr_t slot = (uintptr_t)oldest;
    if (count > 1) {
        cf_store_relaxed(&newest->next, NULL); /* published below */
        slot |= CHAIN;
    }
    return cf__lock_begin(&inbox->lock) ? push_locked(inbox, slot, count)
                                        : wait_and_push(inbox, slot, count);
}

static void
give_to_pushers(struct cf__inbox *inbox, struct cf__inbox_block *block)
{
    /* pairs with cf__inbox_add_block_locked. There is one spare block at most:
     * the former one goes. */
    cf__inbox_free_block(cf_exchange_acq_rel(&inbox->spare, block));
}

static void
go_to_block(struct cf__inbox *inbox, struct cf__inbox_block *block)
{
    cf_store_relaxed(&inbox->first, block); /* the taker's; a child reads it */
    inbox->next = block->begin;
    inbox->limit = block->end;
}

/* The first block has been read to its end. */
__attribute__((noinline)) static void
pass_block(struct cf__inbox *inbox)
{
    /* the taker's own */
    struct cf__inbox_block *block = cf_load_relaxed(&inbox->first);
    /* pushed has published it, with what is in it */
    go_to_block(inbox, cf_load_relaxed(&block->next));
    if (block == inbox->swept)
        inbox->swept = NULL;
    if (block == inbox->sweep_end)
        inbox->sweep_end = NULL;
    give_to_pushers(inbox, block);
}

uint64_t
cf__inbox_take(struct cf__inbox *inbox,
               uint64_t from,
               uint64_t end,
               _Atomic(cf_future *) *ring,
               size_t ring_size)
{
    uint64_t place = from;
    for (; place < end; place++) {
        cf_future *f = inbox->chain;
        bool chained = f;
        if (!f) {
            while (__builtin_expect(inbox->next == inbox->limit, 0))
                pass_block(inbox);
            /* pushed has published it, and all of its chain */
            uintptr_t slot = cf_load_relaxed(&inbox->first)->slots[inbox->next];
            if (__builtin_expect((slot & SKIP) != 0, 0))
                break;
            inbox->next++;
            f = (cf_future *)(slot & ~CHAIN);
            chained = slot & CHAIN;
        }
        if (chained) {
            inbox->chain = cf_load_relaxed(&f->next);
            /* Futures that were allocated one after the other lie at equal
             * distances. */
            uintptr_t step = (uintptr_t)inbox->chain - (uintptr_t)f;
            __builtin_prefetch(
                (const void *)((uintptr_t)f + PREFETCH_AHEAD * step), 1);
        }
        /* the caller publishes it, by ring_bottom */
        cf_store_relaxed(&ring[place & (ring_size - 1)], f);
    }
    return place;
}

uint64_t
cf__inbox_skip(struct cf__inbox *inbox)
{
    if (inbox->chain)
        return 0;
    while (inbox->next == inbox->limit)
        pass_block(inbox);
    uintptr_t slot = cf_load_relaxed(&inbox->first)->slots[inbox->next];
    if (!(slot & SKIP))
        return 0;
    inbox->next++;
    return slot >> CF__INBOX_SKIP_SHIFT;
}

void
cf__inbox_set_closed(struct cf__inbox *inbox, bool closed)
{
    cf__lock(&inbox->lock);
    cf_store_relaxed(&inbox->closed, closed); /* locked */
    cf__unlock(&inbox->lock);
}

bool
cf__inbox_close_after(struct cf__inbox *inbox, uint64_t taken)
{
    cf__lock(&inbox->lock);
    bool empty = cf_load_relaxed(&inbox->pushed) == taken; /* locked, both */
    if (empty)
        cf_store_relaxed(&inbox->closed, true);
    cf__unlock(&inbox->lock);
    return empty;
}

void
cf__inbox_after_fork(struct cf__inbox *inbox)
{
    cf__lock_init(&inbox->lock);
    cf_store_relaxed(&inbox->closed, true); /* there is one thread */
}
