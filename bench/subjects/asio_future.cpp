/* SPDX-License-Identifier: MIT */
/*
 * Boost.Asio with futures: post() of a std::packaged_task, one std::future
 * per task.
 */
#include "common/bench.h"
#include "common/subject.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <future>
#include <utility>
#include <vector>

struct batch {
    std::vector<std::future<uint64_t>> futures;
    uint64_t *results;
};

static boost::asio::thread_pool *pool;

void
subject_run(int workers, void (*body)(void *data), void *data)
{
    boost::asio::thread_pool the_pool(static_cast<std::size_t>(workers));
    pool = &the_pool;
    body(data);
    the_pool.join();
}

int
subject_blockable(int workers)
{
    return workers;
}

batch *
batch_create(size_t max)
{
    batch *b = new batch;

    b->futures.reserve(max);
    return b;
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

void
batch_collect(batch *b)
{
    for (size_t i = 0; i < b->futures.size(); i++)
        b->results[i] = b->futures[i].get();
    b->futures.clear();
}

void
batch_destroy(batch *b)
{
    delete b;
}
