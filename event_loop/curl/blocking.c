/* SPDX-License-Identifier: MIT */
/*
 * A transfer that the calling thread drives itself. It has a multi handle, and
 * not curl_easy_perform(), which nothing but callbacks of the program's could
 * stop. Each thread keeps one, for the connections that stay open in it.
 */
#include "event_loop/curl/multi.h"

#include <cfutures/task.h>

#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 20 }; /* so often it asks whether to stop */

/* --- the thread's multi handle -------------------------------------------- */

static _Thread_local struct {
    CURLM *multi;
    pid_t owner; /* a fork's child must not use the parent's connections */
    bool in_use; /* a callback of a transfer makes another transfer */
} mine;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;
static bool has_end;

static void
end_thread(void *marker)
{
    (void)marker;
    if (mine.owner == getpid())
        (void)curl_multi_cleanup(mine.multi);
    mine.multi = NULL;
}

static void
make_key(void)
{
    has_end = pthread_key_create(&at_end, end_thread) == 0;
}

/* The thread's own; or another one, if that is in use, or if nothing would
 * clean it up at the thread's end. */
static CURLM *
take(void)
{
    pid_t self = getpid();
    if (mine.owner != self) { /* what the parent has is left as it is */
        mine.multi = NULL;
        mine.in_use = false;
        mine.owner = self;
    }
    if (mine.in_use)
        return curl_multi_init();
    if (mine.multi) {
        mine.in_use = true;
        return mine.multi;
    }
    CURLM *multi = curl_multi_init();
    (void)pthread_once(&once, make_key);
    if (multi && has_end && pthread_setspecific(at_end, &mine) == 0) {
        mine.multi = multi;
        mine.in_use = true;
    }
    return multi;
}

static void
give_back(CURLM *multi)
{
    if (multi == mine.multi)
        mine.in_use = false;
    else
        (void)curl_multi_cleanup(multi);
}

/* --- the transfer --------------------------------------------------------- */

static int64_t
now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* It is the only transfer. */
static CURLcode
result(CURLM *multi)
{
    CURLcode code = CURLE_FAILED_INIT;
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    return code;
}

static cf_err
drive(CURLM *multi, cf_call *call, int64_t timeout_ns, CURLcode *code)
{
    int64_t begin_ns = now_ns();
    for (;;) {
        int running;
        cf_err err = cf__curl_error(curl_multi_perform(multi, &running));
        if (err)
            return err;
        if (!running) {
            *code = result(multi);
            return CF_OK;
        }
        if (cf_call_canceled(call))
            return CF_EINTERRUPTED;
        int wait_ms = LOOK_MS;
        if (timeout_ns != CF_FOREVER) {
            int64_t left_ns = timeout_ns - (now_ns() - begin_ns);
            if (left_ns <= 0)
                return CF_ETIMEDOUT;
            if (left_ns / 1000000 < LOOK_MS)
                wait_ms = (int)(left_ns / 1000000) + 1;
        }
        err = cf__curl_error(curl_multi_poll(multi, NULL, 0, wait_ms, NULL));
        if (err)
            return err;
    }
}

cf_err
cf__curl_blocking(cf_call *call, CURL *easy, int64_t timeout_ns, CURLcode *code)
{
    CURLM *multi = take();
    if (!multi)
        return CF_ENOMEM;
    cf_err err = cf__curl_error(curl_multi_add_handle(multi, easy));
    if (!err) {
        CURLcode ended = CURLE_OK;
        err = drive(multi, call, timeout_ns, &ended);
        if (err)
            cf__curl_give_up(easy);
        (void)curl_multi_remove_handle(multi, easy);
        cf__curl_say(err, ended, code);
    }
    give_back(multi);
    return err;
}
