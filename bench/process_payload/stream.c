/* SPDX-License-Identifier: MIT */
/*
 * Worker processes behind pipes or socket pairs. Payloads are larger than what
 * those hold, so the program writes and reads as far as it can without
 * blocking, and sleeps in poll() otherwise.
 */
#include "process_payload/payload.h"

#include "common/bench.h"
#include "common/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CAPACITY = 1 << 20 }; /* bytes asked for, in each direction */

typedef struct slot {
    uint64_t *input, *output;
    bool under_way;
    size_t sent, received; /* bytes */
} slot;

/* A worker has every worker_count-th slot, in turns. */
typedef struct worker {
    int sending;   /* the slot that is sent next, or in part already */
    int receiving; /* likewise */
} worker;

static stream *streams;
static worker *workers;
static struct pollfd *polls; /* for each worker, to it and from it */
static int worker_count;
static slot *slots;
static int slot_count;
static size_t payload_size;

static void
serve(int in, int out)
{
    void *own = bench_alloc(1, payload_size);

    while (stream_read(in, own, payload_size))
        stream_write(out, own, payload_size);
    free(own);
}

/* As large as the system allows, and without blocking on the program's side. */
static void
prepare(int fd)
{
    static const int capacity = CAPACITY;

    if (BENCH_STREAM == STREAM_PIPE)
        (void)fcntl(fd, F_SETPIPE_SZ, capacity);
    else
        (void)setsockopt(
            fd, SOL_SOCKET, SO_SNDBUF, &capacity, sizeof(capacity));
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        bench_die("fcntl failed");
}

void
payload_open(int count)
{
    worker_count = count;
    streams = bench_alloc((size_t)count, sizeof(*streams));
    workers = bench_alloc((size_t)count, sizeof(*workers));
    polls = bench_alloc((size_t)count * 2, sizeof(*polls));
}

void
payload_close(void)
{
    free(polls);
    free(workers);
    free(streams);
}

bool
payload_begin(payload_mode mode, size_t size, int count)
{
    if (mode != PAYLOAD_COPY)
        return false;
    payload_size = size;
    slot_count = count;
    slots = bench_alloc((size_t)count, sizeof(*slots));
    for (int i = 0; i < count; i++) {
        slots[i].input = bench_alloc(1, size);
        slots[i].output = bench_alloc(1, size);
    }
    stream_open(streams, worker_count, BENCH_STREAM, serve);
    for (int i = 0; i < worker_count; i++) {
        workers[i] = (worker){i, i};
        prepare(streams[i].to);
        prepare(streams[i].from);
    }
    return true;
}

void
payload_end(void)
{
    stream_close(streams, worker_count);
    for (int i = 0; i < slot_count; i++) {
        free(slots[i].input);
        free(slots[i].output);
    }
    free(slots);
}

uint64_t *
payload_input(int index)
{
    return slots[index].input;
}

/* Counts what read() or write() moved; false: nothing yet. */
static bool
moved(ssize_t bytes, size_t *count)
{
    if (bytes > 0)
        *count += (size_t)bytes;
    else if (bytes == 0 || (errno != EAGAIN && errno != EINTR))
        bench_die("a worker's stream broke");
    return bytes > 0;
}

/* Sends to a worker what there is to send, as far as it goes. */
static void
send_to(int index)
{
    for (;;) {
        slot *s = &slots[workers[index].sending];
        if (!s->under_way || s->sent == payload_size)
            return;
        const char *from = (const char *)s->input + s->sent;
        size_t size = payload_size - s->sent;
        if (!moved(write(streams[index].to, from, size), &s->sent))
            return;
        if (s->sent == payload_size)
            workers[index].sending =
                (workers[index].sending + worker_count) % slot_count;
    }
}

static void
receive_from(int index)
{
    slot *s = &slots[workers[index].receiving];
    char *to = (char *)s->output + s->received;
    size_t size = payload_size - s->received;

    (void)moved(read(streams[index].from, to, size), &s->received);
    if (s->received == payload_size)
        workers[index].receiving =
            (workers[index].receiving + worker_count) % slot_count;
}

/* Sleeps until a stream can go on, and goes on with all that can. */
static void
pump(void)
{
    for (int i = 0; i < worker_count; i++) {
        const slot *out = &slots[workers[i].sending];
        const slot *in = &slots[workers[i].receiving];
        bool sends = out->under_way && out->sent < payload_size;
        bool receives = in->under_way && in->received < payload_size;
        polls[2 * i] = (struct pollfd){sends ? streams[i].to : -1, POLLOUT, 0};
        polls[2 * i + 1] =
            (struct pollfd){receives ? streams[i].from : -1, POLLIN, 0};
    }
    if (poll(polls, (nfds_t)worker_count * 2, -1) < 0 && errno != EINTR)
        bench_die("poll failed");
    for (int i = 0; i < worker_count; i++) {
        if (polls[2 * i].revents != 0)
            send_to(i);
        if (polls[2 * i + 1].revents != 0)
            receive_from(i);
    }
}

void
payload_submit(int index)
{
    slot *s = &slots[index];

    s->sent = s->received = 0;
    s->under_way = true;
    send_to(index % worker_count);
}

const uint64_t *
payload_result(int index)
{
    while (slots[index].received < payload_size)
        pump();
    return slots[index].output;
}

void
payload_release(int index)
{
    slots[index].under_way = false;
}
