/* SPDX-License-Identifier: MIT */
/*
 * Who drives a transfer: the loop, or the thread that calls.
 */
#include "event_loop/curl/multi.h"

#include "lib/base/einval.h"

cf_err
cf_curl_perform(cf_call *call, CURL *easy, int64_t timeout_ns, CURLcode *code)
{
    const char *why = !easy                     ? "easy is NULL"
                      : timeout_ns < CF_FOREVER ? CF__BAD_TIMEOUT
                      : !code                   ? "code is NULL"
                                                : NULL;
    if (why)
        return cf__einval(__func__, why);
    void *curl;
    cf_err err = CF_ENOTSUP;
    if (call)
        err = cf_event_loop_extend(call, &cf__curl_extension, &curl);
    switch (err) {
    case CF_OK:
        return cf__curl_in_loop(curl, easy, timeout_ns, code);
    case CF_ENOTSUP: /* no loop */
    case CF_EFORKED: /* the loop is the parent's */
        return cf__curl_blocking(call, easy, timeout_ns, code);
    default:
        return err;
    }
}
