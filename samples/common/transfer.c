/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include "duration.h"

#include <cfutures/curl.h>

#include <stdio.h>

enum { FIRST_PAUSE_MS = 100, DOUBLED_MOST = 5 };

CURL *
transfer_easy(const char *url, const char *program)
{
    CURL *easy = curl_easy_init();
    if (!easy || curl_easy_setopt(easy, CURLOPT_URL, url) ||
        curl_easy_setopt(easy, CURLOPT_USERAGENT, program)) {
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
    return easy;
}

/* Another try may help. */
static bool
is_worth_a_retry(const struct transfer *transfer)
{
    if (transfer->err)
        return transfer->err == CF_ETIMEDOUT;
    switch (transfer->code) {
    case CURLE_OK:
        return transfer->status >= 500;
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WRITE_ERROR: /* the caller's */
        return false;
    default:
        return true;
    }
}

/* Each pause is twice as long as the one before, up to a limit. */
static cf_err
pause_before_retry(cf_call *call, int tries)
{
    int doubled = tries - 1 < DOUBLED_MOST ? tries - 1 : DOUBLED_MOST;
    return cf_sleep(call, CF_MS(FIRST_PAUSE_MS) << doubled);
}

void
transfer_run(cf_call *call,
             CURL *easy,
             const struct transfer_limits *limits,
             void (*begin)(void *data),
             void *data,
             struct transfer *out)
{
    int64_t begin_ns = now_ns();
    *out = (struct transfer){0};
    do {
        begin(data);
        out->tries++;
        out->status = 0;
        out->err = cf_curl_perform(call, easy, limits->timeout_ns, &out->code);
        if (!out->err)
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out->status);
    } while (out->tries <= limits->retries && is_worth_a_retry(out) &&
             !pause_before_retry(call, out->tries));
    out->duration_ns = now_ns() - begin_ns;
}

bool
transfer_is_good(const struct transfer *transfer)
{
    return !transfer->err && transfer->code == CURLE_OK &&
           transfer->status < 400;
}

const char *
transfer_why(const struct transfer *transfer, char text[TRANSFER_WHY])
{
    if (transfer->err == CF_ETIMEDOUT)
        return "timed out";
    if (transfer->err)
        return cf_strerror(transfer->err);
    if (transfer->code)
        return curl_easy_strerror(transfer->code);
    snprintf(text, TRANSFER_WHY, "status %ld", transfer->status);
    return text;
}
