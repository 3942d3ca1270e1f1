/* SPDX-License-Identifier: MIT */
/*
 * Copies bytes between two streams, in both directions at once.
 */
#ifndef PROXY_COPY_H
#define PROXY_COPY_H

#include <cfutures/cfutures.h>
#include <cfutures/stream.h>

struct copied {
    uint64_t to_server, to_client; /* bytes, added to what was there */
};

/* Copies until both sides have ended, each on its own: one that has said all
 * still hears the rest. CF_ETIMEDOUT: no byte came from either side for
 * idle_ns; else the first error. A write waits for the slower side, so little
 * is ever in memory. */
cf_err copy_both(cf_call *call,
                 cf_stream *client,
                 cf_stream *server,
                 int64_t idle_ns,
                 struct copied *copied);

#endif
