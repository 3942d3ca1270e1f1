/* SPDX-License-Identifier: MIT */
#include "copy.h"

#include <string.h>
#include <time.h>

enum { BUFFER = 16384 }; /* bytes, on the stack of each direction's task */

/* What the two directions share. */
struct both {
    int64_t idle_ns, last_ns; /* a byte came at that time */
    cf_scope *scope;          /* around both */
    cf_err err;               /* the first one */
};

struct direction {
    struct both *both;
    cf_stream *from, *to;
    uint64_t *bytes;
};

static int64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * CF_SECONDS(1) + now.tv_nsec;
}

/* Reads what there is. CF_ETIMEDOUT: the other direction is idle, too. */
static cf_err
read_some(struct direction *d, char *buf, size_t *got)
{
    struct both *both = d->both;
    for (;;) {
        int64_t left_ns = both->last_ns + both->idle_ns - now_ns();
        if (left_ns <= 0)
            return CF_ETIMEDOUT;
        cf_err err = cf_stream_read(d->from, buf, BUFFER, left_ns, got);
        if (err != CF_ETIMEDOUT)
            return err;
    }
}

static cf_err
copy(struct direction *d)
{
    char buf[BUFFER];
    size_t got;
    cf_err err;
    while (!(err = read_some(d, buf, &got))) {
        d->both->last_ns = now_ns();
        err = cf_stream_write(d->to, buf, got, d->both->idle_ns, NULL);
        if (err)
            break;
        *d->bytes += got;
    }
    return err == CF_EDONE ? cf_stream_shutdown(d->to) : err;
}

/* Copies one direction. An error ends the other one, too. */
static void
copy_or_end_both(struct direction *d)
{
    cf_err err = copy(d);
    if (err && !d->both->err) {
        d->both->err = err;
        cf_scope_cancel(d->both->scope);
    }
}

static int
copy_task(cf_call *call, const void *arg, size_t arg_size)
{
    struct direction *d;
    (void)call;
    memcpy(&d, arg, arg_size);
    copy_or_end_both(d);
    return 0;
}

/* Waits for the other direction, which ends at once if there was an error or if
 * the task has been told to stop. */
static void
join(cf_call *call, struct both *both, cf_future *f)
{
    cf_err err = cf_future_wait(f, CF_FOREVER);
    if (err && !both->err)
        both->err = err;
    if (err) {
        cf_shield_begin(call);
        (void)cf_future_interrupt(f);
        (void)cf_future_wait(f, CF_FOREVER);
        cf_shield_end(call);
    }
    cf_future_unref(f);
}

cf_err
copy_both(cf_call *call,
          cf_stream *client,
          cf_stream *server,
          int64_t idle_ns,
          struct copied *copied)
{
    struct both both = {.idle_ns = idle_ns, .last_ns = now_ns()};
    struct direction up = {&both, client, server, &copied->to_server};
    struct direction down = {&both, server, client, &copied->to_client};
    struct direction *pointer = &up;
    cf_future *f;
    cf_err err = cf_scope_begin(call, CF_FOREVER, &both.scope);
    if (err)
        return err;
    err = cf_submit(
        cf_call_executor(call), copy_task, &pointer, sizeof pointer, &f);
    if (!err) {
        copy_or_end_both(&down);
        join(call, &both, f);
        err = both.err;
    }
    (void)cf_scope_end(both.scope);
    return err;
}
