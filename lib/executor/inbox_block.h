/* SPDX-License-Identifier: MIT */
/* The inbox's blocks: for inbox.c, inbox_sweep.c and inbox_check.c. */
#ifndef CF_LIB_EXECUTOR_INBOX_BLOCK_H
#define CF_LIB_EXECUTOR_INBOX_BLOCK_H

#include "lib/executor/inbox.h"
#include "lib/future/block.h"

#include <stdlib.h>

/* A slot has a task; or a gap: how many tasks have been swept out there,
 * shifted, and SKIP. */
#define CF__INBOX_SKIP ((uintptr_t)1)
#define CF__INBOX_SKIP_SHIFT 1

struct cf__inbox_block {
    /* Atomic. Set before anything is in the next block. */
    _Atomic(struct cf__inbox_block *) next;
    /* The slots in use. In the last block end is CF__INBOX_SLOTS, and the
     * inbox's used says how many are in use. Only the taker uses both, but the
     * push that adds a block sets them. */
    uint16_t begin, end;
    bool is_span; /* else it is from malloc() */
    uintptr_t slots[CF__INBOX_SLOTS];
};

_Static_assert(sizeof(struct cf__inbox_block) <= CF__SPAN_SIZE, "it fits");

/* A block, of which only is_span is set. An inbox's first one is from malloc():
 * a pool without many tasks takes none of the futures' memory. NULL: no
 * memory. */
static inline struct cf__inbox_block *
cf__inbox_new_block(bool first)
{
    struct cf__inbox_block *block =
        first ? malloc(sizeof *block) : cf__span_alloc();
    if (block)
        block->is_span = !first;
    return block;
}

/* block may be NULL. */
static inline void
cf__inbox_free_block(struct cf__inbox_block *block)
{
    if (block && block->is_span)
        cf__span_free(block);
    else
        free(block);
}

/* Adds a block for pushes: the last one is full or is sealed, or there is none.
 * false: no memory. */
bool cf__inbox_add_block_locked(struct cf__inbox *inbox);

#endif
