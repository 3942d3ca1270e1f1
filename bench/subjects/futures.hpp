/* SPDX-License-Identifier: MIT */
/*
 * A batch of a subject whose tasks each have a future: all of the subject but
 * its pool and batch_submit(). BATCH_FUTURE: the type of these futures.
 */
#include "common/subject.h"

#include <vector>

struct batch {
    std::vector<BATCH_FUTURE> futures;
    uint64_t *results;
};

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
