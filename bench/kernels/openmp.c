/* SPDX-License-Identifier: MIT */
/*
 * OpenMP: a task construct for all branches but the last, taskwait. With one
 * thread the runtime does not queue anything.
 */
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
    if (count == 0)
        return;
    for (unsigned i = 0; i < count - 1; i++) {
        struct queens *branch = &branches[i];
#pragma omp task default(none) firstprivate(branch)
        run_queens(branch);
    }
    run_queens(&branches[count - 1]);
#pragma omp taskwait
    for (unsigned i = 0; i < count; i++)
        at->solutions += branches[i].solutions;
}

static void
run_tree(struct tree *at)
{
    struct tree branches[TREE_FANOUT];

    unsigned count = tree_branches(at, branches);
    at->nodes = 1;
    if (count == 0)
        return;
    for (unsigned i = 0; i < count - 1; i++) {
        struct tree *branch = &branches[i];
#pragma omp task default(none) firstprivate(branch)
        run_tree(branch);
    }
    run_tree(&branches[count - 1]);
#pragma omp taskwait
    for (unsigned i = 0; i < count; i++)
        at->nodes += branches[i].nodes;
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
#pragma omp task default(none) shared(halves)
    run_sort(&halves[0]);
    run_sort(&halves[1]);
#pragma omp taskwait
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
        for (int i = 0; i < 3; i++) {
#pragma omp task default(none) shared(quarters) firstprivate(i)
            run_product(&quarters[i]);
        }
        run_product(&quarters[3]);
#pragma omp taskwait
    }
}

void
kernels_queens(int workers, struct queens *root)
{
#pragma omp parallel num_threads(workers) default(none) shared(root)
#pragma omp single
    run_queens(root);
}

void
kernels_tree(int workers, struct tree *root)
{
#pragma omp parallel num_threads(workers) default(none) shared(root)
#pragma omp single
    run_tree(root);
}

void
kernels_sort(int workers, struct sort *root)
{
#pragma omp parallel num_threads(workers) default(none) shared(root)
#pragma omp single
    run_sort(root);
}

void
kernels_multiply(int workers, struct product *root)
{
#pragma omp parallel num_threads(workers) default(none) shared(root)
#pragma omp single
    run_product(root);
}

void
kernels_close(void)
{
}
