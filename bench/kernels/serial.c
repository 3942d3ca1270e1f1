/* SPDX-License-Identifier: MIT */
/* No pool: all branches are called. */
#include "kernels/kernels.h"

void
kernels_open(int most)
{
    (void)most;
}

static void
run_queens(struct queens *at)
{
    struct queens branches[QUEENS_MAX];

    if (at->columns == at->all) {
        at->solutions = 1;
        return;
    }
    at->solutions = 0;
    unsigned count = queens_branches(at, branches);
    for (unsigned i = 0; i < count; i++) {
        run_queens(&branches[i]);
        at->solutions += branches[i].solutions;
    }
}

static void
run_tree(struct tree *at)
{
    struct tree branches[TREE_FANOUT];

    unsigned count = tree_branches(at, branches);
    at->nodes = 1;
    for (unsigned i = 0; i < count; i++) {
        run_tree(&branches[i]);
        at->nodes += branches[i].nodes;
    }
}

static void
run_sort(const struct sort *at)
{
    struct sort halves[2];

    if (at->count <= SORT_SMALL) {
        sort_small(at);
        return;
    }
    sort_halves(at, halves);
    run_sort(&halves[0]);
    run_sort(&halves[1]);
    sort_merge(at);
}

static void
run_product(const struct product *at)
{
    struct product quarters[4];

    if (at->size <= PRODUCT_SMALL) {
        product_small(at);
        return;
    }
    for (int step = 0; step < 2; step++) {
        product_quarters(at, step, quarters);
        for (int i = 0; i < 4; i++)
            run_product(&quarters[i]);
    }
}

void
kernels_queens(int workers, struct queens *root)
{
    (void)workers;
    run_queens(root);
}

void
kernels_tree(int workers, struct tree *root)
{
    (void)workers;
    run_tree(root);
}

void
kernels_sort(int workers, struct sort *root)
{
    (void)workers;
    run_sort(root);
}

void
kernels_multiply(int workers, struct product *root)
{
    (void)workers;
    run_product(root);
}

void
kernels_close(void)
{
}
