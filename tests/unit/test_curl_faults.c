/* SPDX-License-Identifier: MIT */
/*
 * Transfers when libuv, libcurl or the system has no memory or no descriptor
 * left: the one transfer says so, and the next one works.
 */
#include "tests/unit/curl_fetch.h"

#include <errno.h>
#include <search.h>
#include <stdatomic.h>
#include <uv.h>

/* The call of that function which fails; 0: none. */
static atomic_int bad_watch, bad_tree, bad_multi, bad_add, bad_action;
static int watch_status;

/* It is the one that fails. */
static bool
strikes(atomic_int *countdown)
{
    return atomic_load(countdown) > 0 && atomic_fetch_sub(countdown, 1) == 1;
}

/* NOLINTBEGIN: the names are the linker's (--wrap). */
int __real_uv_poll_init_socket(uv_loop_t *, uv_poll_t *, uv_os_sock_t);
int __wrap_uv_poll_init_socket(uv_loop_t *, uv_poll_t *, uv_os_sock_t);
void *__real_tsearch(const void *, void **, __compar_fn_t);
void *__wrap_tsearch(const void *, void **, __compar_fn_t);
CURLM *__real_curl_multi_init(void);
CURLM *__wrap_curl_multi_init(void);
CURLMcode __real_curl_multi_add_handle(CURLM *, CURL *);
CURLMcode __wrap_curl_multi_add_handle(CURLM *, CURL *);
CURLMcode __real_curl_multi_socket_action(CURLM *, curl_socket_t, int, int *);
CURLMcode __wrap_curl_multi_socket_action(CURLM *, curl_socket_t, int, int *);

int
__wrap_uv_poll_init_socket(uv_loop_t *uv, uv_poll_t *poll, uv_os_sock_t fd)
{
    return strikes(&bad_watch) ? watch_status
                               : __real_uv_poll_init_socket(uv, poll, fd);
}

void *
__wrap_tsearch(const void *key, void **root, __compar_fn_t compare)
{
    return strikes(&bad_tree) ? NULL : __real_tsearch(key, root, compare);
}

CURLM *
__wrap_curl_multi_init(void)
{
    return strikes(&bad_multi) ? NULL : __real_curl_multi_init();
}

CURLMcode
__wrap_curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    return strikes(&bad_add) ? CURLM_OUT_OF_MEMORY
                             : __real_curl_multi_add_handle(multi, easy);
}

CURLMcode
__wrap_curl_multi_socket_action(CURLM *multi,
                                curl_socket_t fd,
                                int what,
                                int *running)
{
    CURLMcode status =
        __real_curl_multi_socket_action(multi, fd, what, running);
    return strikes(&bad_action) ? CURLM_OUT_OF_MEMORY : status;
}
/* NOLINTEND */

/* The error of a fetch, after which another one of the same loop or thread
 * works. */
static cf_err
fetch_with(const char *spec, http_server *s, atomic_int *fault)
{
    cf_executor *ex = open_executor(spec);
    atomic_store(fault, 1);
    struct outcome bad =
        outcome_of(submit_fetch(ex, order_of(s, "/hang", CF_SECONDS(600))));
    cr_assert(atomic_load(fault) == 0, "%s: it was not called", spec);
    struct outcome good =
        outcome_of(submit_fetch(ex, order_of(s, "/ok", CF_FOREVER)));
    cr_assert(good.err == CF_OK && good.size == 3, "%s", spec);
    cf_executor_destroy(ex);
    return bad.err;
}

Test(curl_faults, a_socket_that_cannot_be_watched)
{
    http_server *s = http_server_start(0);
    watch_status = UV_ENOMEM;
    cr_assert(fetch_with("loop", s, &bad_watch) == CF_ENOMEM);
    watch_status = UV_EMFILE;
    cr_assert(fetch_with("loop", s, &bad_watch) == CF_ESYS);
    http_server_stop(s);
}

Test(curl_faults, no_memory_to_begin)
{
    http_server *s = http_server_start(0);
    cr_assert(fetch_with("loop", s, &bad_tree) == CF_ENOMEM);
    cr_assert(fetch_with("loop", s, &bad_multi) == CF_ENOMEM);
    cr_assert(fetch_with("threads:1", s, &bad_multi) == CF_ENOMEM);
    cr_assert(fetch_with("loop", s, &bad_add) == CF_ENOMEM);
    cr_assert(fetch_with("threads:1", s, &bad_add) == CF_ENOMEM);
    http_server_stop(s);
}

/* All transfers of the loop fail, as nobody knows which one it was. */
Test(curl_faults, libcurl_has_no_memory_to_go_on)
{
    http_server *s = http_server_start(0);
    cf_executor *ex = open_executor("loop");
    cf_future *fs[3];
    for (int i = 0; i < 2; i++)
        fs[i] = submit_fetch(ex, order_of(s, "/hang", CF_FOREVER));
    http_server_await(s, 2);
    atomic_store(&bad_action, 1);
    /* Makes it go on, if a timer of the others has not done so before. */
    fs[2] = submit_fetch(ex, order_of(s, "/ok", CF_FOREVER));
    for (int i = 0; i < 2; i++)
        cr_assert(outcome_of(fs[i]).err == CF_ENOMEM);
    cf_err err = outcome_of(fs[2]).err;
    cr_assert(err == CF_ENOMEM || err == CF_OK);
    struct order order = order_of(s, "/ok", CF_FOREVER);
    cr_assert(outcome_of(submit_fetch(ex, order)).size == 3);
    cf_executor_destroy(ex);
    http_server_stop(s);
}

/* libcurl has closed a socket without a word, and its number comes again. */
Test(curl_faults, a_number_that_is_watched_already)
{
    http_server *s = http_server_start(0);
    cf_executor *ex = open_executor("loop");
    watch_status = UV_EEXIST; /* nothing is there to close: tried once more */
    atomic_store(&bad_watch, 1);
    struct order order = order_of(s, "/ok", CF_FOREVER);
    cr_assert(outcome_of(submit_fetch(ex, order)).size == 3);
    cr_assert(atomic_load(&bad_watch) == 0);
    cf_executor_destroy(ex);
    http_server_stop(s);
}
