/* SPDX-License-Identifier: MIT */
/* The inbox's blocks, for inbox.c and inbox_sweep.c. */
#ifndef CF_LIB_EXECUTOR_INBOX_BLOCK_H
#define CF_LIB_EXECUTOR_INBOX_BLOCK_H

#include "lib/executor/inbox.h"

#include <stdlib.h>

/* Makes a block 4 KiB, with what malloc needs. */
enum { CF__INBOX_SLOTS = 508 };

/* A slot has a task, or the oldest of a chain and CHAIN, or SKIP and how many
 * tasks have been swept out there. */
#define CF__INBOX_CHAIN ((uintptr_t)1)
#define CF__INBOX_SKIP ((uintptr_t)2)
#define CF__INBOX_SKIP_SHIFT 2

struct cf__inbox_block {
    /* Atomic. Set before anything is in it. */
    _Atomic(struct cf__inbox_block *) next;
    /* The slots in use; in the last block up to what has been pushed. The
     * taker's, but for the last block's. */
    uint16_t begin, end;
    uintptr_t slots[CF__INBOX_SLOTS];
};

/* The last block is full or to be left, or there is none. */
bool cf__inbox_add_block_locked(struct cf__inbox *inbox);

#endif
