/* SPDX-License-Identifier: MIT */
/*
 * A loop's part of libcurl: one multi handle for all transfers of its tasks.
 */
#include "event_loop/curl/multi.h"

#include <stdlib.h>

/* --- begins and ends with the loop ---------------------------------------- */

static cf_err
begin(struct uv_loop_s *uv, void **data)
{
    struct cf__curl *curl = calloc(1, sizeof *curl);
    if (!curl)
        return CF_ENOMEM;
    curl->uv = uv;
    curl->multi = curl_multi_init();
    cf_err err = curl->multi ? cf__curl_drive(curl) : CF_ENOMEM;
    if (err) {
        (void)curl_multi_cleanup(curl->multi);
        free(curl);
        return err;
    }
    *data = curl;
    return CF_OK;
}

/* Transfers are left only if a task has ended the thread: their tasks never go
 * on, and their handles are not freed. */
static void
end(void *data)
{
    struct cf__curl *curl = data;
    struct cf__curl_transfer *transfer;
    while ((transfer = cf__curl_transfer_any(curl)) != NULL) {
        (void)curl_multi_remove_handle(curl->multi, transfer->easy);
        cf__curl_transfer_remove(curl, transfer);
    }
    (void)curl_multi_cleanup(curl->multi);
    cf__curl_drive_no_more(curl);
}

const cf_event_loop_extension cf__curl_extension = {begin, end};

/* --- a transfer ----------------------------------------------------------- */

static cf_err
start(struct cf__curl *curl, struct cf__curl_transfer *transfer)
{
    cf_err err = cf__curl_transfer_add(curl, transfer);
    if (err)
        return err;
    err = cf__curl_error(curl_multi_add_handle(curl->multi, transfer->easy));
    if (err)
        cf__curl_transfer_remove(curl, transfer);
    return err;
}

static void
stop(struct cf__curl *curl, struct cf__curl_transfer *transfer)
{
    if (!transfer->has_ended || transfer->err)
        cf__curl_give_up(transfer->easy);
    (void)curl_multi_remove_handle(curl->multi, transfer->easy);
    cf__curl_transfer_remove(curl, transfer);
}

cf_err
cf__curl_in_loop(struct cf__curl *curl,
                 CURL *easy,
                 int64_t timeout_ns,
                 CURLcode *code)
{
    struct cf__curl_transfer transfer = {.easy = easy};
    cf_err err = cf_event_create(&transfer.ended);
    if (err)
        return err;
    err = start(curl, &transfer);
    if (!err) {
        err = cf_event_wait(transfer.ended, timeout_ns);
        if (transfer.has_ended)
            err = transfer.err;
        stop(curl, &transfer);
        cf__curl_say(err, transfer.code, code);
    }
    cf_event_destroy(transfer.ended);
    return err;
}
