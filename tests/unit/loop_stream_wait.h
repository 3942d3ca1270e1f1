/* SPDX-License-Identifier: MIT */
/* For tests of streams: a task that is in a wait. */
#ifndef CF_TESTS_UNIT_LOOP_STREAM_WAIT_H
#define CF_TESTS_UNIT_LOOP_STREAM_WAIT_H

#include "loop_streams.h"

#define MS INT64_C(1000000)

enum what { READ, EXACTLY, LINE, WRITE, ACCEPT, CONNECT };

struct wait {
    enum what what;
    cf_stream *s;
    cf_listener *l;
    const char *address;
    bool begun;
    cf_err err;
    size_t count;
};

static inline int
wait_for(cf_call *call, const void *arg, size_t arg_size)
{
    static char buf[1 << 20];
    struct wait *w = (struct wait *)(uintptr_t)arg;
    cf_bytes line;
    cf_stream *s;
    (void)arg_size;
    w->begun = true;
    switch (w->what) {
    case READ:
        w->err = cf_stream_read(w->s, buf, sizeof buf, CF_FOREVER, &w->count);
        break;
    case EXACTLY:
        w->err = cf_stream_read_exactly(
            w->s, buf, sizeof buf, CF_FOREVER, &w->count);
        break;
    case LINE:
        w->err = cf_stream_read_line(w->s, 0, CF_FOREVER, &line);
        break;
    case WRITE:
        w->err = cf_stream_write(w->s, buf, sizeof buf, CF_FOREVER, &w->count);
        break;
    case ACCEPT:
        w->err = cf_listener_accept(w->l, CF_FOREVER, &s);
        break;
    case CONNECT:
        w->err = cf_stream_connect(call, w->address, NULL, CF_FOREVER, &s);
        break;
    }
    return 0;
}

/* Starts the wait, and lets it get as far as it comes. */
static inline cf_future *
begin(cf_call *call, struct wait *w)
{
    cf_future *f = start(call, wait_for, w);
    while (!w->begun)
        (void)cf_yield(call);
    (void)cf_sleep(call, MS);
    return f;
}

#endif
