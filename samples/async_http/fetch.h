/* SPDX-License-Identifier: MIT */
/*
 * The task: fetches one page, with retries. Plain code that waits; in an event
 * loop the others go on meanwhile, on a thread pool the other threads do.
 */
#ifndef ASYNC_HTTP_FETCH_H
#define ASYNC_HTTP_FETCH_H

#include <cfutures/task.h>

#include <curl/curl.h>
#include <stdatomic.h>

/* What all tasks share. */
typedef struct fetch_common {
    int64_t timeout_ns;
    int retries;
    atomic_int running;
    atomic_uint_fast64_t bytes; /* that have come so far */
} fetch_common;

typedef struct fetch_arg {
    fetch_common *common;
    const char *url;
} fetch_arg;

typedef struct fetch_result {
    cf_err err; /* CF_OK, CF_ETIMEDOUT, or why no try was possible */
    CURLcode code;
    long status;
    uint64_t bytes;      /* of the last try */
    int64_t duration_ns; /* of all tries, with the pauses */
    int tries;
} fetch_result;

/* Its argument is a fetch_arg, its result a fetch_result. */
cf_task_fn fetch_task;

/* It has come, and is no page about an error. */
bool fetch_is_good(const fetch_result *result);

int64_t now_ns(void);

#endif
