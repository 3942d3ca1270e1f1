/* SPDX-License-Identifier: MIT */
/*
 * Boost.Asio with futures: post() of a std::packaged_task, one std::future
 * per task.
 */
#include "common/bench.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <future>
#include <utility>

#define BATCH_FUTURE std::future<uint64_t>
#include "subjects/futures.hpp"

static boost::asio::thread_pool *pool;

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    boost::asio::thread_pool the_pool(static_cast<std::size_t>(workers));
    pool = &the_pool;
    body(data);
    the_pool.join();
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    b->results = results;
    for (size_t i = 0; i < n; i++) {
        uint64_t arg = args[i];
        std::packaged_task<uint64_t()> task([arg] { return bench_task(arg); });
        b->futures.push_back(task.get_future());
        boost::asio::post(*pool, std::move(task));
    }
}
