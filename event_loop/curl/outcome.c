/* SPDX-License-Identifier: MIT */
/*
 * How transfers end, in the words of the library: see multi.h.
 */
#include "event_loop/curl/multi.h"

#include "lib/base/einval.h"

#include <errno.h>

cf_err
cf__curl_error(CURLMcode status)
{
    switch (status) {
    case CURLM_OK:
        return CF_OK;
    case CURLM_OUT_OF_MEMORY:
        return CF_ENOMEM;
    case CURLM_BAD_EASY_HANDLE:
    case CURLM_ADDED_ALREADY:
        return cf__einval("cf_curl_perform", CF__CURL_IN_USE);
    case CURLM_RECURSIVE_API_CALL: /* a callback waits, or calls us */
        errno = EDEADLK;
        return CF_ESYS;
    default:
        errno = EIO;
        return CF_ESYS;
    }
}

cf_err
cf__curl_uv_error(int status)
{
    if (status >= 0)
        return CF_OK;
    if (status == UV_ENOMEM)
        return CF_ENOMEM;
    errno = -status;
    return CF_ESYS;
}

void
cf__curl_give_up(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
#endif
}

void
cf__curl_say(cf_err err, CURLcode ended, CURLcode *code)
{
    if (!err)
        *code = ended;
    else if (err == CF_ETIMEDOUT)
        *code = CURLE_OPERATION_TIMEDOUT;
    else if (err == CF_EINTERRUPTED)
        *code = CURLE_ABORTED_BY_CALLBACK;
}
