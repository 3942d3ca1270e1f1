/* SPDX-License-Identifier: MIT */
/*
 * The task of the query: what the numbers of some rows add up to. Each worker
 * has a connection of its own, which its initializer opens.
 */
#ifndef CSV2SQLITE_PART_H
#define CSV2SQLITE_PART_H

#include <cfutures/cfutures.h>

struct query {
    const char *path, *table;
    uint32_t columns;
    uint64_t rows; /* whose rowids are 1, 2, ... */
};

struct sum {
    int64_t integers, reals; /* how many there are */
    /* The integers' sum is high * 2^32 + low: it may be more than an int64_t
     * holds. */
    int64_t high, low;
    double real; /* the others' sum */
};

/* The argument. */
struct part {
    int64_t first, last; /* rowids */
};

/* A cf_initializer_fn and its cf_finalizer_fn; init_data is a struct query. */
int part_connect(cf_call *call, void *init_data, void **worker_data);
void part_disconnect(void *init_data, void *worker_data);

/* A cf_task_fn, with the struct query as its cf_call_context(). Its result is a
 * struct sum for each column. The inline executor has no workers, and so no
 * initializer: there each task opens a connection. */
int sum_part(cf_call *call, const void *arg, size_t arg_size);

#endif
