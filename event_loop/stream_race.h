/* SPDX-License-Identifier: MIT */
/*
 * TCP connections to whichever of some addresses accepts first (RFC 8305,
 * "Happy Eyeballs"). The loop's thread's.
 */
#ifndef CF_EVENT_LOOP_STREAM_RACE_H
#define CF_EVENT_LOOP_STREAM_RACE_H

#include "event_loop/lookup.h"
#include "event_loop/stream.h"

/* A task that connects. */
struct cf__connecting {
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    const cf_stream_options *options;
    int64_t deadline_ns;
};

/*
 * Tries the addresses in their order. The next one is tried when the one before
 * it has failed, or has not answered for some time; the first that connects
 * wins, and the others are closed.
 * CF_OK, CF_ETIMEDOUT, CF_EINTERRUPTED; CF_ENOMEM, CF_ESYS: all have failed,
 * the last one so.
 */
cf_err cf__stream_race(const struct cf__connecting *c,
                       const struct cf__addresses *addresses,
                       cf_stream **out);

#endif
