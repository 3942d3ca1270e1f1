/* SPDX-License-Identifier: MIT */
/*
 * An outbox: the lines that wait to be written to one client, at most so many.
 * A client that reads too slowly loses lines, and is told how many: it must not
 * hold up the others, nor fill the server's memory.
 */
#ifndef CHAT_OUTBOX_H
#define CHAT_OUTBOX_H

#include "line.h"

#include <cfutures/cfutures.h>
#include <cfutures/stream.h>

#include <stdint.h>

struct outbox {
    struct line **lines; /* a ring */
    size_t capacity, first, count;
    size_t dropped;         /* lines, since the client was told */
    uint64_t total_dropped; /* ... since the begin */
    bool closed;            /* nothing comes any more */
    cf_event *changed;
};

cf_err outbox_init(struct outbox *box, size_t capacity);
void outbox_fini(struct outbox *box);

/* Puts a line into it, or drops it. */
void outbox_put(struct outbox *box, struct line *line);

/* After that, outbox_write() ends when all has been written. */
void outbox_close(struct outbox *box);

/* Writes to the stream what comes, until the outbox is closed. CF_EINTERRUPTED:
 * the task has been told to stop; else what cf_stream_write() says. */
cf_err outbox_write(struct outbox *box, cf_stream *stream);

#endif
