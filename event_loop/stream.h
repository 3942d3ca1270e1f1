/* SPDX-License-Identifier: MIT */
/*
 * Streams: what their files share. README.md, "Streams", has the protocol. From
 * below, where a file uses those above it in this list:
 *
 *   address.c, spare.c, resolver.c, lookup.c
 *   stream.c         made, closed, freed
 *   stream_open.c    of a descriptor
 *   stream_race.c    to the first address that accepts
 *   stream_connect.c to an address
 *   stream_read.c
 *   stream_write.c
 *
 * All of it is the loop's thread's.
 */
#ifndef CF_EVENT_LOOP_STREAM_H
#define CF_EVENT_LOOP_STREAM_H

#include <cfutures/stream.h>

#include "event_loop/io_waiter.h"

/* Bytes that have been read from the system, and not yet by a task. */
struct cf__ahead {
    unsigned char *data; /* NULL: there are none */
    size_t capacity;   /* CF__SPARE_SIZE: it is one of the loop's blocks. More:
                            malloc's, for a long line */
    size_t begin, end; /* of the bytes in data */
};

/* A task that reads; on its stack. */
struct cf__reader {
    struct cf__io_waiter waiter;
    unsigned char *buf; /* NULL: it wants a line, which stays in ahead */
    size_t size;        /* bytes of room in buf; for a line: its limit */
    size_t least;       /* so many are enough */
    size_t got;
    size_t scanned; /* so many bytes of ahead have no end of a line */
    cf_err err;     /* why it has no more, but for read_status */
};

/* Bytes of an unfinished write, in memory of the library's. */
enum { CF__STONE_SIZE = 4096 };
struct cf__stone {
    uv_write_t request;
    cf_stream *stream;
    unsigned char bytes[CF__STONE_SIZE];
};

struct cf_stream {
    struct cf__io_object object;
    struct cf__evloop *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
        uv_tty_t tty;
    } uv;

    struct cf__reader *reader; /* the task that reads */
    struct cf__ahead ahead;
    size_t lent;     /* so many bytes of ahead a task has as its last line */
    int read_status; /* 0, or why no more comes: UV_EOF or an error */
    bool reading;    /* libuv reads */
    bool paused;     /* ... but not now: ahead was full */

    struct cf__io_waiter *writer; /* the task that waits for the stone */
    struct cf__stone *stone;      /* NULL: nothing is unfinished */
    int write_status;             /* 0, or why no more goes */
    bool shut;                    /* cf_stream_shutdown() was called */

    bool closed; /* cf_stream_close() was called, or the loop has ended */
    bool gone;   /* ... and libuv has done with it */
};

/* --- stream.c ------------------------------------------------------------- */

/* Without a handle: the caller makes that next, then calls cf__stream_begin().
 * NULL: no memory. */
cf_stream *cf__stream_new(struct cf__evloop *loop);

/* It has a handle: from now on it ends with its loop. */
void cf__stream_begin(cf_stream *s);

/* Starts to close it. Tasks that use it get CF_EINTERRUPTED. */
void cf__stream_end(cf_stream *s);

/* For a task that has used it, and does so no more: err, but CF_EINTERRUPTED if
 * it has been closed meanwhile. Then it may be freed here. */
cf_err cf__stream_leave(cf_stream *s, cf_err err);

/* Gives back what ahead has, which is nothing that counts. */
void cf__stream_drop_ahead(cf_stream *s);

/* -1: none. */
int cf__stream_descriptor(const cf_stream *s);

/* --- stream_open.c -------------------------------------------------------- */

/* What cf_stream_from_fd() does; of a socket that libuv may have as tcp, with
 * options. On error fd stays the caller's. */
cf_err cf__stream_open(struct cf__evloop *loop,
                       int fd,
                       uv_handle_type type,
                       const cf_stream_options *options,
                       cf_stream **out);

void cf__stream_set_options(cf_stream *s, const cf_stream_options *options);

#endif
