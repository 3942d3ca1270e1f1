/* SPDX-License-Identifier: MIT */
/*
 * A name lookup that takes for ever: libcurl has a thread for it, and neither a
 * loop nor a thread that gives the transfer up waits for that. The lookup is
 * this program's: a shared library's call of getaddrinfo() finds it first.
 */
#include "tests/support/gate.h"
#include "tests/support/no_leak_search.h" /* libcurl's thread may be left */
#include "tests/unit/curl_fetch.h"

#include <netdb.h>
#include <stdio.h>

static gate *lookups;

/* NOLINTNEXTLINE: libcurl's name for it */
int
getaddrinfo(const char *name,
            const char *service,
            const struct addrinfo *hints,
            struct addrinfo **out)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)out;
    gate_pass(lookups);
    return EAI_FAIL;
}

static int
look_up(cf_call *call, const void *arg, size_t arg_size)
{
    struct order order = {.port = 1};
    struct outcome outcome = {0};
    CURL *easy = new_easy(&order, &outcome);
    CURLcode code;
    (void)arg;
    (void)arg_size;
    curl_easy_setopt(easy, CURLOPT_URL, "http://slow.example/");
    cf_err err = cf_curl_perform(call, easy, CF_SECONDS(600), &code);
    curl_easy_cleanup(easy);
    return (int)cf_return(call, &err, sizeof err);
}

static bool
is_threaded(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return (info->features & CURL_VERSION_ASYNCHDNS) && !info->ares &&
           info->version_num >= 0x075700;
}

Test(curl_lookup, is_left_alone)
{
    static const char *const specs[] = {"loop", "threads:1"};
    if (!is_threaded())
        cr_skip_test("this libcurl looks names up in another way");
    http_server *s = http_server_start(0);
    lookups = gate_new();
    for (int i = 0; i < 2; i++) {
        cf_executor *ex = open_executor(specs[i]);
        cf_future *f;
        cf_bytes bytes;
        assert_ok(cf_submit(ex, look_up, NULL, 0, &f));
        gate_await(lookups, i + 1);
        if (i == 0) { /* in the loop, others go on beside it */
            struct order order = order_of(s, "/ok", CF_FOREVER);
            cr_assert(outcome_of(submit_fetch(ex, order)).size == 3);
        }
        cr_assert(cf_future_interrupt(f));
        assert_ok(cf_future_result(f, CF_FOREVER, &bytes));
        cr_assert(*(const cf_err *)bytes.data == CF_EINTERRUPTED);
        cf_future_unref(f);
        cf_executor_destroy(ex);
    }
    gate_open(lookups);
    http_server_stop(s);
}
