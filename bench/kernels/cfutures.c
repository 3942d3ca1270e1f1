/* SPDX-License-Identifier: MIT */
/* This library: all branches but the last are spawned. */
#include "kernels/kernels.h"

#include "common/executor.h"

static cf_executor *one;
static cf_executor *all;

void
kernels_open(int most)
{
    one = bench_open_threads(1);
    all = bench_open_threads(most);
}

static int
run_queens(cf_call *call, void *arg)
{
    struct queens *at = arg, branches[QUEENS_MAX];
    cf_job jobs[QUEENS_MAX];

    if (at->columns == at->all) {
        at->solutions = 1;
        return 0;
    }
    at->solutions = 0;
    unsigned count = queens_branches(at, branches);
    if (count == 0)
        return 0;
    for (unsigned i = 0; i < count - 1; i++)
        cf_spawn(call, &jobs[i], run_queens, &branches[i]);
    (void)run_queens(call, &branches[count - 1]);
    at->solutions = branches[count - 1].solutions;
    for (unsigned i = count - 1; i-- > 0;) {
        (void)cf_join(call, &jobs[i]);
        at->solutions += branches[i].solutions;
    }
    return 0;
}

static int
run_tree(cf_call *call, void *arg)
{
    struct tree *at = arg, branches[TREE_FANOUT];
    cf_job jobs[TREE_FANOUT];

    unsigned count = tree_branches(at, branches);
    at->nodes = 1;
    if (count == 0)
        return 0;
    for (unsigned i = 0; i < count - 1; i++)
        cf_spawn(call, &jobs[i], run_tree, &branches[i]);
    (void)run_tree(call, &branches[count - 1]);
    at->nodes += branches[count - 1].nodes;
    for (unsigned i = count - 1; i-- > 0;) {
        (void)cf_join(call, &jobs[i]);
        at->nodes += branches[i].nodes;
    }
    return 0;
}

static int
run_sort(cf_call *call, void *arg)
{
    const struct sort *at = arg;
    struct sort halves[2];
    cf_job job;

    if (at->count <= SORT_SMALL) {
        sort_small(at);
        return 0;
    }
    sort_halves(at, halves);
    cf_spawn(call, &job, run_sort, &halves[0]);
    (void)run_sort(call, &halves[1]);
    (void)cf_join(call, &job);
    sort_merge(at);
    return 0;
}

static int
run_product(cf_call *call, void *arg)
{
    const struct product *at = arg;
    struct product quarters[4];
    cf_job jobs[3];

    if (at->size <= PRODUCT_SMALL) {
        product_small(at);
        return 0;
    }
    for (int step = 0; step < 2; step++) {
        product_quarters(at, step, quarters);
        for (int i = 0; i < 3; i++)
            cf_spawn(call, &jobs[i], run_product, &quarters[i]);
        (void)run_product(call, &quarters[3]);
        for (int i = 2; i >= 0; i--)
            (void)cf_join(call, &jobs[i]);
    }
    return 0;
}

/* The first job of a run. */
struct first {
    cf_job_fn *fn;
    void *arg;
};

static int
run_first(cf_call *call, const void *arg, size_t arg_size)
{
    const struct first *first = arg;

    (void)arg_size;
    return first->fn(call, first->arg);
}

static void
run(int workers, cf_job_fn *fn, void *arg)
{
    struct first first = {fn, arg};
    cf_executor *ex = workers == 1 ? one : all;
    cf_future *f;

    bench_check(cf_submit(ex, run_first, &first, sizeof first, &f),
                "cf_submit");
    bench_check(cf_future_wait(f, CF_FOREVER), "cf_future_wait");
    cf_future_unref(f);
}

void
kernels_queens(int workers, struct queens *root)
{
    run(workers, run_queens, root);
}

void
kernels_tree(int workers, struct tree *root)
{
    run(workers, run_tree, root);
}

void
kernels_sort(int workers, struct sort *root)
{
    run(workers, run_sort, root);
}

void
kernels_multiply(int workers, struct product *root)
{
    run(workers, run_product, root);
}

void
kernels_close(void)
{
    cf_executor_destroy(all);
    cf_executor_destroy(one);
}
