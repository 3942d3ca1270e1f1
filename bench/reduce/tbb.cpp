/* SPDX-License-Identifier: MIT */
/*
 * oneTBB: parallel_reduce() with its default partitioner, and
 * parallel_deterministic_reduce(), whose simple partitioner needs a grain.
 */
#include "reduce/reduce.h"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_reduce.h>

#include <functional>
#include <memory>

static std::unique_ptr<tbb::global_control> limit;

void
reduce_open(int workers)
{
    limit = std::make_unique<tbb::global_control>(
        tbb::global_control::max_allowed_parallelism,
        static_cast<std::size_t>(workers));
}

void
reduce_close(void)
{
    limit.reset();
}

namespace
{

template <map_fn *fn> struct body {
    const double *in;

    double operator()(const tbb::blocked_range<size_t> &range, double sum) const
    {
        for (size_t i = range.begin(); i != range.end(); i++)
            sum += fn(in[i]);
        return sum;
    }
};

/* As many pieces as cf_parallel_reduce() makes at most. */
double
fixed(const double *in, size_t n)
{
    const size_t grain = n / 512 + 1;
    return tbb::parallel_deterministic_reduce(
        tbb::blocked_range<size_t>(0, n, grain),
        0.0,
        body<map_light>{in},
        std::plus<double>());
}

} // namespace

extern reduce_fn *const reduce_fixed = fixed;

double
reduce_light(const double *in, size_t n)
{
    return tbb::parallel_reduce(tbb::blocked_range<size_t>(0, n),
                                0.0,
                                body<map_light>{in},
                                std::plus<double>());
}

double
reduce_heavy(const double *in, size_t n)
{
    return tbb::parallel_reduce(tbb::blocked_range<size_t>(0, n),
                                0.0,
                                body<map_heavy>{in},
                                std::plus<double>());
}
