/* SPDX-License-Identifier: MIT */
/*
 * Writing to streams. A task gives the system as much as it takes. If that is
 * not all, the task leaves a stone: a copy of the next few bytes, which libuv
 * writes when the system has room again. That tells the task to go on with the
 * rest. So libuv never has the caller's memory: a task that is told to stop
 * returns at once, and only the stone is still to go out. See stream.h.
 */
#include "event_loop/stream.h"

#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/budget.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define OTHER_WRITES "another task writes to s"

/* At least one byte. Gives the count, or an error of libuv's. */
static int
write_now(cf_stream *s, const unsigned char *data, size_t size)
{
    /* libuv only reads it. Its answer is an int. */
    uv_buf_t all = {.base = (char *)(uintptr_t)data,
                    .len = size < INT_MAX ? size : INT_MAX};
    return uv_try_write(&s->uv.stream, &all, 1);
}

static int
end_side(const cf_stream *s)
{
    int rc = shutdown(cf__stream_descriptor(s), SHUT_WR);
    return rc ? uv_translate_sys_error(errno) : 0;
}

static void
on_written(uv_write_t *request, int status)
{
    struct cf__stone *stone = request->data;
    cf_stream *s = stone->stream;
    s->stone = NULL;
    free(stone);
    if (!status && s->shut && !s->closed)
        status = end_side(s);
    if (status)
        s->write_status = status;
    cf__io_finish(s->writer);
}

/* Gives the system what it takes, if no stone is before it. */
static cf_err
give(cf_stream *s, const unsigned char *data, size_t size, size_t *written)
{
    if (s->write_status)
        return cf__io_error(s->write_status);
    if (s->stone || *written == size)
        return CF_OK;
    int count = write_now(s, data + *written, size - *written);
    if (count >= 0)
        *written += (size_t)count;
    else if (count != UV_EAGAIN)
        return cf__io_error(s->write_status = count);
    return CF_OK;
}

/* Leaves a stone: what comes next. */
static cf_err
leave_stone(cf_stream *s,
            const unsigned char *data,
            size_t size,
            size_t *written)
{
    struct cf__stone *stone = malloc(sizeof *stone);
    size_t count = size - *written;
    if (!stone)
        return CF_ENOMEM;
    if (count > sizeof stone->bytes)
        count = sizeof stone->bytes;
    memcpy(stone->bytes, data + *written, count);
    stone->stream = s;
    stone->request.data = stone;
    uv_buf_t all = {.base = (char *)stone->bytes, .len = count};
    int rc = uv_write(&stone->request, &s->uv.stream, &all, 1, on_written);
    if (rc) {
        free(stone);
        return cf__io_error(rc);
    }
    s->stone = stone;
    *written += count;
    return CF_OK;
}

static cf_err
await_stone(cf_stream *s, int64_t deadline_ns)
{
    struct cf__io_waiter *waiter = s->writer;
    waiter->done = false;
    return cf__io_wait(s->loop, waiter->self, &waiter->done, deadline_ns);
}

/* *written is what the system and the stone have. */
static cf_err
write_all(cf_stream *s,
          const unsigned char *data,
          size_t size,
          int64_t timeout_ns,
          size_t *written)
{
    cf_err err = give(s, data, size, written);
    if (err)
        return err;
    if (*written == size) {
        if (timeout_ns != 0)
            cf__budget_spend();
        return CF_OK;
    }
    int64_t deadline_ns = cf__deadline(timeout_ns);
    do {
        if (!s->stone && deadline_ns != 0)
            err = leave_stone(s, data, size, written);
        if (!err)
            err = await_stone(s, deadline_ns);
        if (err || s->closed)
            return err;
        err = give(s, data, size, written);
    } while (!err && *written < size);
    return err;
}

cf_err
cf_stream_write(cf_stream *s,
                const void *data,
                size_t size,
                int64_t timeout_ns,
                size_t *written)
{
    struct cf__io_waiter waiter = {NULL, false};
    size_t count = 0;
    if (written)
        *written = 0;
    const char *why = !s                               ? "s is NULL"
                      : !data && size                  ? CF__NO_DATA
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    cf_err err = cf__io_enter(s->loop, &waiter.self);
    if (err)
        return err;
    if (s->writer)
        return cf__einval(__func__, OTHER_WRITES);
    if (s->shut)
        return cf__io_error(UV_EPIPE);
    s->writer = &waiter;
    err = write_all(s, data, size, timeout_ns, &count);
    s->writer = NULL;
    if (written)
        *written = count;
    return cf__stream_leave(s, err);
}

cf_err
cf_stream_shutdown(cf_stream *s)
{
    struct cf__coroutine *self;
    if (!s)
        return cf__einval(__func__, "s is NULL");
    cf_err err = cf__io_enter(s->loop, &self);
    if (err)
        return err;
    if (s->writer)
        return cf__einval(__func__, OTHER_WRITES);
    if (s->write_status)
        return cf__io_error(s->write_status);
    if (s->shut)
        return CF_OK;
    if (!s->stone) { /* else on_written() does it */
        int rc = end_side(s);
        if (rc)
            return cf__io_error(rc);
    }
    s->shut = true;
    return CF_OK;
}
