/* SPDX-License-Identifier: MIT */
/*
 * oneTBB: a task_group in every call, run() for one branch. An arena sets how
 * many threads take part, the calling one among them.
 */
#include "forkjoin/forkjoin.h"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <memory>

static std::unique_ptr<tbb::global_control> limit;
static std::unique_ptr<tbb::task_arena> one;
static std::unique_ptr<tbb::task_arena> all;

static uint64_t
fib(unsigned n)
{
    uint64_t branch;

    if (n < 2)
        return n;
    tbb::task_group group;
    group.run([&branch, n] { branch = fib(n - 1); });
    uint64_t called = fib(n - 2);
    group.wait();
    return called + branch;
}

void
forkjoin_open(int most)
{
    limit = std::make_unique<tbb::global_control>(
        tbb::global_control::max_allowed_parallelism,
        static_cast<std::size_t>(most));
    one = std::make_unique<tbb::task_arena>(1);
    all = std::make_unique<tbb::task_arena>(most);
}

uint64_t
forkjoin_fib(int workers, unsigned n)
{
    tbb::task_arena &arena = workers == 1 ? *one : *all;

    return arena.execute([n] { return fib(n); });
}

void
forkjoin_close(void)
{
    all.reset();
    one.reset();
    limit.reset();
}
