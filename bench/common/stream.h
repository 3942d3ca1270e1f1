/* SPDX-License-Identifier: MIT */
/*
 * Worker processes behind a pipe in each direction, or a socket pair: how
 * process pools usually talk to their workers, with nothing around it.
 */
#ifndef BENCH_COMMON_STREAM_H
#define BENCH_COMMON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef enum stream_kind { STREAM_PIPE, STREAM_SOCKETPAIR } stream_kind;

/* The program's side of one worker. */
typedef struct stream {
    int to;   /* what the worker reads */
    int from; /* what it writes; the same descriptor with a socket pair */
    pid_t pid;
} stream;

/* A worker's life: reads from in and writes to out until in ends. */
typedef void stream_serve_fn(int in, int out);

/* Starts count workers. */
void stream_open(stream *streams,
                 int count,
                 stream_kind kind,
                 stream_serve_fn *serve);

/* Ends their input and waits for them. */
void stream_close(stream *streams, int count);

/* Reads all of size bytes; false: the input ends here. */
bool stream_read(int fd, void *to, size_t size);

/* Reads what is there, at least one and at most max whole messages of size
 * bytes each, and returns how many; 0: the input ends here. */
size_t stream_read_some(int fd, void *to, size_t size, size_t max);

void stream_write(int fd, const void *from, size_t size);

#endif
