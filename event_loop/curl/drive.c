/* SPDX-License-Identifier: MIT */
/*
 * When libcurl goes on: one uv_poll_t for each of its sockets, one uv_timer_t.
 * README.md, "Callbacks", says what is called where.
 */
#include "event_loop/curl/multi.h"

#include <stdlib.h>

/* A socket. libcurl has a pointer to it (curl_multi_assign()) from when it
 * first tells of the socket until CURL_POLL_REMOVE. */
struct cf__curl_watch {
    uv_poll_t poll;
    struct cf__curl *curl;
    curl_socket_t fd;
    struct cf__curl_watch *next, *prev;
};

/* --- libcurl goes on ------------------------------------------------------ */

static void
collect(struct cf__curl *curl)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE)
            cf__curl_transfer_end(
                curl, message->easy_handle, CF_OK, message->data.result);
    }
}

static void
go_on(struct cf__curl *curl, curl_socket_t fd, int what)
{
    int running;
    CURLMcode status =
        curl_multi_socket_action(curl->multi, fd, what, &running);
    collect(curl);
    /* A socket that libcurl does not know any more does no harm. */
    if (status != CURLM_OK && status != CURLM_BAD_SOCKET)
        cf__curl_transfers_fail(curl, cf__curl_error(status));
}

/* --- sockets -------------------------------------------------------------- */

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    struct cf__curl_watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    go_on(watch->curl, watch->fd, what); /* the watch may be gone */
}

static void
free_watch(uv_handle_t *poll)
{
    free(poll->data);
}

/* From now on libuv does not look at the socket, which may be closed. */
static void
close_watch(struct cf__curl_watch *watch)
{
    if (watch->next)
        watch->next->prev = watch->prev;
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        watch->curl->watches = watch->next;
    uv_close((uv_handle_t *)&watch->poll, free_watch);
}

/* libcurl has closed the socket of a watch without a word, and this is another
 * one with that number. */
static void
close_stale(struct cf__curl *curl, curl_socket_t fd)
{
    struct cf__curl_watch *watch = curl->watches;
    while (watch && watch->fd != fd)
        watch = watch->next;
    if (watch)
        close_watch(watch);
}

static cf_err
open_watch(struct cf__curl *curl, curl_socket_t fd, struct cf__curl_watch **out)
{
    struct cf__curl_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return CF_ENOMEM;
    int status = uv_poll_init_socket(curl->uv, &watch->poll, fd);
    if (status == UV_EEXIST) {
        close_stale(curl, fd);
        status = uv_poll_init_socket(curl->uv, &watch->poll, fd);
    }
    if (status) {
        free(watch);
        return cf__curl_uv_error(status);
    }
    watch->poll.data = watch;
    watch->curl = curl;
    watch->fd = fd;
    watch->next = curl->watches;
    if (watch->next)
        watch->next->prev = watch;
    curl->watches = watch;
    *out = watch;
    return CF_OK;
}

static cf_err
watch_socket(struct cf__curl *curl,
             curl_socket_t fd,
             int what,
             struct cf__curl_watch *watch)
{
    if (!watch) {
        cf_err err = open_watch(curl, fd, &watch);
        if (err)
            return err;
        (void)curl_multi_assign(curl->multi, fd, watch); /* it is known */
    }
    int events = 0;
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    return cf__curl_uv_error(uv_poll_start(&watch->poll, events, on_poll));
}

/* CURLMOPT_SOCKETFUNCTION. Not 0 would end all transfers for ever: so it is the
 * one transfer that fails. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *watch)
{
    struct cf__curl *curl = data;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            close_watch(watch);
        return 0;
    }
    cf_err err = watch_socket(curl, fd, what, watch);
    if (err)
        cf__curl_transfer_end(curl, easy, err, CURLE_OK);
    return 0;
}

/* --- the timer ------------------------------------------------------------ */

static void
on_timer(uv_timer_t *timer)
{
    go_on(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION. 0: at once, but not from here; -1: never. */
static int
on_timeout(CURLM *multi, long timeout_ms, void *data)
{
    struct cf__curl *curl = data;
    (void)multi;
    if (timeout_ms < 0) {
        (void)uv_timer_stop(&curl->timer);
        return 0;
    }
    uv_update_time(curl->uv); /* a task may have run for long */
    (void)uv_timer_start(&curl->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* --- begin and end -------------------------------------------------------- */

cf_err
cf__curl_drive(struct cf__curl *curl)
{
    CURLM *multi = curl->multi;
    CURLMcode status =
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    if (!status)
        status = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
    if (!status)
        status = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    if (!status)
        status = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
    if (status)
        return cf__curl_error(status);
    (void)uv_timer_init(curl->uv, &curl->timer); /* cannot fail */
    curl->timer.data = curl;
    return CF_OK;
}

static void
free_curl(uv_handle_t *timer)
{
    free(timer->data);
}

void
cf__curl_drive_no_more(struct cf__curl *curl)
{
    while (curl->watches)
        close_watch(curl->watches);
    uv_close((uv_handle_t *)&curl->timer, free_curl);
}
