/* SPDX-License-Identifier: MIT */
/*
 * No library: fork(), the task, _exit(), waitpid(), with as many children at a
 * time as there are workers. The argument is in the child's copy of the
 * program, the result goes through shared memory.
 */
#include "process_recycle/recycle.h"

#include "common/bench.h"
#include "common/child.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t *shared;
static size_t shared_size;
static pid_t *children; /* of the last tasks, in turn */
static size_t at_once;

void
recycle_open(int workers, size_t max_n)
{
    shared_size = max_n * sizeof(*shared);
    shared = child_share(shared_size);
    at_once = (size_t)workers;
    children = bench_alloc(at_once, sizeof(*children));
}

void
recycle_close(void)
{
    free(children);
    child_unshare(shared, shared_size);
}

void
recycle_run(const uint64_t *args, uint64_t *results, size_t n)
{
    for (size_t i = 0; i < n + at_once; i++) {
        pid_t *child = &children[i % at_once];
        if (i >= at_once && i - at_once < n)
            child_wait(*child);
        if (i >= n)
            continue;
        *child = child_fork();
        if (*child == 0) {
            shared[i] = recycle_task(args[i]);
            _exit(0);
        }
    }
    memcpy(results, shared, n * sizeof(*results));
}
