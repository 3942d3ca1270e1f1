/* SPDX-License-Identifier: MIT */
/*
 * oneTBB: a task_group in every call, run() for all branches but the last. An
 * arena sets how many threads take part, the calling one among them.
 */
#include "kernels/kernels.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <memory>

static std::unique_ptr<tbb::global_control> limit;
static std::unique_ptr<tbb::task_arena> one;
static std::unique_ptr<tbb::task_arena> all;

void
kernels_open(int most)
{
    limit = std::make_unique<tbb::global_control>(
        tbb::global_control::max_allowed_parallelism,
        static_cast<std::size_t>(most));
    one = std::make_unique<tbb::task_arena>(1);
    all = std::make_unique<tbb::task_arena>(most);
}

static void
run_queens(queens *at)
{
    queens branches[QUEENS_MAX];

    if (at->columns == at->all) {
        at->solutions = 1;
        return;
    }
    at->solutions = 0;
    unsigned count = queens_branches(at, branches);
    if (count == 0)
        return;
    tbb::task_group group;
    for (unsigned i = 0; i < count - 1; i++)
        group.run([branch = &branches[i]] { run_queens(branch); });
    run_queens(&branches[count - 1]);
    group.wait();
    for (unsigned i = 0; i < count; i++)
        at->solutions += branches[i].solutions;
}

static void
run_tree(tree *at)
{
    tree branches[TREE_FANOUT];

    unsigned count = tree_branches(at, branches);
    at->nodes = 1;
    if (count == 0)
        return;
    tbb::task_group group;
    for (unsigned i = 0; i < count - 1; i++)
        group.run([branch = &branches[i]] { run_tree(branch); });
    run_tree(&branches[count - 1]);
    group.wait();
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
    tbb::task_group group;
    group.run([&halves] { run_sort(&halves[0]); });
    run_sort(&halves[1]);
    group.wait();
    sort_merge(at);
}

static void
run_product(const product *at)
{
    product quarters[4];

    if (at->size <= PRODUCT_SMALL) {
        product_small(at);
        return;
    }
    for (int step = 0; step < 2; step++) {
        product_quarters(at, step, quarters);
        tbb::task_group group;
        for (int i = 0; i < 3; i++)
            group.run([quarter = &quarters[i]] { run_product(quarter); });
        run_product(&quarters[3]);
        group.wait();
    }
}

static tbb::task_arena &
arena_of(int workers)
{
    return workers == 1 ? *one : *all;
}

void
kernels_queens(int workers, struct queens *root)
{
    arena_of(workers).execute([root] { run_queens(root); });
}

void
kernels_tree(int workers, struct tree *root)
{
    arena_of(workers).execute([root] { run_tree(root); });
}

void
kernels_sort(int workers, struct sort *root)
{
    arena_of(workers).execute([root] { run_sort(root); });
}

void
kernels_multiply(int workers, struct product *root)
{
    arena_of(workers).execute([root] { run_product(root); });
}

void
kernels_close(void)
{
    all.reset();
    one.reset();
    limit.reset();
}
