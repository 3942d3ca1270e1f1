/* SPDX-License-Identifier: MIT */
/* cf__arena_check(): what it lets pass, and what it finds. */
#include <criterion/criterion.h>
#include <signal.h>

#include "process_pool/memory/page_bits.h"
#include "tests/unit/arena_rounds.h"

enum { RANGE = 4 << 20, BLOCKS = 48, STEPS = 4000 };

static struct cf__arena arena;
static char *range;
static char *used, *freed, *after; /* blocks of two pages each, neighbours */
static char *small, *small_freed;  /* of 512 bytes */

static char *
alloc(size_t size)
{
    char *p = cf__arena_alloc(&arena, size);
    cr_assert_not_null(p);
    return p;
}

static void
open_arena(void)
{
    range = range_map(RANGE);
    cr_assert_not_null(range);
    cr_assert(cf__arena_init(&arena, range, RANGE) == CF_OK);
}

static void
fill_arena(void)
{
    open_arena();
    used = alloc(8192);
    freed = alloc(8192);
    after = alloc(8192);
    small = alloc(512);
    small_freed = alloc(512);
    cf__arena_free(&arena, small_freed);
    cf__arena_free(&arena, freed);
}

static void
close_arena(void)
{
    cf__arena_fini(&arena);
}

static uint32_t
page_of(const char *p)
{
    return (uint32_t)((size_t)(p - range) >> CF__PAGE_SHIFT);
}

Test(arena_check, is_whole_when_it_is_new, .init = open_arena)
{
    cf__arena_check(&arena);
    close_arena();
}

Test(arena_check, is_whole_at_each_step, .init = open_arena, .timeout = 60)
{
    struct random random = {random_seed()};
    char *blocks[BLOCKS] = {NULL};
    for (int step = 0; step < STEPS; step++) {
        char **block = &blocks[random_below(&random, BLOCKS)];
        if (*block) {
            cf__arena_free(&arena, *block);
            *block = NULL;
        } else if (step % 3) {
            *block = cf__arena_alloc(&arena, random_size(&random, 200000));
        } else {
            *block = cf__arena_alloc_zeroed(&arena, random_size(&random, 9000));
        }
        if (step % 100 == 99)
            (void)cf__arena_trim(&arena);
        cf__arena_check(&arena);
    }
    for (int i = 0; i < BLOCKS; i++)
        (void)cf__arena_free(&arena, blocks[i]);
    cf__arena_check(&arena);
    close_arena();
}

static struct cf__page *
entry(const char *p)
{
    return &arena.runs.table[page_of(p)];
}

Test(arena_check, is_whole_when_it_is_filled, .init = fill_arena)
{
    cf__arena_check(&arena);
    cr_assert(entry(freed)->kind == CF__RUN_RECENT);
    close_arena();
}

#ifdef CF_ASSERTIONS

/* Each of these breaks one thing, which the check finds. */
#define BROKEN(what)                                                           \
    Test(arena_check, broken_##what, .init = fill_arena, .signal = SIGABRT)

static struct cf__slab *
slab(void)
{
    return &arena.small.slabs[entry(small)->next / CF__SLAB_PAGES];
}

/* The 512-byte blocks' stack. */
static struct cf__small_size *
stack(void)
{
    return &arena.small.sizes[slab()->size_index];
}

BROKEN(by_a_run_that_is_longer)
{
    entry(used)->pages++;
    cf__arena_check(&arena);
}

BROKEN(by_a_run_of_no_pages)
{
    entry(used)->pages = 0;
    cf__arena_check(&arena);
}

BROKEN(by_a_last_page_that_disagrees)
{
    entry(used + 4096)->pages = 1;
    cf__arena_check(&arena);
}

BROKEN(by_a_kind_inside_a_run)
{
    entry(used + 4096)->kind = CF__RUN_USED;
    cf__arena_check(&arena);
}

BROKEN(by_a_kind_that_is_none)
{
    entry(used)->kind = CF__RUN_HELD + 1;
    cf__arena_check(&arena);
}

BROKEN(by_a_free_run_in_no_bin)
{
    entry(used)->kind = CF__RUN_FREE;
    cf__arena_check(&arena);
}

BROKEN(by_free_neighbours)
{
    cf__runs_bin_recent(&arena.runs);
    uint32_t *bin = &arena.runs.bins[entry(freed)->pages];
    cr_assert(*bin == page_of(freed));
    entry(used)->kind = CF__RUN_FREE; /* in the same bin, before freed */
    entry(used)->prev = CF__NO_PAGE;
    entry(used)->next = *bin;
    entry(freed)->prev = page_of(used);
    *bin = page_of(used);
    cf__arena_check(&arena);
}

BROKEN(by_a_bin_without_its_bit)
{
    for (size_t i = 0; i < sizeof arena.runs.bin_map / 8; i++)
        arena.runs.bin_map[i] = 0;
    cf__arena_check(&arena);
}

BROKEN(by_an_empty_bin_with_its_bit)
{
    arena.runs.bin_map[0] |= 1;
    cf__arena_check(&arena);
}

BROKEN(by_a_recent_run_in_use)
{
    entry(freed)->kind = CF__RUN_USED;
    cf__arena_check(&arena);
}

BROKEN(by_a_recent_run_of_another_size)
{
    arena.runs.recent_pages[0]++;
    cf__arena_check(&arena);
}

BROKEN(by_a_recent_run_that_is_not_noted)
{
    arena.runs.recent_count--;
    cf__arena_check(&arena);
}

BROKEN(by_a_dirty_bit_of_a_slab)
{
    uint32_t page = page_of(small);
    cf__bits_assign(arena.runs.dirty, page, page + 1, true);
    cf__arena_check(&arena);
}

BROKEN(by_a_cursor_inside_a_run)
{
    arena.runs.cursor = page_of(used) + 1;
    cf__arena_check(&arena);
}

BROKEN(by_a_held_run_without_a_trim)
{
    arena.held = page_of(used);
    cf__arena_check(&arena);
}

BROKEN(by_a_wrong_count_of_vacant_blocks)
{
    slab()->vacant_count--;
    cf__arena_check(&arena);
}

BROKEN(by_a_block_both_live_and_vacant)
{
    slab()->words[0].vacant |= slab()->words[0].live;
    cf__arena_check(&arena);
}

BROKEN(by_a_block_after_the_last)
{
    slab()->words[CF__SLAB_WORDS - 1].live = 1;
    cf__arena_check(&arena);
}

BROKEN(by_a_page_of_a_slab_that_is_elsewhere)
{
    arena.runs.table[slab()->first + 3].next++;
    cf__arena_check(&arena);
}

BROKEN(by_a_slab_in_no_list)
{
    stack()->slabs = CF__NO_SLAB;
    cf__arena_check(&arena);
}

BROKEN(by_a_block_that_is_lost)
{
    stack()->count--;
    cf__arena_check(&arena);
}

BROKEN(by_a_block_twice_on_a_stack)
{
    struct cf__small_ref *refs = arena.small.stacks[slab()->size_index];
    refs[stack()->count++] = refs[0];
    cf__arena_check(&arena);
}

BROKEN(by_a_live_block_on_a_stack)
{
    struct cf__small_ref *refs = arena.small.stacks[slab()->size_index];
    uint32_t block = refs[0].block;
    slab()->words[block / 64].live |= UINT64_C(1) << (block % 64);
    cf__arena_check(&arena);
}

BROKEN(by_a_stack_that_is_too_high)
{
    stack()->count = CF__SMALL_STACK + 1;
    cf__arena_check(&arena);
}

#endif
