/* SPDX-License-Identifier: MIT */
/*
 * Fetches nothing, in a loop that libcfutures_curl brings along: prints what
 * libcurl says of that.
 */
#include <cfutures/cfutures.h>
#include <cfutures/curl.h>
#include <cfutures/event_loop.h>

#include <stdio.h>

static int
fetch(cf_call *call, const void *arg, size_t arg_size)
{
    CURL *easy = curl_easy_init();
    CURLcode code = CURLE_OK;
    (void)arg;
    (void)arg_size;
    cf_err err = cf_curl_perform(call, easy, CF_SECONDS(60), &code);
    curl_easy_cleanup(easy);
    puts(!err && code == CURLE_URL_MALFORMAT ? "no URL" : "wrong");
    return 0;
}

int
main(void)
{
    return cf_event_loop_run(NULL, fetch, NULL, 0, NULL) != CF_OK;
}
