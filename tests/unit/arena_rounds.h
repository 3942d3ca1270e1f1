/* SPDX-License-Identifier: MIT */
/*
 * Random rounds on an arena, and what else the tests of it share. Here, as
 * Criterion and the thread sanitizer want programs of their own.
 */
#ifndef CF_TESTS_UNIT_ARENA_ROUNDS_H
#define CF_TESTS_UNIT_ARENA_ROUNDS_H

#include "process_pool/memory/arena.h"

struct random {
    uint64_t state; /* not 0 */
};

uint64_t random_next(struct random *r);

/* 0 .. n - 1; n is not 0. */
size_t random_below(struct random *r, size_t n);

/* At most so large, every order of magnitude as likely as the others. */
size_t random_size(struct random *r, size_t most);

/* From the environment's CF_TEST_SEED, else the clock; printed. Not 0. */
uint64_t random_seed(void);

/* As the pool has it: shared, and not reserved. NULL: the system refuses. */
char *range_map(size_t size);

/* All of these bytes are value. */
bool bytes_are(const void *p, size_t size, unsigned char value);

/*
 * Allocates, checks, frees and trims at random in so many threads, each with
 * blocks that it fills and finds as it left them. All are freed at the end.
 * NULL, or what went wrong.
 */
const char *
arena_rounds(struct cf__arena *a, unsigned threads, int rounds, uint64_t seed);

#endif
