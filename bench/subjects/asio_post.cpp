/* SPDX-License-Identifier: MIT */
/*
 * Boost.Asio without futures: post() to a thread_pool. Tasks store their
 * result and count themselves, because only the end of the pool waits for all.
 */
#include "common/bench.h"
#include "common/latch.h"
#include "common/subject.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

struct batch {
    latch pending;
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
batch_create(size_t)
{
    batch *b = new batch;

    latch_init(&b->pending);
    return b;
}

void
batch_submit(batch *b, const uint64_t *args, uint64_t *results, size_t n)
{
    latch *pending = &b->pending;

    latch_set(pending, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t arg = args[i];
        uint64_t *result = &results[i];
        boost::asio::post(*pool, [arg, result, pending] {
            *result = bench_task(arg);
            latch_hit(pending);
        });
    }
}

void
batch_collect(batch *b)
{
    latch_wait(&b->pending);
}

void
batch_destroy(batch *b)
{
    latch_fini(&b->pending);
    delete b;
}
