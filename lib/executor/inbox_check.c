/* SPDX-License-Identifier: MIT */
/* Is an inbox whole? lib/base/assert.h. All functions have the taker's
 * rights. */
#include "lib/executor/inbox_block.h"

#include "lib/base/assert.h"

#ifdef CF_ASSERTIONS

/* A call looks at about so many tasks and slots, from the oldest on. */
enum { LOOKS_MAX = 4096 };

/* The inbox as it was at one moment, and what the walk has found in it. */
struct walk {
    const struct cf__inbox_block *last;
    unsigned used;
    uint64_t tasks, gaps;
    bool found_swept, found_sweep_end;
    unsigned looks;
};

/* The queue has a handle of each of its tasks: so f is not freed. */
static void
check_task(struct walk *walk, const cf_future *f)
{
    cf__assert(f && (uintptr_t)f % _Alignof(cf_future) == 0);
    cf__assert(cf_load_relaxed(&f->word) >> 32 != 0); /* it has one */
    walk->tasks++;
    walk->looks++;
}

static void
check_slot(struct walk *walk, uintptr_t slot)
{
    if (slot & CF__INBOX_SKIP) {
        uint64_t count = slot >> CF__INBOX_SKIP_SHIFT;
        cf__assert(count > 0);
        walk->gaps += count;
        walk->looks++;
    } else {
        check_task(walk, (const cf_future *)slot);
    }
}

static void
check_block(struct walk *walk,
            const struct cf__inbox *inbox,
            const struct cf__inbox_block *block,
            unsigned at)
{
    unsigned end = block == walk->last ? walk->used : block->end;
    walk->found_swept |= block == inbox->swept;
    walk->found_sweep_end |= block == inbox->sweep_end;
    cf__assert(block->begin <= at && at <= end && end <= CF__INBOX_SLOTS);
    for (; at < end && walk->looks < LOOKS_MAX; at++)
        check_slot(walk, block->slots[at]);
    walk->looks++;
}

/* true: it has looked at all blocks. */
static bool
check_blocks(struct walk *walk, const struct cf__inbox *inbox)
{
    const struct cf__inbox_block *block = cf_load_relaxed(&inbox->first);
    unsigned at = inbox->next;
    while (walk->looks < LOOKS_MAX) {
        check_block(walk, inbox, block, at);
        if (block == walk->last)
            break;
        block = cf_load_relaxed(&block->next);
        cf__assert(block != NULL); /* each but the last one has a next */
        at = block->begin;
    }
    return walk->looks < LOOKS_MAX;
}

void
cf__inbox_check(struct cf__inbox *inbox, uint64_t taken, uint64_t gaps)
{
    cf__lock(&inbox->lock);
    const struct cf__inbox_block *first = cf_load_relaxed(&inbox->first);
    uint64_t places = cf_load_relaxed(&inbox->pushed) - taken; /* locked */
    struct walk walk = {.last = inbox->last, .used = inbox->used};
    cf__assert(walk.used <= CF__INBOX_SLOTS);
    cf__assert((first == NULL) == (walk.last == NULL));
    /* The youngest block is the end of the list. */
    cf__assert(!walk.last || !cf_load_relaxed(&walk.last->next));
    cf__unlock(&inbox->lock);
    cf__assert(gaps <= places);
    cf__assert(!inbox->swept || inbox->sweep_end);
    if (!first) {
        cf__assert(places == 0 && !inbox->sweep_end);
        return;
    }
    cf__assert(inbox->next <= inbox->limit && inbox->limit == first->end);
    bool whole = check_blocks(&walk, inbox);
    cf__assert(walk.tasks <= places - gaps && walk.gaps <= gaps);
    if (whole) {
        cf__assert(walk.tasks + walk.gaps == places);
        cf__assert(walk.found_swept == (inbox->swept != NULL));
        cf__assert(walk.found_sweep_end == (inbox->sweep_end != NULL));
    }
}

#endif
