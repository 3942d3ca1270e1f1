/* SPDX-License-Identifier: MIT */
/*
 * Under the arena's lock, all of it. The table of runs, the bins and the recent
 * runs: see page_runs.h.
 */
#include "process_pool/memory/page_runs.h"

#include "lib/base/assert.h"
#include "process_pool/memory/page_bits.h"

#include <string.h>

enum {
    LOOK_INTO = 8,        /* runs of a bin that may be too short */
    CHECK_STEPS = 4096,   /* runs that a check looks at */
    TRIM_STEPS = 16 << 10 /* runs that a trim passes in one call */
};

size_t
cf__runs_memory_size(uint32_t count)
{
    return count * sizeof(struct cf__page) +
           ((size_t)count + 63) / 64 * sizeof(uint64_t);
}

/* Exact up to 15 pages; then the power of two, and the three bits after it. */
static uint32_t
bin_of(uint32_t pages)
{
    if (pages < 16)
        return pages;
    uint32_t log2 = 31 - (uint32_t)__builtin_clz(pages);
    return 16 + (log2 - 4) * 8 + ((pages >> (log2 - 3)) & 7);
}

/* Writes the run's length and kind into its first page's entry, and its length
 * into its last one's. */
static void
set_run(struct cf__runs *runs, uint32_t first, uint32_t pages, uint32_t kind)
{
    runs->table[first].pages = pages;
    runs->table[first].kind = kind;
    runs->table[first + pages - 1].pages = pages;
}

static void
put_in_bin(struct cf__runs *runs, uint32_t first)
{
    uint32_t bin = bin_of(runs->table[first].pages);
    uint32_t next = runs->bins[bin];
    runs->table[first].next = next;
    runs->table[first].prev = CF__NO_PAGE;
    if (next != CF__NO_PAGE)
        runs->table[next].prev = first;
    runs->bins[bin] = first;
    runs->bin_map[bin / 64] |= UINT64_C(1) << (bin % 64);
}

static void
take_from_bin(struct cf__runs *runs, uint32_t first)
{
    const struct cf__page *run = &runs->table[first];
    uint32_t bin = bin_of(run->pages);
    if (run->next != CF__NO_PAGE)
        runs->table[run->next].prev = run->prev;
    if (run->prev != CF__NO_PAGE) {
        runs->table[run->prev].next = run->next;
        return;
    }
    runs->bins[bin] = run->next;
    if (run->next == CF__NO_PAGE)
        runs->bin_map[bin / 64] &= ~(UINT64_C(1) << (bin % 64));
}

void
cf__runs_init(struct cf__runs *runs, void *memory, uint32_t count)
{
    memset(runs, 0, sizeof *runs);
    runs->table = memory;
    runs->dirty = (uint64_t *)(void *)(runs->table + count);
    runs->count = count;
    memset(runs->bins, 0xff, sizeof runs->bins); /* CF__NO_PAGE */
    set_run(runs, 0, count, CF__RUN_FREE);
    put_in_bin(runs, 0);
}

/* Joins a run that is in no bin with its free neighbours, and puts it in a
 * bin. */
static void
free_run(struct cf__runs *runs, uint32_t first)
{
    uint32_t pages = runs->table[first].pages;
    uint32_t after = first + pages;
    if (after < runs->count && cf__run_kind(runs, after) == CF__RUN_FREE) {
        take_from_bin(runs, after);
        runs->table[after].kind = CF__RUN_NONE;
        if (runs->cursor == after)
            runs->cursor = first;
        pages += runs->table[after].pages;
    }
    uint32_t before = first ? first - runs->table[first - 1].pages : first;
    if (before < first && cf__run_kind(runs, before) == CF__RUN_FREE) {
        take_from_bin(runs, before);
        runs->table[first].kind = CF__RUN_NONE;
        if (runs->cursor == first)
            runs->cursor = before;
        pages += runs->table[before].pages;
        first = before;
    }
    set_run(runs, first, pages, CF__RUN_FREE);
    put_in_bin(runs, first);
}

/* Cuts the pages at .. at + pages - 1 out of a FREE run that contains them. */
static void
carve(struct cf__runs *runs,
      uint32_t run,
      uint32_t at,
      uint32_t pages,
      enum cf__run_kind kind)
{
    uint32_t end = run + runs->table[run].pages;
    take_from_bin(runs, run);
    if (run < at) {
        set_run(runs, run, at - run, CF__RUN_FREE);
        put_in_bin(runs, run);
    }
    set_run(runs, at, pages, kind);
    if (at + pages < end) {
        set_run(runs, at + pages, end - at - pages, CF__RUN_FREE);
        put_in_bin(runs, at + pages);
    }
}

static void
mark_dirty(struct cf__runs *runs, uint32_t first, uint32_t end)
{
    cf__bits_assign(runs->dirty, first, end, true);
    if (runs->dirty_end < end)
        runs->dirty_end = end;
}

/* Moves the `few` oldest recent runs to the bins. */
static void
bin_oldest(struct cf__runs *runs, uint32_t few)
{
    for (uint32_t i = 0; i < few; i++) {
        uint32_t first = runs->recent_first[i];
        mark_dirty(runs, first, first + runs->recent_pages[i]);
        free_run(runs, first);
    }
    uint32_t rest = runs->recent_count - few;
    size_t size = rest * sizeof(uint32_t);
    memmove(runs->recent_first, runs->recent_first + few, size);
    memmove(runs->recent_pages, runs->recent_pages + few, size);
    runs->recent_count = rest;
}

void
cf__runs_bin_recent(struct cf__runs *runs)
{
    bin_oldest(runs, runs->recent_count);
}

void
cf__runs_give(struct cf__runs *runs, uint32_t first)
{
    if (runs->recent_count == CF__RUNS_RECENT)
        bin_oldest(runs, CF__RUNS_RECENT / 2);
    runs->table[first].kind = CF__RUN_RECENT;
    runs->recent_first[runs->recent_count] = first;
    runs->recent_pages[runs->recent_count] = runs->table[first].pages;
    runs->recent_count++;
}

/* Takes the last given run of exactly this size from the recent. */
static uint32_t
take_recent(struct cf__runs *runs, uint32_t pages)
{
    for (uint32_t i = runs->recent_count; i-- > 0;) {
        if (runs->recent_pages[i] != pages)
            continue;
        uint32_t first = runs->recent_first[i];
        runs->recent_count--;
        for (; i < runs->recent_count; i++) {
            runs->recent_first[i] = runs->recent_first[i + 1];
            runs->recent_pages[i] = runs->recent_pages[i + 1];
        }
        return first;
    }
    return CF__NO_PAGE;
}

/* A run of at least so many pages among the first `limit` of a bin. */
static uint32_t
look_into_bin(const struct cf__runs *runs,
              uint32_t bin,
              uint32_t pages,
              uint32_t limit)
{
    uint32_t run = runs->bins[bin];
    while (run != CF__NO_PAGE && runs->table[run].pages < pages)
        run = --limit ? runs->table[run].next : CF__NO_PAGE;
    return run;
}

/* A run of a bin after this one: each is long enough. */
static uint32_t
look_after_bin(const struct cf__runs *runs, uint32_t bin)
{
    bin = cf__bits_find(runs->bin_map, bin + 1, CF__RUN_BINS, true);
    return bin < CF__RUN_BINS ? runs->bins[bin] : CF__NO_PAGE;
}

uint32_t
cf__runs_take(struct cf__runs *runs, uint32_t pages, bool keep_dirty)
{
    uint32_t run = take_recent(runs, pages);
    if (run != CF__NO_PAGE) {
        runs->table[run].kind = CF__RUN_USED;
        if (keep_dirty)
            mark_dirty(runs, run, run + pages);
        return run;
    }
    uint32_t bin = bin_of(pages);
    run = look_into_bin(runs, bin, pages, LOOK_INTO);
    if (run == CF__NO_PAGE)
        run = look_after_bin(runs, bin);
    if (run == CF__NO_PAGE)
        /* the range is nearly full */
        run = look_into_bin(runs, bin, pages, UINT32_MAX);
    if (run == CF__NO_PAGE)
        return run;
    carve(runs, run, run, pages, CF__RUN_USED);
    if (!keep_dirty) {
        uint32_t end = run + pages;
        if (end > runs->dirty_end)
            end = runs->dirty_end;
        cf__bits_assign(runs->dirty, run, end, false);
    }
    return run;
}

uint32_t
cf__runs_next_dirty(struct cf__runs *runs, uint32_t *first, uint32_t end)
{
    if (end > runs->dirty_end)
        end = runs->dirty_end;
    if (*first >= end)
        return 0;
    *first = cf__bits_find(runs->dirty, *first, end, true);
    uint32_t after = cf__bits_find(runs->dirty, *first, end, false);
    cf__bits_assign(runs->dirty, *first, after, false);
    return after - *first;
}

void
cf__runs_trim_begin(struct cf__runs *runs)
{
    runs->cursor = 0;
    runs->trim_from = 0;
}

bool
cf__runs_trim_next(struct cf__runs *runs, uint32_t max_pages, uint32_t *first)
{
    *first = CF__NO_PAGE;
    for (int step = 0; step < TRIM_STEPS; step++) {
        uint32_t run = runs->cursor, at = runs->trim_from;
        if (run >= runs->dirty_end || at >= runs->dirty_end)
            return false;
        uint32_t end = run + runs->table[run].pages, limit = end;
        if (limit > runs->dirty_end)
            limit = runs->dirty_end;
        if (at < run)
            at = run;
        if (cf__run_kind(runs, run) == CF__RUN_FREE)
            at = cf__bits_find(runs->dirty, at, limit, true);
        else
            at = limit;
        if (at < limit) {
            if (max_pages < limit - at)
                limit = at + max_pages;
            runs->trim_from = cf__bits_find(runs->dirty, at, limit, false);
            carve(runs, run, at, runs->trim_from - at, CF__RUN_HELD);
            *first = at;
            return true;
        }
        runs->cursor = end;
    }
    return true;
}

void
cf__runs_unhold(struct cf__runs *runs, uint32_t first, bool zero)
{
    if (zero) {
        uint32_t end = first + runs->table[first].pages;
        cf__bits_assign(runs->dirty, first, end, false);
    }
    free_run(runs, first);
}

#ifdef CF_ASSERTIONS
/* A FREE run is not before another one. It is in the bin of its size: its
 * neighbours in the list, or the list's head, refer to it. */
static void
check_free(const struct cf__runs *runs, uint32_t first)
{
    const struct cf__page *run = &runs->table[first];
    uint32_t bin = bin_of(run->pages), end = first + run->pages;
    cf__assert(end == runs->count || cf__run_kind(runs, end) != CF__RUN_FREE);
    cf__assert(runs->bin_map[bin / 64] >> (bin % 64) & 1);
    if (run->prev == CF__NO_PAGE)
        cf__assert(runs->bins[bin] == first);
    else
        cf__assert(runs->table[run->prev].next == first);
    if (run->next != CF__NO_PAGE)
        cf__assert(runs->table[run->next].prev == first);
}

static void
check_run(const struct cf__runs *runs, uint32_t first)
{
    const struct cf__page *run = &runs->table[first];
    cf__assert(run->kind > CF__RUN_NONE && run->kind <= CF__RUN_HELD);
    cf__assert(run->pages > 0 && run->pages <= runs->count - first);
    uint32_t last = first + run->pages - 1, end = last + 1;
    cf__assert(runs->table[last].pages == run->pages);
    cf__assert(last == first || cf__run_kind(runs, last) == CF__RUN_NONE);
    if (run->kind == CF__RUN_FREE)
        check_free(runs, first);
    if (run->kind == CF__RUN_RECENT || run->kind == CF__RUN_SLAB)
        cf__assert(cf__bits_find(runs->dirty, first, end, true) == end);
}

static void
check_recent(const struct cf__runs *runs)
{
    cf__assert(runs->recent_count <= CF__RUNS_RECENT);
    for (uint32_t i = 0; i < runs->recent_count; i++) {
        uint32_t first = runs->recent_first[i];
        cf__assert(cf__run_kind(runs, first) == CF__RUN_RECENT);
        cf__assert(runs->table[first].pages == runs->recent_pages[i]);
    }
}

static void
check_bins(const struct cf__runs *runs)
{
    for (uint32_t bin = 0; bin < CF__RUN_BINS; bin++) {
        uint32_t first = runs->bins[bin];
        bool listed = runs->bin_map[bin / 64] >> (bin % 64) & 1;
        cf__assert(listed == (first != CF__NO_PAGE));
        cf__assert(!listed || cf__run_kind(runs, first) == CF__RUN_FREE);
    }
}
#endif

void
cf__runs_check(const struct cf__runs *runs)
{
#ifdef CF_ASSERTIONS
    uint32_t at = 0, recent = 0, passed = 0;
    for (; at < runs->count && passed < CHECK_STEPS; passed++) {
        check_run(runs, at);
        recent += cf__run_kind(runs, at) == CF__RUN_RECENT;
        at += runs->table[at].pages;
    }
    cf__assert(at < runs->count || recent == runs->recent_count);
    check_recent(runs);
    check_bins(runs);
    cf__assert(runs->dirty_end <= runs->count);
    cf__assert(runs->cursor == runs->count ||
               cf__run_kind(runs, runs->cursor) != CF__RUN_NONE);
#else
    (void)runs;
#endif
}
