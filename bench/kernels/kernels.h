/* SPDX-License-Identifier: MIT */
/*
 * The seam between the kernels workload and its subjects: four recursive
 * programs, of which each subject writes the recursion in its own way. What is
 * the same in all of them, the work of one node, is here.
 */
#ifndef BENCH_KERNELS_KERNELS_H
#define BENCH_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes what the others need for 1 and for most workers. */
void kernels_open(int most);

/* Each runs on 1 or most workers, from outside the pool. */
struct queens;
struct tree;
struct sort;
struct product;
void kernels_queens(int workers, struct queens *root);
void kernels_tree(int workers, struct tree *root);
void kernels_sort(int workers, struct sort *root);
void kernels_multiply(int workers, struct product *root);

void kernels_close(void);

#ifdef __cplusplus
}
#endif

/* --- queens: each placed queen is a branch -------------------------------- */

enum { QUEENS_MAX = 16 };

struct queens {
    unsigned all;                  /* a bit for each column */
    unsigned columns, left, right; /* attacked in the next row */
    uint64_t solutions;            /* set by the run */
};

/* Branches of a node: places for a queen in the next row. */
static inline unsigned
queens_branches(const struct queens *at, struct queens *branches)
{
    unsigned count = 0;
    unsigned open = at->all & ~(at->columns | at->left | at->right);
    for (; open; open &= open - 1) {
        unsigned place = open & -open;
        struct queens *next = &branches[count++];
        next->all = at->all;
        next->columns = at->columns | place;
        next->left = (at->left | place) << 1;
        next->right = (at->right | place) >> 1;
    }
    return count;
}

/* --- tree: a search of an unbalanced tree --------------------------------- */

enum { TREE_FANOUT = 4, TREE_ROUNDS = 8 };

struct tree {
    uint64_t seed;
    unsigned depth; /* levels below */
    uint64_t nodes; /* set by the run */
};

static inline uint64_t
tree_mix(uint64_t x)
{
    for (int i = 0; i < TREE_ROUNDS; i++) {
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    }
    return x;
}

/* 0 to TREE_FANOUT branches, 2 on average. */
static inline unsigned
tree_branches(const struct tree *at, struct tree *branches)
{
    uint64_t mixed = tree_mix(at->seed);
    unsigned count =
        at->depth ? (unsigned)(mixed >> 32) % (TREE_FANOUT + 1) : 0;
    for (unsigned i = 0; i < count; i++) {
        branches[i].seed = mixed + i;
        branches[i].depth = at->depth - 1;
    }
    return count;
}

/* --- sort: halves, then a merge ------------------------------------------- */

enum { SORT_SMALL = 64 };

struct sort {
    int32_t *items;
    int32_t *spare; /* as many */
    size_t count;
};

static inline void
sort_small(const struct sort *at)
{
    for (size_t i = 1; i < at->count; i++) {
        int32_t item = at->items[i];
        size_t to = i;
        for (; to > 0 && at->items[to - 1] > item; to--)
            at->items[to] = at->items[to - 1];
        at->items[to] = item;
    }
}

static inline void
sort_halves(const struct sort *at, struct sort halves[2])
{
    size_t middle = at->count / 2;
    halves[0].items = at->items;
    halves[0].spare = at->spare;
    halves[0].count = middle;
    halves[1].items = at->items + middle;
    halves[1].spare = at->spare + middle;
    halves[1].count = at->count - middle;
}

static inline void
sort_merge(const struct sort *at)
{
    const int32_t *one = at->items, *one_end = at->items + at->count / 2;
    const int32_t *two = one_end, *two_end = at->items + at->count;
    int32_t *to = at->spare;
    while (one != one_end && two != two_end)
        *to++ = *two < *one ? *two++ : *one++;
    memcpy(to, one, (size_t)(one_end - one) * sizeof *one);
    memcpy(at->items,
           at->spare,
           (size_t)(to - at->spare + (one_end - one)) * sizeof *one);
}

/* --- product: c += a * b, of square matrices, by quadrants ---------------- */

enum { PRODUCT_SMALL = 32 };

struct product {
    const double *a, *b;
    double *c;
    size_t size;   /* rows */
    size_t stride; /* from row to row */
};

static inline void
product_small(const struct product *at)
{
    for (size_t i = 0; i < at->size; i++)
        for (size_t k = 0; k < at->size; k++)
            for (size_t j = 0; j < at->size; j++)
                at->c[i * at->stride + j] +=
                    at->a[i * at->stride + k] * at->b[k * at->stride + j];
}

/* The four products that are added first (step 0) or then (step 1), one for
 * each quadrant of c. */
static inline void
product_quarters(const struct product *at, int step, struct product quarters[4])
{
    const size_t half = at->size / 2, down = half * at->stride;
    for (int i = 0; i < 4; i++) {
        const size_t row = i / 2 ? down : 0, column = i % 2 ? half : 0;
        quarters[i].a = at->a + row + (step ? half : 0);
        quarters[i].b = at->b + (step ? down : 0) + column;
        quarters[i].c = at->c + row + column;
        quarters[i].size = half;
        quarters[i].stride = at->stride;
    }
}

#endif
