/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that is not read or written by libuv but by its owner, in tasks:
 * of listeners and datagrams. A task tries first, and waits here if the system
 * says EAGAIN. One task may wait for reading and one for writing. The loop's
 * thread's.
 */
#ifndef CF_EVENT_LOOP_POLLER_H
#define CF_EVENT_LOOP_POLLER_H

#include "event_loop/io_waiter.h"

/* The first field of what it belongs to. */
struct cf__poller {
    struct cf__io_object object;
    struct cf__evloop *loop;
    uv_poll_t uv;
    int fd;
    int watched; /* events that libuv looks for: UV_READABLE, UV_WRITABLE. It
                    goes on until one comes that no task waits for. */
    /* A task that is in a call; on its stack. */
    struct cf__io_waiter *reader, *writer;
    bool waits_to_read, waits_to_write; /* ... and waits for an event */
    bool closed; /* by its owner, or the loop has ended */
    bool gone;   /* ... and libuv has done with it */
    void (*free)(struct cf__poller *poller);
};

/* fd is the poller's if that succeeds. free is called when it has been closed,
 * fd too, and no task is in a call. All else is set to 0 by the caller. */
cf_err cf__poller_init(struct cf__poller *poller,
                       struct cf__evloop *loop,
                       int fd,
                       void (*free)(struct cf__poller *poller));

/*
 * For the task that is its reader or writer. event: UV_READABLE or UV_WRITABLE,
 * which may also come for no reason; 0: only the deadline ends the wait.
 * CF_OK, CF_ETIMEDOUT; CF_EINTERRUPTED: also if it has been closed.
 */
cf_err cf__poller_wait(struct cf__poller *poller,
                       struct cf__io_waiter *waiter,
                       int event,
                       int64_t deadline_ns);

/* For a task whose call is over: err, but CF_EINTERRUPTED if it has been closed
 * meanwhile. Then it may be freed here. slot: its reader or writer. */
cf_err cf__poller_leave(struct cf__poller *poller,
                        struct cf__io_waiter **slot,
                        cf_err err);

/* What the public close does. In another thread, or outside of the loop's
 * tasks, it ends the program with that sentence; a fork's child does nothing.
 */
void cf__poller_close(struct cf__poller *poller, const char *outside);

#endif
