/* SPDX-License-Identifier: MIT */
/*
 * cf_curl_perform(): the same task on every executor, against a server that is
 * slow, silent or rude.
 */
#include "tests/unit/curl_fetch.h"

#include <string.h>

#define MS INT64_C(1000000)

static const char *const specs[] = {
    "loop", "threads:2", "inline", "processes:1"};
enum { SPECS = 3 + HAS_PROCESSES };
enum { CONCURRENT = 2 /* so many of the first ones */ };

Test(curl, a_page_comes_on_every_executor)
{
    http_server *s = http_server_start(0);
    for (int i = 0; i < SPECS; i++) {
        struct outcome o = fetch_on(specs[i], order_of(s, "/ok", CF_FOREVER));
        cr_assert(o.err == CF_OK && o.code == CURLE_OK, "%s", specs[i]);
        cr_assert(o.status == 200 && o.size == 3, "%s", specs[i]);
        cr_assert(memcmp(o.begin, "ok\n", 3) == 0, "%s", specs[i]);
        o = fetch_on(specs[i], order_of(s, "/size/3000000", CF_FOREVER));
        cr_assert(o.err == CF_OK && o.size == 3000000, "%s", specs[i]);
        o = fetch_on(specs[i], order_of(s, "/slow/30", CF_SECONDS(60)));
        cr_assert(o.err == CF_OK && o.size == 3, "%s", specs[i]);
        o = fetch_on(specs[i], order_of(s, "/none", CF_FOREVER));
        cr_assert(o.err == CF_OK && o.status == 404, "%s", specs[i]);
    }
    http_server_stop(s);
}

Test(curl, a_plain_thread_can_fetch)
{
    http_server *s = http_server_start(0);
    struct order order = order_of(s, "/ok", CF_FOREVER);
    struct outcome o = fetch(NULL, &order);
    cr_assert(o.err == CF_OK && o.code == CURLE_OK && o.size == 3);
    order = order_of(s, "/hang", 20 * MS);
    o = fetch(NULL, &order);
    cr_assert(o.err == CF_ETIMEDOUT);
    http_server_stop(s);
}

Test(curl, many_at_once)
{
    enum { N = 200 };
    http_server *s = http_server_start(0);
    cf_executor *ex = open_executor("loop");
    cf_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = submit_fetch(ex, order_of(s, "/hang", CF_FOREVER));
    http_server_await(s, N); /* all are under way */
    for (int i = 0; i < N; i++)
        cr_assert(cf_future_interrupt(fs[i]));
    for (int i = 0; i < N; i++)
        cr_assert(outcome_of(fs[i]).err == CF_EINTERRUPTED);
    for (int i = 0; i < N; i++)
        fs[i] = submit_fetch(ex, order_of(s, "/size/100000", CF_FOREVER));
    for (int i = 0; i < N; i++) {
        struct outcome o = outcome_of(fs[i]);
        cr_assert(o.err == CF_OK && o.code == CURLE_OK && o.size == 100000);
    }
    cf_executor_destroy(ex);
    http_server_stop(s);
}

Test(curl, a_timeout_ends_it)
{
    static const char *const pages[] = {"/hang", "/half"};
    http_server *s = http_server_start(0);
    for (int i = 0; i < SPECS * 2; i++) {
        struct order order = order_of(s, pages[i % 2], 40 * MS);
        struct outcome o = fetch_on(specs[i / 2], order);
        cr_assert(o.err == CF_ETIMEDOUT, "%s", specs[i / 2]);
        cr_assert(o.code == CURLE_OPERATION_TIMEDOUT);
        o = fetch_on(specs[i / 2], order_of(s, "/hang", 0));
        cr_assert(o.err == CF_ETIMEDOUT, "%s", specs[i / 2]);
    }
    http_server_stop(s);
}

/* That is a transfer which has ended. */
Test(curl, libcurl_has_a_timeout_of_its_own)
{
    http_server *s = http_server_start(0);
    for (int i = 0; i < SPECS; i++) {
        struct order order = order_of(s, "/hang", CF_SECONDS(600));
        order.curl_timeout_ms = 40;
        struct outcome o = fetch_on(specs[i], order);
        cr_assert(o.err == CF_OK, "%s", specs[i]);
        cr_assert(o.code == CURLE_OPERATION_TIMEDOUT);
    }
    http_server_stop(s);
}

Test(curl, an_interrupt_ends_it)
{
    http_server *s = http_server_start(0);
    for (int i = 0; i < CONCURRENT; i++) {
        cf_executor *ex = open_executor(specs[i]);
        cf_future *f = submit_fetch(ex, order_of(s, "/hang", CF_SECONDS(600)));
        http_server_await(s, 2 * i + 1);
        cr_assert(cf_future_interrupt(f));
        struct outcome o = outcome_of(f);
        cr_assert(o.err == CF_EINTERRUPTED, "%s", specs[i]);
        cr_assert(o.code == CURLE_ABORTED_BY_CALLBACK);
        o = outcome_of(submit_fetch(ex, order_of(s, "/ok", CF_FOREVER)));
        cr_assert(o.err == CF_OK && o.size == 3, "%s", specs[i]);
        cf_executor_destroy(ex);
    }
    http_server_stop(s);
}

Test(curl, a_scope_ends_it)
{
    http_server *s = http_server_start(0);
    struct order order = order_of(s, "/hang", CF_FOREVER);
    order.scope_ns = 40 * MS;
    for (int i = 0; i < SPECS; i++) {
        struct outcome o = fetch_on(specs[i], order);
        cr_assert(o.err == CF_EINTERRUPTED, "%s", specs[i]);
        cr_assert(o.scope_err == CF_ETIMEDOUT, "%s", specs[i]);
    }
    struct outcome o = fetch(NULL, &order);
    cr_assert(o.err == CF_EINTERRUPTED && o.scope_err == CF_ETIMEDOUT);
    http_server_stop(s);
}

Test(curl, a_connection_may_be_refused_or_reset)
{
    http_server *s = http_server_start(0);
    struct order order = order_of(s, "/reset", CF_FOREVER);
    for (int i = 0; i < SPECS; i++) {
        struct outcome o = fetch_on(specs[i], order);
        cr_assert(o.err == CF_OK, "%s", specs[i]);
        cr_assert(o.code == CURLE_RECV_ERROR || o.code == CURLE_SEND_ERROR ||
                      o.code == CURLE_GOT_NOTHING,
                  "%s: %d",
                  specs[i],
                  (int)o.code);
    }
    http_server_stop(s); /* from now on nothing listens there */
    for (int i = 0; i < SPECS; i++) {
        struct outcome o = fetch_on(specs[i], order);
        cr_assert(o.err == CF_OK && o.code == CURLE_COULDNT_CONNECT,
                  "%s: %d",
                  specs[i],
                  (int)o.code);
    }
}

Test(curl, connections_are_used_again)
{
    const char *const one_thread[] = {"loop", "threads:1", "processes:1"};
    for (int i = 0; i < 2 + HAS_PROCESSES; i++) {
        http_server *s = http_server_start(0);
        struct order order = order_of(s, "/ok", CF_FOREVER);
        order.times = 5;
        cr_assert(fetch_on(one_thread[i], order).size == 3);
        cr_assert(http_server_requests(s) == 5);
        cr_assert(http_server_connections(s) == 1, "%s", one_thread[i]);
        http_server_stop(s);
    }
}

Test(curl, bad_arguments_are_refused)
{
    CURLcode code;
    CURL *easy = curl_easy_init();
    cr_assert(cf_curl_perform(NULL, NULL, CF_FOREVER, &code) == CF_EINVAL);
    cr_assert(cf_curl_perform(NULL, easy, CF_FOREVER, NULL) == CF_EINVAL);
    cr_assert(cf_curl_perform(NULL, easy, -2, &code) == CF_EINVAL);
    cr_assert(cf_curl_perform(NULL, easy, CF_FOREVER, &code) == CF_OK);
    cr_assert(code == CURLE_URL_MALFORMAT);
    curl_easy_cleanup(easy);
}
