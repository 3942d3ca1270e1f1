/* SPDX-License-Identifier: MIT */
/*
 * Forking workers with a stream to each, and whole messages through streams.
 */
#include "common/stream.h"

#include "common/bench.h"
#include "common/child.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ends 0 are the program's, ends 1 the worker's. */
static void
open_pair(stream_kind kind, int to[2], int from[2])
{
    if (kind == STREAM_SOCKETPAIR) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, to) != 0)
            bench_die("socketpair failed");
        from[0] = to[0];
        from[1] = to[1];
        return;
    }
    int arguments[2], results[2];
    if (pipe(arguments) != 0 || pipe(results) != 0)
        bench_die("pipe failed");
    to[0] = arguments[1];
    to[1] = arguments[0];
    from[0] = results[0];
    from[1] = results[1];
}

static void
close_pair(int to, int from)
{
    close(to);
    if (from != to)
        close(from);
}

void
stream_open(stream *streams,
            int count,
            stream_kind kind,
            stream_serve_fn *serve)
{
    for (int i = 0; i < count; i++) {
        int to[2], from[2];
        open_pair(kind, to, from);
        pid_t pid = child_fork();
        if (pid == 0) {
            close_pair(to[0], from[0]);
            for (int j = 0; j < i; j++) /* or those never see an end */
                close_pair(streams[j].to, streams[j].from);
            serve(to[1], from[1]);
            _exit(0);
        }
        close_pair(to[1], from[1]);
        streams[i] = (stream){to[0], from[0], pid};
    }
}

void
stream_close(stream *streams, int count)
{
    for (int i = 0; i < count; i++)
        close_pair(streams[i].to, streams[i].from);
    for (int i = 0; i < count; i++)
        child_wait(streams[i].pid);
}

bool
stream_read(int fd, void *to, size_t size)
{
    return stream_read_some(fd, to, size, 1) == 1;
}

size_t
stream_read_some(int fd, void *to, size_t size, size_t max)
{
    size_t have = 0;

    while (have == 0 || have % size != 0) {
        ssize_t got = read(fd, (char *)to + have, size * max - have);
        if (got > 0)
            have += (size_t)got;
        else if (got == 0 && have == 0)
            return 0;
        else if (got == 0 || errno != EINTR)
            bench_die("reading from another process failed");
    }
    return have / size;
}

void
stream_write(int fd, const void *from, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t put = write(fd, (const char *)from + done, size - done);
        if (put > 0)
            done += (size_t)put;
        else if (put < 0 && errno != EINTR)
            bench_die("writing to another process failed");
    }
}
