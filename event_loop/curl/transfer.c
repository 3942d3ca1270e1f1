/* SPDX-License-Identifier: MIT */
/*
 * The transfers of a loop, to be found by their easy handles: the handles' own
 * pointer (CURLOPT_PRIVATE) is the program's.
 */
#include "event_loop/curl/multi.h"

#include "lib/base/einval.h"

#include <search.h>

/* Of transfers, which begin with the handle, and of handles. */
static int
compare(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * (CURL *const *)a;
    uintptr_t right = (uintptr_t) * (CURL *const *)b;
    return (left > right) - (left < right);
}

/* What a node of the tree begins with. */
static struct cf__curl_transfer *
at(const void *node)
{
    return *(struct cf__curl_transfer *const *)node;
}

cf_err
cf__curl_transfer_add(struct cf__curl *curl, struct cf__curl_transfer *transfer)
{
    void *node = tsearch(transfer, &curl->transfers, compare);
    if (!node)
        return CF_ENOMEM;
    return at(node) == transfer
               ? CF_OK
               : cf__einval("cf_curl_perform", CF__CURL_IN_USE);
}

void
cf__curl_transfer_remove(struct cf__curl *curl,
                         struct cf__curl_transfer *transfer)
{
    (void)tdelete(transfer, &curl->transfers, compare);
}

static void
end(struct cf__curl_transfer *transfer, cf_err err, CURLcode code)
{
    if (transfer->has_ended)
        return;
    transfer->has_ended = true;
    transfer->err = err;
    transfer->code = code;
    (void)cf_event_set(transfer->ended);
}

void
cf__curl_transfer_end(struct cf__curl *curl,
                      CURL *easy,
                      cf_err err,
                      CURLcode code)
{
    /* libcurl has handles of its own, which are not found. */
    void *node = tfind(&easy, &curl->transfers, compare);
    if (node)
        end(at(node), err, code);
}

static void
fail(const void *node, VISIT visit, void *data)
{
    if (visit == preorder || visit == leaf)
        end(at(node), *(const cf_err *)data, CURLE_OK);
}

void
cf__curl_transfers_fail(struct cf__curl *curl, cf_err err)
{
    twalk_r(curl->transfers, fail, &err);
}

struct cf__curl_transfer *
cf__curl_transfer_any(struct cf__curl *curl)
{
    return curl->transfers ? at(curl->transfers) : NULL;
}
