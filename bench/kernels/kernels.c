/* SPDX-License-Identifier: MIT */
/*
 * Queens, a search of an unbalanced tree, merge sort and a matrix product, each
 * on one worker and on all of them, in turns. The argument is the number of
 * queens. Each result is checked.
 */
#include "kernels/kernels.h"

#include "common/bench.h"

#include <stdio.h>
#include <stdlib.h>

enum { TREE_DEPTH = 17, TREE_SEED = 1, ITEMS = 1 << 20, ROWS = 256 };

static const uint64_t solutions[QUEENS_MAX + 1] = {1,
                                                   1,
                                                   0,
                                                   0,
                                                   2,
                                                   10,
                                                   4,
                                                   40,
                                                   92,
                                                   352,
                                                   724,
                                                   2680,
                                                   14200,
                                                   73712,
                                                   365596,
                                                   2279184,
                                                   14772512};

static unsigned queens;
static uint64_t nodes;
static int32_t *items, *spare;
static double *a, *b, *c;

static uint64_t
count_nodes(const struct tree *at)
{
    struct tree branches[TREE_FANOUT];
    uint64_t sum = 1;
    unsigned count = tree_branches(at, branches);
    for (unsigned i = 0; i < count; i++)
        sum += count_nodes(&branches[i]);
    return sum;
}

static void
prepare(size_t n)
{
    if (n < 1 || n > QUEENS_MAX)
        bench_die("%zu queens: 1 to %d", n, QUEENS_MAX);
    queens = (unsigned)n;
    nodes = count_nodes(&(struct tree){TREE_SEED, TREE_DEPTH, 0});
    items = bench_alloc(ITEMS, sizeof *items);
    spare = bench_alloc(ITEMS, sizeof *spare);
    a = bench_alloc(ROWS * ROWS, sizeof *a);
    b = bench_alloc(ROWS * ROWS, sizeof *b);
    c = bench_alloc(ROWS * ROWS, sizeof *c);
    for (size_t i = 0; i < ROWS * ROWS; i++) {
        a[i] = (double)(i % 7);
        b[i] = (double)(i % 5);
    }
}

/* --- a run of each: the time that it took --------------------------------- */

static uint64_t
run_queens(int workers)
{
    struct queens root = {(1U << queens) - 1, 0, 0, 0, 0};
    uint64_t start = bench_now_ns();
    kernels_queens(workers, &root);
    uint64_t took = bench_now_ns() - start;
    if (root.solutions != solutions[queens])
        bench_die("%u queens have other solutions", queens);
    return took;
}

static uint64_t
run_tree(int workers)
{
    struct tree root = {TREE_SEED, TREE_DEPTH, 0};
    uint64_t start = bench_now_ns();
    kernels_tree(workers, &root);
    uint64_t took = bench_now_ns() - start;
    if (root.nodes != nodes)
        bench_die("the tree has %llu nodes", (unsigned long long)nodes);
    return took;
}

static uint64_t
run_sort(int workers)
{
    struct sort root = {items, spare, ITEMS};
    for (size_t i = 0; i < ITEMS; i++)
        items[i] = (int32_t)(i * 2654435761U);
    uint64_t start = bench_now_ns();
    kernels_sort(workers, &root);
    uint64_t took = bench_now_ns() - start;
    for (size_t i = 1; i < ITEMS; i++)
        if (items[i - 1] > items[i])
            bench_die("item %zu is not sorted", i);
    return took;
}

static uint64_t
run_multiply(int workers)
{
    struct product root = {a, b, c, ROWS, ROWS};
    memset(c, 0, ROWS * ROWS * sizeof *c);
    uint64_t start = bench_now_ns();
    kernels_multiply(workers, &root);
    uint64_t took = bench_now_ns() - start;
    for (size_t at = 0; at < ROWS * ROWS; at += ROWS + 3) {
        double sum = 0; /* exact: all are whole numbers */
        for (size_t k = 0; k < ROWS; k++)
            sum += a[at / ROWS * ROWS + k] * b[k * ROWS + at % ROWS];
        if (c[at] != sum)
            bench_die("element %zu of the product is wrong", at);
    }
    return took;
}

static const struct kernel {
    const char *name;
    uint64_t (*run)(int workers);
} kernels[] = {{"queens", run_queens},
               {"tree", run_tree},
               {"sort", run_sort},
               {"multiply", run_multiply}};

static void
measure(const struct kernel *kernel, const bench_options *o)
{
    size_t rounds = (size_t)o->rounds;
    double *one = bench_alloc(rounds, sizeof *one);
    double *all = bench_alloc(rounds, sizeof *all);
    char name[64];

    (void)kernel->run(1); /* warms up */
    (void)kernel->run(o->workers);
    for (size_t i = 0; i < rounds; i++) {
        one[i] = (double)kernel->run(1) / 1e6;
        all[i] = (double)kernel->run(o->workers) / 1e6;
    }
    (void)snprintf(name, sizeof name, "%s_ms_1", kernel->name);
    bench_metric(name, bench_median(one, rounds));
    (void)snprintf(name, sizeof name, "%s_ms_all", kernel->name);
    bench_metric(name, bench_median(all, rounds));
    free(one);
    free(all);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 11);

    prepare(o.n);
    kernels_open(o.workers);
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        measure(&kernels[i], &o);
    kernels_close();
    free(items);
    free(spare);
    free(a);
    free(b);
    free(c);
    return 0;
}
