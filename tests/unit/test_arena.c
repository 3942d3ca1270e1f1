/* SPDX-License-Identifier: MIT */
/*
 * The arena's blocks: where they are, what they hold, that nothing in the range
 * is believed, and that misuse ends the program. Its memory:
 * test_arena_memory.c
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/arena_rounds.h"

enum { RANGE = 4 << 20, PAGES = RANGE / 4096, UNITS = RANGE / 64 };

static struct cf__arena arena;
static char *range;

static void
open_arena(void)
{
    range = range_map(RANGE);
    cr_assert_not_null(range);
    cr_assert(cf__arena_init(&arena, range, RANGE) == CF_OK);
}

static void
close_arena(void)
{
    cf__arena_fini(&arena);
}

TestSuite(arena, .init = open_arena, .fini = close_arena, .timeout = 60);

static char *
alloc(size_t size)
{
    char *p = cf__arena_alloc(&arena, size);
    cr_assert_not_null(p, "%zu bytes", size);
    return p;
}

/* Nothing is in use: all of the range is one block. */
static void
assert_whole(void)
{
    char *p = alloc(RANGE);
    cr_assert(p == range);
    cr_assert(cf__arena_free(&arena, p) == RANGE);
}

static const size_t sizes[] = {
    1, 64, 65, 1000, 3584, 3585, 4096, 4097, 64 << 10, 100000, 1 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* --- where they are ------------------------------------------------------ */

Test(arena, blocks_are_aligned_and_as_large_as_asked)
{
    for (size_t size = 0; size <= 20000; size += 7) {
        char *p = alloc(size), *q = alloc(size);
        size_t has = cf__arena_size(&arena, p);
        cr_assert(has >= size && has > 0, "%zu of %zu", has, size);
        cr_assert((uintptr_t)p % (size < 4096 ? 64 : 4096) == 0, "%zu", size);
        cr_assert(q >= p + has || p >= q + cf__arena_size(&arena, q));
        memset(p, 1, has);
        cr_assert(cf__arena_free(&arena, p) == has);
        cf__arena_free(&arena, q);
    }
    cf__arena_trim(&arena);
    assert_whole();
}

Test(arena, the_last_freed_is_the_first_given)
{
    enum { FEW = 4 };
    for (int i = 0; i < SIZES - 1; i++) { /* 1 MiB: there are no four */
        char *blocks[FEW];
        for (int k = 0; k < FEW; k++)
            blocks[k] = alloc(sizes[i]);
        for (int k = 0; k < FEW; k++)
            cf__arena_free(&arena, blocks[k]);
        for (int k = FEW; k-- > 0;)
            cr_assert(alloc(sizes[i]) == blocks[k], "%zu bytes", sizes[i]);
        for (int k = 0; k < FEW; k++)
            cf__arena_free(&arena, blocks[k]);
    }
}

Test(arena, only_what_is_in_the_range_is_contained)
{
    cr_assert(cf__arena_contains(&arena, range, RANGE));
    cr_assert(cf__arena_contains(&arena, range + RANGE - 1, 1));
    cr_assert(!cf__arena_contains(&arena, range, RANGE + 1));
    cr_assert(!cf__arena_contains(&arena, range + RANGE, 1));
    cr_assert(!cf__arena_contains(&arena, range + 1, RANGE));
    cr_assert(!cf__arena_contains(&arena, range + 1, SIZE_MAX));
    cr_assert(!cf__arena_contains(&arena, range - 1, 2));
    cr_assert(!cf__arena_contains(&arena, NULL, 1));
    cr_assert(!cf__arena_contains(&arena, &arena, 1));
}

Test(arena, only_a_block_in_use_has_a_size)
{
    char *small = alloc(200), *large = alloc(10000);
    cr_assert(cf__arena_size(&arena, small) == 256);
    cr_assert(cf__arena_size(&arena, large) == 12288);
    cr_assert(cf__arena_size(&arena, small + 64) == 0, "inside a block");
    cr_assert(cf__arena_size(&arena, small + 256) == 0, "never given");
    cr_assert(cf__arena_size(&arena, small + 1) == 0);
    cr_assert(cf__arena_size(&arena, large + 4096) == 0, "inside a block");
    cr_assert(cf__arena_size(&arena, large + 1) == 0);
    cr_assert(cf__arena_size(&arena, &arena) == 0, "not in the range");
    cr_assert(cf__arena_size(&arena, NULL) == 0);
    cf__arena_free(&arena, small);
    cf__arena_free(&arena, large);
    cr_assert(cf__arena_size(&arena, small) == 0, "freed");
    cr_assert(cf__arena_size(&arena, large) == 0, "freed");
}

/* The page's entry still names another free one, whose number a slab has. */
Test(arena, a_free_page_beside_a_slab_is_not_taken_for_its_block)
{
    char *pages[15];
    for (int i = 0; i < 15; i++) {
        pages[i] = alloc(4096);
        cr_assert(pages[i] == range + (size_t)i * 4096);
    }
    for (int i = 0; i < 512; i++)
        cr_assert(alloc(128) >= range + (size_t)15 * 4096);
    cf__arena_free(&arena, pages[3]);
    cf__arena_free(&arena, pages[10]);
    cf__arena_trim(&arena); /* out of the recent, into one bin */
    cr_assert(cf__arena_size(&arena, pages[3]) == 0);
    cr_assert(cf__arena_size(&arena, pages[10]) == 0);
}

Test(arena, a_range_of_odd_place_or_size_is_refused)
{
    struct cf__arena other;
    cr_assert(cf__arena_init(&other, range + 64, RANGE) == CF_EINVAL);
    cr_assert(cf__arena_init(&other, range, 4095) == CF_EINVAL);
    cr_assert(cf__arena_init(&other, range, (size_t)17 << 40) == CF_EINVAL);
    cr_assert(cf__arena_init(&other, range, 4096 + 4095) == CF_OK);
    cr_assert(other.base == range && other.size == 4096, "whole pages");
    cr_assert_null(cf__arena_alloc(&other, 4097));
    cr_assert_null(cf__arena_alloc(&other, SIZE_MAX));
    cr_assert_null(cf__arena_alloc_zeroed(&other, SIZE_MAX));
    cr_assert(cf__arena_alloc(&other, 100) == range, "no slab fits: a page");
    cf__arena_fini(&other);
}

/* --- room ---------------------------------------------------------------- */

/* Returns how many blocks there were. */
static size_t
fill_and_free(size_t size, struct random *r)
{
    static char *blocks[UNITS + 1];
    size_t count = 0;
    while ((blocks[count] = cf__arena_alloc(&arena, size)) != NULL)
        count++;
    cr_assert_null(cf__arena_alloc_zeroed(&arena, size));
    for (size_t i = count; i > 0; i--) {
        size_t at = random_below(r, i);
        cf__arena_free(&arena, blocks[at]);
        if (i == count) { /* the one that is free can be had again */
            cr_assert(cf__arena_alloc(&arena, size) == blocks[at]);
            cr_assert_null(cf__arena_alloc(&arena, size));
            cf__arena_free(&arena, blocks[at]);
        }
        blocks[at] = blocks[i - 1];
    }
    return count;
}

Test(arena, all_of_the_range_can_be_given_and_is_there_again)
{
    struct random r = {random_seed()};
    for (int i = 0; i < SIZES; i++) {
        char *p = alloc(sizes[i]);
        size_t has = cf__arena_free(&arena, p);
        size_t count = fill_and_free(sizes[i], &r);
        /* Of a slab, less than a block is lost. */
        size_t most = RANGE / has, least = most - most / 16;
        cr_assert(count >= least && count <= most,
                  "%zu blocks of %zu bytes",
                  count,
                  has);
        assert_whole();
    }
}

/* --- what they hold ------------------------------------------------------ */

Test(arena, zeroed_blocks_are_zero_whatever_was_there)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SIZES; i++) {
            char *p = cf__arena_alloc_zeroed(&arena, sizes[i]);
            cr_assert(p && bytes_are(p, sizes[i], 0), "%zu", sizes[i]);
            memset(p, 0xff, cf__arena_size(&arena, p));
            cf__arena_free(&arena, p);
        }
        char *p = cf__arena_alloc_zeroed(&arena, RANGE); /* of all of these */
        cr_assert(p && bytes_are(p, RANGE, 0));
        memset(p, 0xff, RANGE / 2);
        cf__arena_free(&arena, p);
    }
}

/* Blocks of every size, some of them freed, while another process writes. */
Test(arena, nothing_in_the_range_is_believed)
{
    uint64_t seed = random_seed();
    char *blocks[SIZES];
    for (int i = 0; i < SIZES; i++) {
        blocks[i] = alloc(sizes[i]);
        cf__arena_free(&arena, alloc(sizes[i]));
    }
    for (int round = 0; round < 20; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct random r = {seed + (unsigned)round};
            for (size_t i = 0; i < RANGE; i += sizeof r.state) {
                uint64_t word = random_next(&r);
                memcpy(range + i, &word, sizeof word);
            }
            _exit(0);
        }
        cr_assert(pid > 0 && waitpid(pid, NULL, 0) == pid);
        for (int i = 0; i < SIZES; i++) {
            cr_assert(cf__arena_size(&arena, blocks[i]) >= sizes[i]);
            cf__arena_free(&arena, blocks[i]);
        }
        for (int i = SIZES; i-- > 0;)
            blocks[i] = alloc(sizes[i]);
        cf__arena_trim(&arena);
    }
    for (int i = 0; i < SIZES; i++)
        cf__arena_free(&arena, blocks[i]);
    assert_whole();
}

/* --- misuse -------------------------------------------------------------- */

Test(arena, null_is_freed_without_effect)
{
    cr_assert(cf__arena_free(&arena, NULL) == 0);
}

Test(arena, a_small_block_freed_twice_aborts, .signal = SIGABRT)
{
    char *p = alloc(100);
    cf__arena_free(&arena, p);
    cf__arena_free(&arena, p);
}

Test(arena, a_large_block_freed_twice_aborts, .signal = SIGABRT)
{
    char *p = alloc(100000);
    cf__arena_free(&arena, p);
    cf__arena_free(&arena, p);
}

Test(arena, a_block_freed_twice_aborts_after_a_trim_too, .signal = SIGABRT)
{
    char *p = alloc(100);
    cf__arena_free(&arena, p);
    cf__arena_trim(&arena);
    cf__arena_free(&arena, p);
}

Test(arena, a_pointer_into_a_small_block_aborts, .signal = SIGABRT)
{
    cf__arena_free(&arena, alloc(1000) + 64);
}

Test(arena, a_pointer_into_a_large_block_aborts, .signal = SIGABRT)
{
    cf__arena_free(&arena, alloc(100000) + 4096);
}

Test(arena, a_pointer_to_what_was_never_given_aborts, .signal = SIGABRT)
{
    cf__arena_free(&arena, range + RANGE / 2);
}

Test(arena, a_pointer_after_the_range_aborts, .signal = SIGABRT)
{
    cf__arena_free(&arena, range + RANGE);
}

Test(arena, a_pointer_of_elsewhere_aborts, .signal = SIGABRT)
{
    cf__arena_free(&arena, &arena);
}

/* --- any order ----------------------------------------------------------- */

/* Which block each 64 bytes of the range belong to; 0: none. */
static uint32_t owners[UNITS];

static void
assert_owner(const char *p, size_t size, uint32_t before, uint32_t after)
{
    size_t first = (size_t)(p - range) / 64;
    for (size_t i = first; i < first + size / 64; i++) {
        cr_assert(owners[i] == before, "unit %zu: %u", i, owners[i]);
        owners[i] = after;
    }
}

Test(arena, no_block_is_given_twice_in_any_order)
{
    enum { BLOCKS = 500, STEPS = 200000 };
    static char *blocks[BLOCKS];
    struct random r = {random_seed()};
    for (int step = 0; step < STEPS; step++) {
        uint32_t at = (uint32_t)random_below(&r, BLOCKS);
        if (blocks[at]) {
            size_t has = cf__arena_size(&arena, blocks[at]);
            cr_assert(cf__arena_free(&arena, blocks[at]) == has);
            assert_owner(blocks[at], has, at + 1, 0);
            blocks[at] = NULL;
        } else if ((blocks[at] =
                        cf__arena_alloc(&arena, random_size(&r, 200000)))) {
            size_t has = cf__arena_size(&arena, blocks[at]);
            cr_assert(cf__arena_contains(&arena, blocks[at], has));
            assert_owner(blocks[at], has, 0, at + 1);
        }
        if (random_below(&r, 1000) == 0)
            cf__arena_trim(&arena);
    }
    for (uint32_t at = 0; at < BLOCKS; at++)
        cf__arena_free(&arena, blocks[at]);
    assert_whole();
}

Test(arena, four_threads_at_once_keep_out_of_each_others_blocks)
{
    const char *wrong = arena_rounds(&arena, 4, 50000, random_seed());
    cr_assert_null(wrong, "%s", wrong);
    assert_whole();
}
