/* SPDX-License-Identifier: MIT */
/*
 * Sweeps of an inbox. What stays is copied to new blocks, in order. What is
 * swept out between leaves a gap: one slot that says how many. README.md, "The
 * queue", has the argument.
 *
 * All functions have the taker's rights. They read sealed blocks only, to which
 * no thread pushes any more.
 */
#include "lib/executor/inbox_block.h"
#include "lib/executor/pending.h"
#include "lib/executor/queue.h"

/* A call looks at so many tasks and slots: takers wait meanwhile. */
enum { AT_ONCE = 4096 };

struct sweep {
    struct cf__inbox *inbox;
    struct cf__inbox_block *from; /* the block that is read */
    unsigned at;                  /* its next slot */
    struct cf__inbox_block *free; /* a block that has been read, or NULL */
    cf_future *out;               /* the tasks that are swept out, linked */
    size_t count;                 /* of these */
    unsigned left;                /* of AT_ONCE */
};

static void
sweep_out(struct sweep *s, cf_future *f)
{
    cf_store_relaxed(&f->next, s->out); /* it is out of the queue */
    s->out = f;
    s->count++;
}

/* Makes sure that the block that is written, swept, has room for one more slot.
 * false: no memory. */
static bool
has_room(struct sweep *s)
{
    struct cf__inbox *inbox = s->inbox;
    struct cf__inbox_block *block = s->free;
    if (inbox->swept && inbox->swept->end < CF__INBOX_SLOTS)
        return true;
    s->free = NULL;
    if (!block)
        block = cf__inbox_new_block(false);
    if (!block)
        return false;
    block->begin = block->end = 0;
    /* A fork's child finds the list whole. */
    cf_store_release(&block->next, s->from);
    if (inbox->swept)
        cf_store_release(&inbox->swept->next, block);
    else
        cf_store_release(&inbox->first, block); /* it gets the next slots */
    if (!inbox->swept)
        inbox->next = 0;
    inbox->swept = block;
    return true;
}

static void
keep(struct sweep *s, uintptr_t slot)
{
    struct cf__inbox_block *to = s->inbox->swept;
    to->slots[to->end++] = slot;
}

static void
keep_skip(struct sweep *s, uintptr_t count)
{
    struct cf__inbox_block *to = s->inbox->swept;
    /* A gap that the taker has passed does not count any more. */
    bool first = cf_load_relaxed(&s->inbox->first) == to;
    unsigned oldest = first ? s->inbox->next : to->begin;
    if (count == 0)
        return;
    if (to->end > oldest && to->slots[to->end - 1] & CF__INBOX_SKIP)
        to->slots[to->end - 1] += count << CF__INBOX_SKIP_SHIFT;
    else
        keep(s, count << CF__INBOX_SKIP_SHIFT | CF__INBOX_SKIP);
}

static void
sweep_slot(struct sweep *s)
{
    uintptr_t slot = s->from->slots[s->at++];
    s->left--;
    if (slot & CF__INBOX_SKIP) {
        keep_skip(s, slot >> CF__INBOX_SKIP_SHIFT);
    } else if (cf__is_stale((cf_future *)slot)) {
        sweep_out(s, (cf_future *)slot);
        keep_skip(s, 1);
    } else {
        keep(s, slot);
    }
}

static void
pass_read_block(struct sweep *s)
{
    struct cf__inbox_block *block = s->from;
    s->from = cf_load_relaxed(&block->next);
    s->at = s->from->begin;
    cf_store_release(&s->inbox->swept->next, s->from);
    cf__inbox_free_block(s->free);
    s->free = block;
}

/* Begins a sweep: pushes go on in a new block, and all blocks before it can be
 * swept. false: there is nothing to sweep, or no memory. */
static bool
seal(struct cf__inbox *inbox)
{
    cf__lock(&inbox->lock);
    struct cf__inbox_block *block = inbox->last;
    unsigned used = inbox->used;
    bool sealed = block && (used == 0 || cf__inbox_add_block_locked(inbox));
    struct cf__inbox_block *last = inbox->last;
    cf__unlock(&inbox->lock);
    if (!sealed)
        return false;
    if (used > 0)
        block->end = (uint16_t)used;
    if (block == cf_load_relaxed(&inbox->first)) /* the taker's own */
        inbox->limit = block->end;
    inbox->swept = NULL;
    inbox->sweep_end = last;
    return true;
}

size_t
cf__inbox_sweep(struct cf__inbox *inbox, bool begin, cf_future **swept)
{
    struct sweep s = {.inbox = inbox, .left = AT_ONCE};
    *swept = NULL;
    if (!inbox->sweep_end && (!begin || !seal(inbox)))
        return 0;
    struct cf__inbox_block *first = cf_load_relaxed(&inbox->first); /* own */
    if (inbox->swept) {
        s.from = cf_load_relaxed(&inbox->swept->next);
    } else {
        first->begin = (uint16_t)inbox->next;
        s.from = first;
    }
    s.at = s.from->begin;
    while (s.from != inbox->sweep_end && s.left > 0) {
        if (s.at == s.from->end) {
            if (!inbox->swept && !has_room(&s))
                break;
            pass_read_block(&s);
            continue;
        }
        if (!has_room(&s))
            break;
        sweep_slot(&s);
    }
    s.from->begin = (uint16_t)s.at;
    inbox->limit = cf_load_relaxed(&inbox->first)->end;
    if (s.from == inbox->sweep_end) /* it is over */
        inbox->sweep_end = inbox->swept = NULL;
    cf__inbox_free_block(s.free);
    *swept = s.out;
    return s.count;
}
