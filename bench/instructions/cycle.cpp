/* SPDX-License-Identifier: MIT */
/*
 * cycle_cxx N [SIZE]: what cycle.c does, from C++: a lambda with SIZE bytes of
 * state, 4 or else 8, and a result of that size; its value in a cf::future.
 */
#include "common/bench.h"
#include "common/echo.h"

#include <cfutures/cfutures.hpp>

#include <cstdlib>

static constexpr std::size_t block = 10000;

template <class T>
static void
block_of(const cf::thread_pool &pool)
{
    static cf::future<T> futures[block];
    for (std::size_t i = 0; i < block; i++)
        futures[i] = pool.submit(
            [n = static_cast<T>(i)] { return static_cast<T>(echo_task(n)); });
    for (std::size_t i = 0; i < block; i++)
        if (futures[i].get() != static_cast<T>(echo_task(i)))
            bench_die("a task gave a wrong result");
}

int
main(int argc, char **argv)
{
    const int size = argc > 2 ? std::atoi(argv[2]) : 8;
    const bench_options o = bench_parse(argc > 2 ? 2 : argc, argv, block);

    if (o.n % block != 0)
        bench_die("%zu is no multiple of %zu", o.n, block);
    if (size != 4 && size != 8)
        bench_die("there are no tasks of %s bytes", argv[2]);
    const cf::thread_pool pool(1);
    for (std::size_t done = 0; done < o.n; done += block)
        (size == 4 ? block_of<std::uint32_t> : block_of<std::uint64_t>)(pool);
    return 0;
}
