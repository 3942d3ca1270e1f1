/* SPDX-License-Identifier: MIT */
/*
 * The task: fetches one page, and drops what is in it.
 */
#ifndef ASYNC_HTTP_FETCH_H
#define ASYNC_HTTP_FETCH_H

#include "../common/transfer.h"

#include <stdatomic.h>

/* What all tasks share. */
typedef struct fetch_common {
    struct transfer_limits limits;
    atomic_int running;
    atomic_uint_fast64_t bytes; /* that have come so far */
} fetch_common;

typedef struct fetch_arg {
    fetch_common *common;
    const char *url;
} fetch_arg;

typedef struct fetch_result {
    struct transfer transfer;
    uint64_t bytes; /* of the last try */
} fetch_result;

/* Its argument is a fetch_arg, its result a fetch_result. */
cf_task_fn fetch_task;

#endif
