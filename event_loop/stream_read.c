/* SPDX-License-Identifier: MIT */
/*
 * Reading from streams. libuv reads all the time, and not only while a task
 * waits: to start and stop it for each read would cost two more calls of the
 * system. It stops when ahead is full, and goes on when that is half empty. See
 * stream.h, and README.md, "Streams".
 *
 * The callbacks only add to the end of ahead; only the task that reads moves
 * what is in it. So a line that a task has been lent stays where it is.
 */
#include "event_loop/stream.h"

#include "event_loop/engine.h"
#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/budget.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A task that waits for so many bytes gets them without a copy. */
enum { DIRECT_MIN = CF__SPARE_SIZE / 2 };

static size_t
bytes_ahead(const cf_stream *s)
{
    return s->ahead.end - s->ahead.begin;
}

/* --- what comes ----------------------------------------------------------- */

static struct cf__reader *
waiting_reader(const cf_stream *s)
{
    struct cf__reader *r = s->reader;
    return r && !r->waiter.done ? r : NULL;
}

static void
on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    cf_stream *s = handle->data;
    struct cf__ahead *ahead = &s->ahead;
    struct cf__reader *r = waiting_reader(s);
    bool to_reader = r && r->buf;
    (void)suggested;
    if (!ahead->data && !(to_reader && r->size - r->got >= DIRECT_MIN)) {
        void *block = cf__spares_take(&s->loop->engine->spares);
        if (block)
            *ahead = (struct cf__ahead){block, CF__SPARE_SIZE, 0, 0};
    }
    if (ahead->data) {
        room->base = (char *)ahead->data + ahead->end;
        room->len = ahead->capacity - ahead->end;
    } else { /* straight into the task's buffer, or there is no memory */
        room->base = to_reader ? (char *)r->buf + r->got : NULL;
        room->len = to_reader ? r->size - r->got : 0;
    }
}

/* Moves what a task wants from ahead to its buffer. */
static void
copy_out(cf_stream *s, struct cf__reader *r)
{
    struct cf__ahead *ahead = &s->ahead;
    size_t size = r->size - r->got, there = bytes_ahead(s);
    if (size > there)
        size = there;
    if (size == 0 || !ahead->data)
        return;
    memcpy(r->buf + r->got, ahead->data + ahead->begin, size);
    r->got += size;
    ahead->begin += size;
}

/* got becomes the size of the line, if a whole one is there. */
static bool
find_line(const cf_stream *s, struct cf__reader *r)
{
    size_t there = bytes_ahead(s);
    if (there > r->size)
        there = r->size;
    if (r->got > 0 || there <= r->scanned || !s->ahead.data)
        return r->got > 0; /* nothing new */
    const unsigned char *begin = s->ahead.data + s->ahead.begin;
    const unsigned char *end =
        memchr(begin + r->scanned, '\n', there - r->scanned);
    r->scanned = there;
    if (end)
        r->got = (size_t)(end - begin) + 1;
    return end != NULL;
}

/* true: the reader has what it asked for. */
static bool
serve(cf_stream *s, struct cf__reader *r)
{
    if (!r->buf)
        return find_line(s, r);
    copy_out(s, r);
    if (s->ahead.data && bytes_ahead(s) == 0)
        cf__stream_drop_ahead(s);
    return r->got >= r->least;
}

static void
stop_reading(cf_stream *s)
{
    (void)uv_read_stop(&s->uv.stream); /* always succeeds */
    s->reading = false;
}

static void
on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    cf_stream *s = stream->data;
    struct cf__ahead *ahead = &s->ahead;
    struct cf__reader *r = waiting_reader(s);
    bool wake = false;
    (void)room;
    if (count < 0) {
        stop_reading(s);
        if (count == UV_ENOBUFS && r)
            r->err = CF_ENOMEM;
        else if (count != UV_ENOBUFS)
            s->read_status = (int)count;
        wake = true;
    } else if (ahead->data) {
        ahead->end += (size_t)count;
    } else {
        r->got += (size_t)count;
    }
    if (r && count > 0) /* a line that is too long is woken for, too */
        wake = serve(s, r) || (!r->buf && bytes_ahead(s) >= r->size);
    if (ahead->data && ahead->begin == ahead->end)
        cf__stream_drop_ahead(s);
    if (ahead->data && ahead->end == ahead->capacity) {
        stop_reading(s);
        s->paused = wake = true; /* a line needs more room */
    }
    if (r && wake)
        cf__io_finish(&r->waiter);
}

/* --- a task that reads ---------------------------------------------------- */

static cf_err
start_reading(cf_stream *s)
{
    if (s->reading)
        return CF_OK;
    int rc = uv_read_start(&s->uv.stream, on_room, on_read);
    if (rc)
        return cf__io_error(rc);
    s->reading = true;
    s->paused = false;
    return CF_OK;
}

static void
compact(struct cf__ahead *ahead)
{
    if (!ahead->data || ahead->begin == 0)
        return;
    ahead->end -= ahead->begin;
    memmove(ahead->data, ahead->data + ahead->begin, ahead->end);
    ahead->begin = 0;
}

/* After a task has taken some of it. */
static void
refill(cf_stream *s)
{
    struct cf__ahead *ahead = &s->ahead;
    if (ahead->data && ahead->begin == ahead->end)
        cf__stream_drop_ahead(s);
    if (!s->paused || bytes_ahead(s) > ahead->capacity / 2)
        return;
    compact(ahead);
    (void)start_reading(
        s); /* if that fails, the next read that waits says so */
}

/* ahead is full, and has no whole line. */
static cf_err
widen(cf_stream *s)
{
    struct cf__ahead *ahead = &s->ahead;
    size_t used = bytes_ahead(s);
    if (ahead->begin > 0) {
        compact(ahead);
        return CF_OK;
    }
    unsigned char *data = malloc(2 * ahead->capacity);
    if (!data)
        return CF_ENOMEM;
    memcpy(data, ahead->data, used);
    size_t capacity = 2 * ahead->capacity;
    cf__stream_drop_ahead(s);
    *ahead = (struct cf__ahead){data, capacity, 0, used};
    return CF_OK;
}

/* Without waiting. false: nothing was there. */
static bool
read_now(cf_stream *s)
{
    uv_buf_t room;
    ssize_t count;
    on_room(&s->uv.handle, 0, &room);
    if (room.len == 0) {
        on_read(&s->uv.stream, UV_ENOBUFS, &room);
        return true;
    }
    do {
        count = read(cf__stream_descriptor(s), room.base, room.len);
    } while (count < 0 && errno == EINTR);
    if (count == 0)
        count = UV_EOF;
    else if (count < 0 && errno == EAGAIN)
        count = 0;
    else if (count < 0)
        count = uv_translate_sys_error(errno);
    on_read(&s->uv.stream, count, &room);
    return count != 0;
}

static cf_err
await_more(cf_stream *s, struct cf__reader *r, int64_t deadline_ns)
{
    cf_err err = CF_OK;
    r->err = CF_OK;
    r->waiter.done = false;
    if (s->ahead.data && s->ahead.end == s->ahead.capacity)
        err = widen(s);
    if (!err && deadline_ns == 0 && read_now(s))
        return r->err;
    if (!err)
        err = start_reading(s);
    if (!err)
        err =
            cf__io_wait(s->loop, r->waiter.self, &r->waiter.done, deadline_ns);
    return err ? err : r->err;
}

static cf_err
read_all(cf_stream *s, struct cf__reader *r, int64_t timeout_ns)
{
    if (serve(s, r)) {
        r->waiter.done = true;
        if (timeout_ns != 0)
            cf__budget_spend();
        return CF_OK;
    }
    int64_t deadline_ns = cf__deadline(timeout_ns);
    for (;;) {
        /* A last line without its end may be as long as the limit. */
        size_t limit = s->read_status ? r->size : r->size - 1;
        if (!r->buf && bytes_ahead(s) > limit)
            return CF_ETOOBIG;
        if (s->read_status)
            return cf__io_error(s->read_status);
        cf_err err = await_more(s, r, deadline_ns);
        if (err || s->closed)
            return err;
        if (serve(s, r))
            return CF_OK;
    }
}

/* What r needs to be known of is set by the caller. of: the public function. */
static cf_err
run(const char *of,
    cf_stream *s,
    struct cf__reader *r,
    int64_t timeout_ns,
    size_t *got)
{
    if (!cf__timeout_valid(timeout_ns))
        return cf__einval(of, CF__BAD_TIMEOUT);
    cf_err err = cf__io_enter(s->loop, &r->waiter.self);
    if (err)
        return err;
    if (s->reader)
        return cf__einval(of, "another task reads from s");
    s->reader = r;
    s->ahead.begin += s->lent;
    s->lent = 0;
    refill(s);
    err = read_all(s, r, timeout_ns);
    s->reader = NULL;
    if (r->buf && !s->closed)
        refill(s);
    *got = r->got;
    return cf__stream_leave(s, err);
}

cf_err
cf_stream_read(
    cf_stream *s, void *buf, size_t size, int64_t timeout_ns, size_t *got)
{
    unsigned char none;
    if (got)
        *got = 0;
    const char *why = !s             ? "s is NULL"
                      : !got         ? "got is NULL"
                      : !buf && size ? CF__NO_BUF
                                     : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    struct cf__reader r = {
        .buf = size ? buf : &none, .size = size, .least = size > 0};
    cf_err err = run(__func__, s, &r, timeout_ns, got);
    if (err)
        *got = 0; /* it has been closed in between */
    return err;
}

cf_err
cf_stream_read_exactly(
    cf_stream *s, void *buf, size_t size, int64_t timeout_ns, size_t *got)
{
    unsigned char none;
    size_t count = 0;
    if (got)
        *got = 0;
    if (!s || (!buf && size))
        return cf__einval(__func__, !s ? "s is NULL" : CF__NO_BUF);
    if (size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    struct cf__reader r = {
        .buf = size ? buf : &none, .size = size, .least = size};
    cf_err err = run(__func__, s, &r, timeout_ns, &count);
    if (got)
        *got = count;
    return err;
}

cf_err
cf_stream_read_line(cf_stream *s,
                    size_t limit,
                    int64_t timeout_ns,
                    cf_bytes *line)
{
    size_t size = 0;
    if (line)
        *line = (cf_bytes){NULL, 0};
    if (!s || !line)
        return cf__einval(__func__, !s ? "s is NULL" : "line is NULL");
    struct cf__reader r = {.size = limit ? limit : CF_LINE_LIMIT};
    cf_err err = run(__func__, s, &r, timeout_ns, &size);
    if (err == CF_EDONE && bytes_ahead(s) > 0) { /* the last one */
        size = bytes_ahead(s);
        err = CF_OK;
    }
    if (err)
        return err;
    s->lent = size;
    *line = (cf_bytes){s->ahead.data + s->ahead.begin, size};
    return CF_OK;
}
