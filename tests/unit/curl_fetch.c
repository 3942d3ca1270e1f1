/* SPDX-License-Identifier: MIT */
#include "tests/unit/curl_fetch.h"

#include <string.h>

static size_t
keep(char *data, size_t one, size_t size, void *to)
{
    struct outcome *outcome = to;
    (void)one;
    for (size_t i = 0; i < size; i++)
        if (outcome->size + i < sizeof outcome->begin)
            outcome->begin[outcome->size + i] = data[i];
    outcome->size += size;
    return size;
}

CURL *
new_easy(const struct order *order, struct outcome *outcome)
{
    char url[96];
    CURL *easy = curl_easy_init();
    cr_assert(easy != NULL);
    snprintf(
        url, sizeof url, "http://127.0.0.1:%d%.31s", order->port, order->page);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, outcome);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, order->curl_timeout_ms);
    return easy;
}

struct outcome
fetch(cf_call *call, const struct order *order)
{
    struct outcome outcome = {.code = CURL_LAST};
    cf_scope *scope = NULL;
    CURL *easy = new_easy(order, &outcome);
    if (order->scope_ns)
        assert_ok(cf_scope_begin(call, order->scope_ns, &scope));
    outcome.err = cf_curl_perform(call, easy, order->timeout_ns, &outcome.code);
    if (scope)
        outcome.scope_err = cf_scope_end(scope);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &outcome.status);
    curl_easy_cleanup(easy);
    return outcome;
}

int
fetch_task(cf_call *call, const void *arg, size_t arg_size)
{
    const struct order *order = arg;
    struct outcome outcome;
    int times = order->times;
    (void)arg_size;
    do {
        outcome = fetch(call, order);
    } while (--times > 0);
    return (int)cf_return(call, &outcome, sizeof outcome);
}

struct order
order_of(http_server *s, const char *page, int64_t timeout_ns)
{
    struct order order = {.port = http_server_port(s),
                          .timeout_ns = timeout_ns};
    strncpy(order.page, page, sizeof order.page - 1);
    return order;
}

cf_future *
submit_fetch(cf_executor *ex, struct order order)
{
    cf_future *f = NULL;
    assert_ok(cf_submit(ex, fetch_task, &order, sizeof order, &f));
    return f;
}

struct outcome
outcome_of(cf_future *f)
{
    struct outcome outcome;
    cf_bytes bytes;
    assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
    cr_assert(bytes.size == sizeof outcome);
    memcpy(&outcome, bytes.data, sizeof outcome);
    cf_future_unref(f);
    return outcome;
}

cf_executor *
open_executor(const char *spec)
{
    cf_executor *ex = NULL;
    assert_ok(cf_executor_open(spec, &ex));
    return ex;
}

struct outcome
fetch_on(const char *spec, struct order order)
{
    cf_executor *ex = open_executor(spec);
    struct outcome outcome = outcome_of(submit_fetch(ex, order));
    cf_executor_destroy(ex);
    return outcome;
}
