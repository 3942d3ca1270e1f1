/* SPDX-License-Identifier: MIT */
/*
 * The arena's memory: what a range takes, and what a trim gives back.
 */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/arena_rounds.h"

TestSuite(arena_memory, .timeout = 60);

enum { MIB = 1 << 20 };

static struct cf__arena arena;
static char *range;

static void
open_arena(size_t size)
{
    range = range_map(size);
    cr_assert_not_null(range);
    cr_assert(cf__arena_init(&arena, range, size) == CF_OK);
}

/* Bytes from p on that have memory. */
static size_t
resident(char *p, size_t size)
{
    static unsigned char pages[64 * MIB / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    cr_assert(size / page <= sizeof pages && mincore(p, size, pages) == 0);
    for (size_t i = 0; i < size / page; i++)
        count += pages[i] & 1;
    return count * page;
}

/* Of this process. */
static size_t
resident_in_all(void)
{
    size_t all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert(file && fscanf(file, "%zu %zu", &all, &pages) == 2);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

Test(arena_memory, a_huge_range_takes_only_what_is_used)
{
    size_t size = (size_t)256 << 30;
    size_t before = resident_in_all();
    open_arena(size);
    char *p = cf__arena_alloc(&arena, size / 4 * 3);
    char *q = cf__arena_alloc(&arena, size / 4);
    cr_assert(p && q && !cf__arena_alloc(&arena, 1), "all is given");
    p[0] = p[size / 4 * 3 - 1] = q[0] = q[size / 4 - 1] = 1;
    cf__arena_free(&arena, p);
    char *small = cf__arena_alloc_zeroed(&arena, 1000);
    cr_assert(small && bytes_are(small, 1000, 0));
    size_t after = resident_in_all();
    /* A bit for each page of p, which is dirty now, is 6 MiB. */
    cr_assert(after < before + 16 * MIB, "%zu, %zu", before, after);
    cf__arena_fini(&arena);
}

Test(arena_memory, a_trim_gives_free_pages_back_which_are_zero_then)
{
    enum { SIZE = 16 * MIB };
    open_arena(64 * MIB);
    char *used = cf__arena_alloc(&arena, SIZE);
    char *p = cf__arena_alloc(&arena, SIZE);
    char *small = cf__arena_alloc(&arena, 100);
    memset(used, 5, SIZE);
    memset(p, 6, SIZE);
    memset(small, 7, 100);
    cr_assert(resident(p, SIZE) == SIZE);
    cf__arena_free(&arena, p);
    cr_assert(cf__arena_trim(&arena) == SIZE);
    cr_assert(resident(p, SIZE) == 0);
    cr_assert(cf__arena_trim(&arena) == 0, "nothing is left");
    cr_assert(bytes_are(used, SIZE, 5) && bytes_are(small, 100, 7));
    char *again = cf__arena_alloc_zeroed(&arena, SIZE);
    cr_assert(again == p && resident(p, SIZE) == 0, "not cleared once more");
    cr_assert(bytes_are(p, SIZE, 0));
    cf__arena_free(&arena, used);
    cf__arena_free(&arena, again);
    cf__arena_free(&arena, small);
    cr_assert(cf__arena_trim(&arena) >= 2 * SIZE, "the slab, too");
    cr_assert(resident(range, 64 * MIB) == 0);
    cf__arena_fini(&arena);
}

Test(arena_memory, a_trim_gives_back_what_lies_between_used_blocks)
{
    enum { BLOCKS = 500, SIZE = 8192 };
    char *blocks[BLOCKS];
    open_arena(16 * MIB);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = cf__arena_alloc(&arena, SIZE);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], i + 1, SIZE);
    }
    for (int i = 0; i < BLOCKS; i += 2)
        cf__arena_free(&arena, blocks[i]);
    cr_assert(cf__arena_trim(&arena) == BLOCKS / 2 * SIZE);
    cr_assert(resident(range, 16 * MIB) == BLOCKS / 2 * SIZE);
    for (int i = 1; i < BLOCKS; i += 2) {
        cr_assert(bytes_are(blocks[i], SIZE, (unsigned char)(i + 1)));
        cf__arena_free(&arena, blocks[i]);
    }
    cf__arena_fini(&arena);
}

Test(arena_memory, small_blocks_that_are_all_free_give_their_slabs_back)
{
    enum { BLOCKS = 20000 };
    static char *blocks[BLOCKS];
    open_arena(16 * MIB);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = cf__arena_alloc(&arena, 100);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], 1, 100);
    }
    for (int i = 0; i < BLOCKS; i++)
        cf__arena_free(&arena, blocks[i]);
    cr_assert(cf__arena_trim(&arena) >= (size_t)BLOCKS * 128);
    cr_assert(resident(range, 16 * MIB) == 0);
    char *whole = cf__arena_alloc_zeroed(&arena, 16 * MIB);
    cr_assert(whole && bytes_are(whole, 16 * MIB, 0));
    cf__arena_fini(&arena);
}

/* What is asked for is there before it is written; a run that was used is as it
 * was. */
Test(arena_memory, a_block_to_fill_is_there_at_once)
{
    enum { SIZE = 2 * MIB, SMALL = 16 << 10, POPULATE_WRITE = 23 };
    open_arena(16 * MIB);
    if (madvise(range, 4096, POPULATE_WRITE) != 0)
        cr_skip("the system has no MADV_POPULATE_WRITE");
    char *small = cf__arena_alloc_to_fill(&arena, SMALL);
    char *p = cf__arena_alloc_to_fill(&arena, SIZE);
    cr_assert(small && p && bytes_are(p, SIZE, 0));
    cr_assert(resident(p, SIZE) == SIZE);
    char *plain = cf__arena_alloc(&arena, SIZE);
    cr_assert(plain && resident(plain, SIZE) == 0);
    cf__arena_free(&arena, p);
    cr_assert(cf__arena_trim(&arena) == SIZE);
    cr_assert(resident(p, SIZE) == 0, "it is known as used");
    cr_assert_null(cf__arena_alloc_to_fill(&arena, 17 * MIB));
    cr_assert_null(cf__arena_alloc_to_fill(&arena, SIZE_MAX));
    cf__arena_check(&arena);
    cf__arena_fini(&arena);
}

/* A zeroed block is zero wherever a filled one was. */
Test(arena_memory, a_block_to_fill_leaves_dirty_pages_behind)
{
    enum { SIZE = 2 * MIB };
    open_arena(16 * MIB);
    for (int round = 0; round < 4; round++) {
        char *p = cf__arena_alloc_to_fill(&arena, SIZE);
        cr_assert_not_null(p);
        memset(p, 1, SIZE);
        char *after = cf__arena_alloc(&arena, SIZE / 2);
        memset(after, 2, SIZE / 2);
        cf__arena_free(&arena, p);
        cf__arena_free(&arena, after);
        char *zero = cf__arena_alloc_zeroed(&arena, SIZE + SIZE / 2);
        cr_assert(zero && bytes_are(zero, SIZE + SIZE / 2, 0));
        cf__arena_free(&arena, zero);
    }
    cf__arena_fini(&arena);
}

/* What the kernel may make huge of the range: the flag "hg" of a mapping. */
static bool
asks_for_huge_pages(void)
{
    char line[256];
    bool here = false, asks = false;
    FILE *file = fopen("/proc/self/smaps", "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here =
                from < (uintptr_t)range + arena.size && to > (uintptr_t)range;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            asks |= strstr(line, " hg") != NULL;
    }
    fclose(file);
    return asks;
}

Test(arena_memory, large_blocks_ask_for_huge_pages_until_memory_goes_back)
{
    enum { LARGE = 8 * MIB };
    open_arena(64 * MIB);
    if (madvise(range, 4096, MADV_HUGEPAGE) != 0)
        cr_skip("the system has no huge pages");
    cr_assert(madvise(range, 4096, MADV_NOHUGEPAGE) == 0);
    char *first = cf__arena_alloc_to_fill(&arena, LARGE);
    char *second = cf__arena_alloc_to_fill(&arena, LARGE);
    cr_assert(first && second && asks_for_huge_pages());
    cr_assert(cf__arena_trim(&arena) == 0);
    cr_assert(asks_for_huge_pages(), "all is in use");
    memset(second, 7, LARGE);
    cf__arena_free(&arena, first);
    cr_assert(cf__arena_trim(&arena) == LARGE);
    cr_assert_not(asks_for_huge_pages());
    cr_assert(bytes_are(second, LARGE, 7));
    cf__arena_fini(&arena);
}

/* Further than a trim goes with the lock held, and more than in one call. */
Test(arena_memory, a_trim_goes_a_long_way)
{
    enum { BLOCKS = 40000 };
    size_t large = (size_t)600 * MIB;
    open_arena(large + (size_t)(BLOCKS + 1) * 4096);
    char *last = NULL;
    for (int i = 0; i < BLOCKS; i++) {
        last = cf__arena_alloc(&arena, 4096);
        cr_assert_not_null(last);
    }
    cf__arena_free(&arena, last);
    cr_assert(cf__arena_trim(&arena) == 4096);
    cf__arena_free(&arena, cf__arena_alloc(&arena, large));
    cr_assert(cf__arena_trim(&arena) == large);
    cf__arena_fini(&arena);
}

static atomic_bool trims;

static void *
trim_main(void *arg)
{
    while (atomic_load(&trims))
        (void)cf__arena_trim(&arena);
    return arg;
}

Test(arena_memory, what_a_trim_has_in_hand_is_waited_for)
{
    pthread_t thread;
    open_arena(MIB);
    atomic_store(&trims, true);
    cr_assert(pthread_create(&thread, NULL, trim_main, NULL) == 0);
    for (int i = 0; i < 20000; i++) {
        char *p = cf__arena_alloc(&arena, MIB);
        cr_assert_not_null(p, "round %d", i);
        p[0] = 1;
        cf__arena_free(&arena, p);
    }
    atomic_store(&trims, false);
    pthread_join(thread, NULL);
    cf__arena_fini(&arena);
}
