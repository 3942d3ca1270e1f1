/* SPDX-License-Identifier: MIT */
#include "fetch.h"

struct body {
    fetch_common *common;
    uint64_t size;
};

/* Before each try. */
static void
forget(void *data)
{
    struct body *body = data;
    body->size = 0;
}

/* Called by libcurl: counts what comes, and drops it. */
static size_t
count(char *data, size_t one, size_t size, void *to)
{
    struct body *body = to;
    (void)data;
    (void)one;
    body->size += size;
    atomic_fetch_add(&body->common->bytes, size);
    return size;
}

int
fetch_task(cf_call *call, const void *data, size_t size)
{
    const fetch_arg *arg = data;
    struct body body = {arg->common, 0};
    fetch_result result;
    (void)size;
    CURL *easy = transfer_easy(arg->url, "async_http");
    if (!easy)
        return cf_fail(call, CF_ENOMEM, "no memory");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    atomic_fetch_add(&arg->common->running, 1);
    transfer_run(
        call, easy, &arg->common->limits, forget, &body, &result.transfer);
    atomic_fetch_sub(&arg->common->running, 1);
    curl_easy_cleanup(easy);
    result.bytes = body.size;
    return (int)cf_return(call, &result, sizeof result);
}
