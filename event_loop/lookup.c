/* SPDX-License-Identifier: MIT */
/*
 * Names become addresses: see lookup.h. The system's resolver blocks, so libuv
 * asks it in another thread.
 */
#include "event_loop/lookup.h"

#include "event_loop/io_waiter.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* Lives until the other thread has done with it. */
struct question {
    uv_getaddrinfo_t request;
    struct cf__io_waiter *waiter; /* NULL: the task waits no more */
    int status;
};

static void
on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *answer)
{
    struct question *question = request->data;
    if (question->waiter) {
        question->status = status;
        cf__io_finish(question->waiter);
        return;
    }
    uv_freeaddrinfo(answer);
    free(question);
}

static cf_err
take_answer(const struct question *question, struct cf__addresses *out)
{
    if (question->status)
        return cf__io_error(question->status);
    const struct addrinfo *at = question->request.addrinfo;
    out->count = 0;
    for (; at && out->count < CF__ADDRESSES_MAX; at = at->ai_next) {
        struct cf__address *to = &out->at[out->count];
        if (at->ai_addrlen > sizeof to->as)
            continue;
        memcpy(&to->as, at->ai_addr, at->ai_addrlen);
        to->size = at->ai_addrlen;
        out->count++;
    }
    if (out->count > 0)
        return CF_OK;
    errno = ENOENT;
    return CF_ESYS;
}

static cf_err
ask(struct cf__evloop *loop,
    struct cf__coroutine *self,
    const struct cf__endpoint *endpoint,
    int socket_type,
    int64_t deadline_ns,
    struct cf__addresses *out)
{
    struct addrinfo hints = {.ai_socktype = socket_type,
                             .ai_flags = AI_ADDRCONFIG};
    struct cf__io_waiter waiter = {self, false};
    struct question *question = calloc(1, sizeof *question);
    if (!question)
        return CF_ENOMEM;
    question->request.data = question;
    question->waiter = &waiter;
    int rc = uv_getaddrinfo(cf__io_uv(loop),
                            &question->request,
                            on_answer,
                            endpoint->host,
                            endpoint->service,
                            &hints);
    if (rc) {
        free(question);
        return cf__io_error(rc);
    }
    cf_err err = cf__io_wait(loop, self, &waiter.done, deadline_ns);
    if (err) {
        question->waiter = NULL; /* on_answer() frees it */
        (void)uv_cancel((uv_req_t *)&question->request);
        return err;
    }
    err = take_answer(question, out);
    int error = errno;
    uv_freeaddrinfo(question->request.addrinfo);
    free(question);
    errno = error;
    return err;
}

cf_err
cf__lookup(struct cf__evloop *loop,
           struct cf__coroutine *self,
           const struct cf__endpoint *endpoint,
           int socket_type,
           int64_t deadline_ns,
           struct cf__addresses *out)
{
    if (endpoint->count == 0)
        return ask(loop, self, endpoint, socket_type, deadline_ns, out);
    out->count = endpoint->count;
    memcpy(out->at, endpoint->addresses, sizeof endpoint->addresses);
    return CF_OK;
}
