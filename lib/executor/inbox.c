/* SPDX-License-Identifier: MIT */
/* The inbox of a queue: see inbox.h and README.md. */
#include "lib/executor/inbox_block.h"

#include "lib/base/thread.h"

#define SLOTS CF__INBOX_SLOTS
#define SKIP CF__INBOX_SKIP

void
cf__inbox_init(struct cf__inbox *inbox)
{
    memset(inbox, 0, sizeof *inbox);
    inbox->used = SLOTS;
    inbox->limit = SLOTS;
    cf_store_relaxed(&inbox->closed, true); /* no other thread knows it yet */
}

static void
free_list(struct cf__inbox_block *blocks)
{
    while (blocks) {
        struct cf__inbox_block *next = cf_load_relaxed(&blocks->next);
        cf__inbox_free_block(blocks);
        blocks = next;
    }
}

void
cf__inbox_fini(struct cf__inbox *inbox)
{
    /* no other thread uses it any more */
    free_list(cf_load_relaxed(&inbox->first));
    cf__inbox_free_block(cf_load_relaxed(&inbox->spare));
}

/* The next block for pushes. NULL: no memory. */
static struct cf__inbox_block *
get_block_locked(struct cf__inbox *inbox)
{
    struct cf__inbox_block *block = NULL;
    if (cf_load_relaxed(&inbox->spare)) /* a hint: the exchange decides */
        /* pairs with give_to_pushers: the taker has read the block */
        block = cf_exchange_acq_rel(&inbox->spare, NULL);
    if (!block && cf__thread.reserved_slots) {
        block = cf__thread.reserved_slots;
        /* this thread's own, as all that is reserved */
        cf__thread.reserved_slots = cf_load_relaxed(&block->next);
    }
    return block ? block : cf__inbox_new_block(inbox->last == NULL);
}

static void
link_block_locked(struct cf__inbox *inbox, struct cf__inbox_block *block)
{
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
}

bool
cf__inbox_add_block_locked(struct cf__inbox *inbox)
{
    struct cf__inbox_block *block = get_block_locked(inbox);
    if (block)
        link_block_locked(inbox, block);
    return block;
}

/* So many blocks that no other thread knows, linked by next, in *out. false: no
 * memory. */
static bool
make_list(size_t count, struct cf__inbox_block **out)
{
    struct cf__inbox_block *blocks = NULL;
    for (; count > 0; count--) {
        struct cf__inbox_block *block = cf__inbox_new_block(false);
        if (!block) {
            free_list(blocks);
            return false;
        }
        cf_store_relaxed(&block->next, blocks);
        blocks = block;
    }
    *out = blocks;
    return true;
}

bool
cf__inbox_reserve(size_t pushes)
{
    return make_list(pushes, &cf__thread.reserved_slots);
}

void
cf__inbox_unreserve(void)
{
    free_list(cf__thread.reserved_slots);
    cf__thread.reserved_slots = NULL;
}

/* Writes a chain to slots; takes blocks out of *blocks. */
static void
write_chain_locked(struct cf__inbox *inbox,
                   cf_future *f,
                   size_t count,
                   struct cf__inbox_block **blocks)
{
    for (size_t left = count; left > 0; left--) {
        if (inbox->used == SLOTS) {
            struct cf__inbox_block *block = *blocks;
            *blocks = cf_load_relaxed(&block->next); /* this thread's own */
            link_block_locked(inbox, block);
        }
        inbox->last->slots[inbox->used++] = (uintptr_t)f;
        f = cf_load_relaxed(&f->next); /* the submitter's own */
    }
    uint64_t pushed = cf_load_relaxed(&inbox->pushed); /* locked */
    /* pairs with the taker's load: publishes the slots, and the tasks */
    cf_store_release(&inbox->pushed, pushed + count);
}

/* More than one task. All blocks that it needs are there before it writes a
 * slot: but for one, which may be the spare one, they are made without the
 * lock. */
__attribute__((noinline)) static cf_err
push_chain(struct cf__inbox *inbox, cf_future *oldest, size_t count)
{
    struct cf__inbox_block *blocks = NULL;
    cf_err err = CF_OK;
    if (!make_list((count - 1) / SLOTS, &blocks))
        return CF_ENOMEM;
    cf__lock(&inbox->lock);
    if (cf_load_relaxed(&inbox->closed)) { /* locked */
        err = CF_ESHUTDOWN;
    } else if (count > (size_t)(SLOTS - inbox->used)) {
        struct cf__inbox_block *block = get_block_locked(inbox);
        if (block)
            cf_store_relaxed(&block->next, blocks); /* this thread's own */
        else
            err = CF_ENOMEM;
        blocks = block ? block : blocks;
    }
    if (!err)
        write_chain_locked(inbox, oldest, count, &blocks);
    cf__unlock(&inbox->lock);
    free_list(blocks);
    return err;
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
insert_and_unlock(struct cf__inbox *inbox, cf_future *f)
{
    inbox->last->slots[inbox->used++] = (uintptr_t)f;
    uint64_t pushed = cf_load_relaxed(&inbox->pushed); /* locked */
    /* pairs with the taker's load: publishes the slot, and the task */
    cf_store_release(&inbox->pushed, pushed + 1);
    return cf__unlock_begin(&inbox->lock) ? wake_next(inbox) : CF_OK;
}

/* The inbox is closed, or needs another block. */
__attribute__((noinline)) static cf_err
push_to_full_locked(struct cf__inbox *inbox, cf_future *f)
{
    cf_err err = CF_OK;
    if (cf_load_relaxed(&inbox->closed)) /* locked */
        err = CF_ESHUTDOWN;
    else if (!cf__inbox_add_block_locked(inbox))
        err = CF_ENOMEM;
    if (!err)
        return insert_and_unlock(inbox, f);
    cf__unlock(&inbox->lock);
    return err;
}

static inline cf_err
push_locked(struct cf__inbox *inbox, cf_future *f)
{
    bool room =
        !cf_load_relaxed(&inbox->closed) && inbox->used < SLOTS; /* locked */
    return __builtin_expect(room, 1) ? insert_and_unlock(inbox, f)
                                     : push_to_full_locked(inbox, f);
}

__attribute__((noinline)) static cf_err
wait_and_push(struct cf__inbox *inbox, cf_future *f)
{
    cf__lock_wait(&inbox->lock);
    return push_locked(inbox, f);
}

cf_err
cf__inbox_push(struct cf__inbox *inbox, cf_future *oldest, size_t count)
{
    if (__builtin_expect(count > 1, 0))
        return push_chain(inbox, oldest, count);
    return cf__lock_begin(&inbox->lock) ? push_locked(inbox, oldest)
                                        : wait_and_push(inbox, oldest);
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
        while (__builtin_expect(inbox->next == inbox->limit, 0))
            pass_block(inbox);
        /* pushed has published it, and its task */
        uintptr_t slot = cf_load_relaxed(&inbox->first)->slots[inbox->next];
        if (__builtin_expect((slot & SKIP) != 0, 0))
            break;
        inbox->next++;
        /* the caller publishes it, by ring_bottom */
        cf_store_relaxed(&ring[place & (ring_size - 1)], (cf_future *)slot);
    }
    return place;
}

uint64_t
cf__inbox_skip(struct cf__inbox *inbox)
{
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
