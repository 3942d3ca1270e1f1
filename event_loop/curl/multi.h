/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share: see README.md. From below:
 *
 *   outcome.c    how transfers end, in the words of the library
 *   transfer.c   the transfers of a loop
 *   drive.c      sockets and the timer: when libcurl goes on
 *   multi.c      a loop's part of libcurl: begins and ends with the loop
 *   blocking.c   a transfer that its thread drives
 *   perform.c    the public function
 *
 * All of a struct cf__curl is its loop's thread's.
 */
#ifndef CF_EVENT_LOOP_CURL_MULTI_H
#define CF_EVENT_LOOP_CURL_MULTI_H

#include <cfutures/curl.h>
#include <cfutures/event.h>
#include <cfutures/event_loop.h>

#include <uv.h>

struct cf__curl_watch;

/* Of one loop. */
struct cf__curl {
    CURLM *multi;
    uv_loop_t *uv;
    uv_timer_t timer;               /* libcurl's */
    struct cf__curl_watch *watches; /* its sockets */
    void *transfers; /* a tree for <search.h>, by the easy handle */
};

/* A transfer, on the stack of its task. */
struct cf__curl_transfer {
    CURL *easy; /* the first field: by it the tree compares */
    cf_event *ended;
    bool has_ended;
    cf_err err; /* how: if this is CF_OK, ... */
    CURLcode code;
};

/* Why a handle may be CF_EINVAL. */
#define CF__CURL_IN_USE "easy is in a transfer already, or is no easy handle"

/* --- outcome.c ------------------------------------------------------------ */

cf_err cf__curl_error(CURLMcode status);

cf_err cf__curl_uv_error(int status);

/* The transfer has not ended and is to be taken out of its multi handle: that
 * must not wait for a name lookup. */
void cf__curl_give_up(CURL *easy);

/* *code as the header says it, if the call returns err. */
void cf__curl_say(cf_err err, CURLcode ended, CURLcode *code);

/* --- transfer.c ----------------------------------------------------------- */

/* CF_EINVAL: its easy handle is in another one. */
cf_err cf__curl_transfer_add(struct cf__curl *curl,
                             struct cf__curl_transfer *transfer);

void cf__curl_transfer_remove(struct cf__curl *curl,
                              struct cf__curl_transfer *transfer);

/* Lets the task of easy's transfer go on, which takes it out of the multi
 * handle. So this is for callbacks of libcurl's, too. */
void cf__curl_transfer_end(struct cf__curl *curl,
                           CURL *easy,
                           cf_err err,
                           CURLcode code);

/* ... of all transfers. */
void cf__curl_transfers_fail(struct cf__curl *curl, cf_err err);

/* One of them; NULL: there is none. */
struct cf__curl_transfer *cf__curl_transfer_any(struct cf__curl *curl);

/* --- drive.c -------------------------------------------------------------- */

/* Makes multi tell of its sockets and its timer. */
cf_err cf__curl_drive(struct cf__curl *curl);

/* No callback of libuv's touches curl any more. */
void cf__curl_drive_no_more(struct cf__curl *curl);

/* --- multi.c -------------------------------------------------------------- */

extern const cf_event_loop_extension cf__curl_extension;

cf_err cf__curl_in_loop(struct cf__curl *curl,
                        CURL *easy,
                        int64_t timeout_ns,
                        CURLcode *code);

/* --- blocking.c ----------------------------------------------------------- */

cf_err cf__curl_blocking(cf_call *call,
                         CURL *easy,
                         int64_t timeout_ns,
                         CURLcode *code);

#endif
