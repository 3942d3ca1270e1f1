/* SPDX-License-Identifier: MIT */
/*
 * What the tests of cf_curl_perform() share: a server, and a task that fetches
 * a page on any executor.
 */
#ifndef CF_TESTS_CURL_FETCH_H
#define CF_TESTS_CURL_FETCH_H

#include <cfutures/cfutures.h>
#include <cfutures/curl.h>

#include <criterion/criterion.h>

#include "tests/support/http_server.h"

#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)

/* What a task is to fetch. Plain bytes: it may run in another process. */
struct order {
    char page[32];
    int port;
    int64_t timeout_ns;   /* of the call */
    int64_t scope_ns;     /* around it; 0: no scope */
    long curl_timeout_ms; /* libcurl's own; 0: none */
    int times;            /* one after the other; 0 is 1 */
};

/* What came of it, the last time. */
struct outcome {
    cf_err err, scope_err;
    CURLcode code;
    long status;
    size_t size;
    char begin[8];
};

/* The task; its argument is an order, its result an outcome. */
int fetch_task(cf_call *call, const void *arg, size_t arg_size);

/* The same without a task. */
struct outcome fetch(cf_call *call, const struct order *order);

/* A handle that counts and keeps what comes in *outcome. */
CURL *new_easy(const struct order *order, struct outcome *outcome);

struct order order_of(http_server *s, const char *page, int64_t timeout_ns);

cf_future *submit_fetch(cf_executor *ex, struct order order);

/* Waits for it, drops it. */
struct outcome outcome_of(cf_future *f);

cf_executor *open_executor(const char *spec);

/* On an executor of its own. */
struct outcome fetch_on(const char *spec, struct order order);

#endif
