/* SPDX-License-Identifier: MIT */
/* Pools whose initializers and finalizers count, wait or fail. */
#ifndef CF_TESTS_CONFORMANCE_LIVES_H
#define CF_TESTS_CONFORMANCE_LIVES_H

#include "tests/conformance/conformance.h"

#include <stdlib.h>

/* What the initializers and finalizers of one pool did; in shared memory. */
typedef struct lives {
    atomic_int begun;
    atomic_int ended;
    int fail_from; /* initializers from this one on fail; < 0: none */
    int passes;    /* so many initializers go on at once; */
    gate *entered; /* the others wait here first */
} lives;

/* All succeed, and the first `passes` go on at once. */
static inline lives *
lives_new(int passes)
{
    lives *l = shared_new(sizeof *l);
    l->fail_from = -1;
    l->passes = passes;
    l->entered = gate_new();
    return l;
}

/* Those from `fail_from` on fail. */
static inline lives *
lives_failing(int fail_from, int passes)
{
    lives *l = lives_new(passes);
    l->fail_from = fail_from;
    return l;
}

static inline int
begin_life(cf_call *call, void *init_data, void **worker_data)
{
    lives *l = init_data;
    int n = atomic_fetch_add(&l->begun, 1);
    if (n >= l->passes)
        gate_pass(l->entered);
    if (l->fail_from >= 0 && n >= l->fail_from)
        return cf_fail(call, 31, "life %d is not wanted", n);
    int *data = malloc(sizeof *data);
    if (data == NULL)
        return cf_fail(call, 1, "no memory");
    *data = cf_call_worker(call);
    *worker_data = data;
    return 0;
}

static inline void
end_life(void *init_data, void *worker_data)
{
    lives *l = init_data;
    free(worker_data);
    atomic_fetch_add(&l->ended, 1);
}

static inline cf_executor *
living_pool(lives *l, int workers)
{
    return test_pool((test_options){.max_workers = workers,
                                    .initializer = begin_life,
                                    .finalizer = end_life,
                                    .init_data = l});
}

/* Succeeds if the worker's data is the worker's own. */
static inline int
task_checks_worker(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    const int *data = cf_call_worker_data(call);
    if (data == NULL || *data != cf_call_worker(call))
        return cf_fail(call, 1, "not this worker's data");
    if (arg != NULL)
        gate_pass((gate *)arg);
    return 0;
}

#endif
