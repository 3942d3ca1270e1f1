/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <cfutures/curl.h>

#include <time.h>

enum { FIRST_PAUSE_MS = 100, DOUBLED_MOST = 5 };

int64_t
now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool
fetch_is_good(const fetch_result *result)
{
    return !result->err && result->code == CURLE_OK && result->status < 400;
}

/* Another try may help. */
static bool
is_worth_a_retry(const fetch_result *result)
{
    if (result->err)
        return result->err == CF_ETIMEDOUT;
    switch (result->code) {
    case CURLE_OK:
        return result->status >= 500;
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return false;
    default:
        return true;
    }
}

struct body {
    fetch_common *common;
    uint64_t size;
};

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

static void
try_once(cf_call *call, const fetch_arg *arg, CURL *easy, fetch_result *result)
{
    struct body body = {arg->common, 0};
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    result->tries++;
    result->status = 0;
    result->err =
        cf_curl_perform(call, easy, arg->common->timeout_ns, &result->code);
    if (!result->err)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &result->status);
    result->bytes = body.size;
}

/* Each pause is twice as long as the one before, up to a limit. */
static cf_err
pause_before_retry(cf_call *call, int tries)
{
    int doubled = tries - 1 < DOUBLED_MOST ? tries - 1 : DOUBLED_MOST;
    return cf_sleep(call, CF_MS(FIRST_PAUSE_MS) << doubled);
}

static CURL *
new_easy(const char *url)
{
    CURL *easy = curl_easy_init();
    if (!easy || curl_easy_setopt(easy, CURLOPT_URL, url)) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    curl_easy_setopt(
        easy, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "async_http");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
    return easy;
}

int
fetch_task(cf_call *call, const void *data, size_t size)
{
    const fetch_arg *arg = data;
    fetch_result result = {0};
    int64_t begin_ns = now_ns();
    (void)size;
    CURL *easy = new_easy(arg->url);
    if (!easy)
        return cf_fail(call, CF_ENOMEM, "no memory");
    atomic_fetch_add(&arg->common->running, 1);
    try_once(call, arg, easy, &result);
    while (result.tries <= arg->common->retries && is_worth_a_retry(&result) &&
           !pause_before_retry(call, result.tries))
        try_once(call, arg, easy, &result);
    atomic_fetch_sub(&arg->common->running, 1);
    curl_easy_cleanup(easy);
    result.duration_ns = now_ns() - begin_ns;
    return (int)cf_return(call, &result, sizeof result);
}
