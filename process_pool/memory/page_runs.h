/* SPDX-License-Identifier: MIT */
/*
 * Pages of a range of address space, given out in runs.
 *
 * Nothing here looks into the range: a run is known by the number of its first
 * page, and all that is known of it is in a table beside the range, an entry
 * for each page. The table is as long as the range has pages, but only what is
 * written to takes memory. Every function wants the arena's lock held.
 *
 * A run that is given back is at first kept as it is, among the recent ones,
 * and found there by the next request for as many pages: its memory is still
 * in the caches and in the page tables. The eldest of the recent join their
 * free neighbours and go to the bins: lists by size, eight for each doubling.
 */
#ifndef CF_PROCESS_POOL_PAGE_RUNS_H
#define CF_PROCESS_POOL_PAGE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CF__PAGE_SHIFT 12
#define CF__PAGE_SIZE ((size_t)1 << CF__PAGE_SHIFT)
#define CF__NO_PAGE UINT32_MAX

enum {
    CF__RUN_BINS = 240,  /* 1 .. 15 pages, then 8 for each power of two */
    CF__RUNS_RECENT = 32 /* runs that keep their size when given back */
};

/* Of a run, in the entry of its first page. */
enum cf__run_kind {
    CF__RUN_NONE,   /* not the first page of any run */
    CF__RUN_FREE,   /* in the bin of its size */
    CF__RUN_RECENT, /* free, among the recent */
    CF__RUN_USED,   /* a block */
    CF__RUN_SLAB,   /* small blocks: small_blocks.h */
    CF__RUN_HELD    /* being trimmed */
};

/*
 * Invariants:
 *  - the runs tile the range: run r ends where the run r + table[r].pages
 *    begins, or the range does;
 *  - pages is the run's length in the entries of its first and its last page;
 *    elsewhere it means nothing;
 *  - kind is not CF__RUN_NONE exactly in the entries of first pages;
 *  - two FREE runs are never neighbours.
 */
struct cf__page {
    uint32_t pages;
    uint32_t kind; /* enum cf__run_kind */
    uint32_t next; /* of a FREE run: in its bin. Of every page of a SLAB: the
                      run's first page. Elsewhere it means nothing */
    uint32_t prev; /* of a FREE run, likewise */
};

/*
 * A page is dirty if it may hold something else than zeros. Invariants:
 *  - the bit of a page in a FREE or HELD run is set if the page is dirty;
 *  - in a RECENT or SLAB run every page is taken for dirty, and no bit is set;
 *  - in a USED run no bit is set, but while cf__arena_alloc_zeroed() clears
 *    the pages whose bits are still set;
 *  - no bit at or after dirty_end was ever set.
 */
struct cf__runs {
    struct cf__page *table;
    uint64_t *dirty;
    uint32_t count;     /* pages in the range; set once */
    uint32_t dirty_end; /* grows only */
    /* A trim goes through the runs in order of address. */
    uint32_t cursor;    /* the first page of a run, always */
    uint32_t trim_from; /* dirty pages before it have been tried */
    /* The recent, the eldest first. */
    uint32_t recent_count;
    uint32_t recent_pages[CF__RUNS_RECENT];
    uint32_t recent_first[CF__RUNS_RECENT];
    /* FREE runs; of a list that is not empty, the bit in bin_map is set. */
    uint64_t bin_map[(CF__RUN_BINS + 63) / 64];
    uint32_t bins[CF__RUN_BINS];
};

/* Bytes of memory that the runs of a range of so many pages want. */
size_t cf__runs_memory_size(uint32_t count);

/* memory is aligned and zero; it remains the caller's. */
void cf__runs_init(struct cf__runs *runs, void *memory, uint32_t count);

/*
 * Takes a run of so many (not 0) pages; its kind is then USED. keep_dirty: the
 * dirty bits tell which pages are dirty; else they are cleared. CF__NO_PAGE:
 * there is none, at least before cf__runs_bin_recent().
 */
uint32_t cf__runs_take(struct cf__runs *runs, uint32_t pages, bool keep_dirty);

/* Gives a USED or SLAB run back. */
void cf__runs_give(struct cf__runs *runs, uint32_t first);

/* Gives those away that are kept in their size. */
void cf__runs_bin_recent(struct cf__runs *runs);

/* Makes room first in a bin for what a trim has HELD. zero: its pages are. */
void cf__runs_unhold(struct cf__runs *runs, uint32_t first, bool zero);

/* Begins a trim. One at a time. */
void cf__runs_trim_begin(struct cf__runs *runs);

/*
 * The next dirty free pages to trim, at most so many: makes them a HELD run.
 * false: there are no more. *first may be CF__NO_PAGE: it was a long way, and
 * the caller should let others have the lock and then go on.
 */
bool
cf__runs_trim_next(struct cf__runs *runs, uint32_t max_pages, uint32_t *first);

/*
 * Of a USED run's pages, the first dirty ones from *first to end - 1: clears
 * their bits, and sets *first. Returns how many; 0: none.
 */
uint32_t
cf__runs_next_dirty(struct cf__runs *runs, uint32_t *first, uint32_t end);

/* The kind of the run whose first page is at; CF__RUN_NONE if at is none. */
static inline uint32_t
cf__run_kind(const struct cf__runs *runs, uint32_t at)
{
    return runs->table[at].kind;
}

#endif
