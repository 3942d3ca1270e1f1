/* SPDX-License-Identifier: MIT */
/*
 * Four threads on one arena that is often full, so that they wait for the
 * memory that a trim has in hand. A plain program, for the thread sanitizer;
 * elsewhere test_arena.c does the same.
 */
#include "tests/unit/arena_rounds.h"

#include <stdio.h>

enum { RANGE = 2 << 20, ROUNDS = 50000 };

int
main(void)
{
    struct cf__arena arena;
    char *range = range_map(RANGE);
    if (!range || cf__arena_init(&arena, range, RANGE) != CF_OK)
        return 1;
    const char *wrong = arena_rounds(&arena, 4, ROUNDS, random_seed());
    if (!wrong && !cf__arena_alloc(&arena, RANGE))
        wrong = "the range is not whole again";
    if (wrong)
        fprintf(stderr, "%s\n", wrong);
    cf__arena_fini(&arena);
    return wrong != NULL;
}
