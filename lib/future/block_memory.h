/* SPDX-License-Identifier: MIT */
/*
 * The memory that blocks are cut from: large chunks, mapped one after another,
 * never unmapped. A chunk is made of pages. If a page has no block, or only
 * free ones, it can be given back: it takes no memory until blocks are cut from
 * it again. It stays mapped and reads as zero, since a thread may still look at
 * a block that was freed a moment ago.
 *
 * The caller of a function _locked holds the depot's lock (depot.c).
 */
#ifndef CF_LIB_FUTURE_BLOCK_MEMORY_H
#define CF_LIB_FUTURE_BLOCK_MEMORY_H

#include "lib/future/future.h"

/* Memory that is about to be used. The caller populates it (lib/base/large.h)
 * when it holds no lock. size 0: there is none. */
struct cf__ahead {
    void *start;
    size_t size;
};

/* Cuts at most count new blocks that lie in one piece. Returns how many; 0: no
 * memory. */
unsigned cf__block_cut_locked(unsigned count,
                              cf_future **blocks,
                              struct cf__ahead *ahead);

/* How many blocks there are, used or free, on pages that have not been given
 * back. */
size_t cf__block_count_locked(void);

struct cf__block_sort;

/*
 * Finds the pages that have only blocks of one list, and gives them back. The
 * owner of the list holds the lock for the first and the last call only:
 *
 *   begin      NULL: no memory for the counts
 *   count      for each block of the list
 *   is_gone    for each block again: it is on such a page, and must not be used
 *              any more
 *   give_back  gives these pages back; returns how many they are
 *   end        marks them as given back
 */
struct cf__block_sort *cf__block_sort_begin_locked(void);
void cf__block_sort_count(struct cf__block_sort *sort, const cf_future *f);
bool cf__block_sort_is_gone(struct cf__block_sort *sort, const cf_future *f);
size_t cf__block_sort_give_back(struct cf__block_sort *sort);
void cf__block_sort_end_locked(struct cf__block_sort *sort);

/* In a fork's child, where all this may be half changed: begins with no memory.
 * The chunks stay as they are. */
void cf__block_memory_forget(void);

#endif
