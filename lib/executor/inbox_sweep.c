/* SPDX-License-Identifier: MIT */
/*
 * Sweeping an inbox: what stays is copied to new blocks, in order, and what was
 * swept out between leaves one slot that says how many. README.md, "The
 * queue", has the argument.
 *
 * All of it has the taker's rights. It reads sealed blocks only, to which
 * nobody pushes any more.
 */
#include "lib/executor/inbox_block.h"
#include "lib/executor/pending.h"
#include "lib/executor/queue.h"

enum { AT_ONCE = 4096 }; /* tasks and slots: others wait meanwhile */

struct sweep {
    struct cf__inbox *inbox;
    struct cf__inbox_block *from; /* what is read */
    unsigned at;                  /* its next slot */
    struct cf__inbox_block *free; /* one that has been read */
    cf_future *out;
    size_t count;
    unsigned left; /* of AT_ONCE */
};

static void
sweep_out(struct sweep *s, cf_future *f)
{
    cf_store_relaxed(&f->next, s->out); /* out of the queue, and ours */
    s->out = f;
    s->count++;
}

/* There is room for two slots more in the block that is written. */
static bool
has_room(struct sweep *s)
{
    struct cf__inbox *inbox = s->inbox;
    struct cf__inbox_block *block = s->free;
    if (inbox->swept && inbox->swept->end + 2 <= CF__INBOX_SLOTS)
        return true;
    s->free = NULL;
    if (!block)
        block = malloc(sizeof *block);
    if (!block)
        return false;
    block->begin = block->end = 0;
    /* Whoever forks finds the list whole. */
    cf_store_release(&block->next, s->from);
    if (inbox->swept)
        cf_store_release(&inbox->swept->next, block);
    else
        cf_store_release(&inbox->first, block); /* it has the taker's slots */
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
    /* One that the taker has passed does not count any more. */
    bool first = cf_load_relaxed(&s->inbox->first) == to;
    unsigned oldest = first ? s->inbox->next : to->begin;
    if (count == 0)
        return;
    if (to->end > oldest && to->slots[to->end - 1] & CF__INBOX_SKIP)
        to->slots[to->end - 1] += count << CF__INBOX_SKIP_SHIFT;
    else
        keep(s, count << CF__INBOX_SKIP_SHIFT | CF__INBOX_SKIP);
}

/* What stays of a chain, and after it how many do not: all of a chain was
 * pushed at once. What is left for the next time is a chain of its own. */
static void
sweep_chain(struct sweep *s, cf_future *f)
{
    cf_future *oldest = NULL, *newest = NULL;
    uintptr_t out = 0;
    for (cf_future *next; f && s->left > 0; f = next, s->left--) {
        next = cf_load_relaxed(&f->next); /* the taker's */
        if (cf__is_stale(f)) {
            sweep_out(s, f);
            out++;
            continue;
        }
        if (newest)
            cf_store_relaxed(&newest->next, f);
        else
            oldest = f;
        newest = f;
    }
    if (oldest) {
        cf_store_relaxed(&newest->next, NULL);
        keep(s, (uintptr_t)oldest | CF__INBOX_CHAIN);
    }
    keep_skip(s, out);
    if (f)
        s->from->slots[--s->at] = (uintptr_t)f | CF__INBOX_CHAIN;
}

static void
sweep_slot(struct sweep *s)
{
    uintptr_t slot = s->from->slots[s->at++];
    cf_future *f = (cf_future *)(slot & ~CF__INBOX_CHAIN);
    s->left--;
    if (slot & CF__INBOX_SKIP) {
        keep_skip(s, slot >> CF__INBOX_SKIP_SHIFT);
    } else if (slot & CF__INBOX_CHAIN) {
        s->left++;
        sweep_chain(s, f);
    } else if (cf__is_stale(f)) {
        sweep_out(s, f);
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
    free(s->free);
    s->free = block;
}

/* Pushes go on in a new block; all before it can be swept. */
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
        if (inbox->chain) /* back to the slot that it was read from */
            first->slots[--inbox->next] =
                (uintptr_t)inbox->chain | CF__INBOX_CHAIN;
        inbox->chain = NULL;
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
    free(s.free);
    *swept = s.out;
    return s.count;
}
