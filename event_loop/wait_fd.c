/* SPDX-License-Identifier: MIT */
/*
 * Tasks that wait for descriptors of the program: <cfutures/io.h>. No locks.
 *
 * The program may close a descriptor at any time, and the system may give its
 * number to another one. libuv ends the program if it meets a closed descriptor
 * in its own epoll set. So these are in a set of their own, which libuv watches
 * as a whole. Each wait arms the descriptor for one event: that one call also
 * says whether it is open, and whether it is the one that was armed before.
 */
#include <cfutures/io.h>

#include "event_loop/engine.h"
#include "lib/base/cancel.h"
#include "lib/base/einval.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { BOTH = CF_FD_READ | CF_FD_WRITE, EVENTS = 64, ROUNDS = 16 };

/* A task that waits; on its stack. */
struct waiter {
    struct cf__coroutine *self;
    unsigned events, ready;
    bool done;
    cf_err err; /* with errno in error */
    int error;
};

struct watch {
    uint32_t serial; /* of the last arming */
    struct waiter *reader, *writer;
};

struct cf__watches {
    struct cf__io_object object;
    uv_poll_t poll; /* of set */
    int set;
    struct watch *table; /* by descriptor */
    size_t size;
    size_t waiting; /* tasks */
};

/* --- waking --------------------------------------------------------------- */

static void
finish(struct cf__watches *watches,
       struct waiter *waiter,
       cf_err err,
       int error)
{
    if (!waiter || waiter->done)
        return;
    waiter->done = true;
    waiter->err = err;
    waiter->error = error;
    if (--watches->waiting == 0) /* libuv need not be looked at for us */
        uv_unref((uv_handle_t *)&watches->poll);
    cf__io_wake(waiter->self);
}

/* Its task waits no more. */
static void
leave(struct watch *watch, const struct waiter *waiter)
{
    if (watch->reader == waiter)
        watch->reader = NULL;
    if (watch->writer == waiter)
        watch->writer = NULL;
}

static void
finish_both(struct cf__watches *watches,
            struct watch *watch,
            cf_err err,
            int error)
{
    finish(watches, watch->reader, err, error);
    finish(watches, watch->writer, err, error);
    watch->reader = watch->writer = NULL;
}

/* --- the set -------------------------------------------------------------- */

static unsigned
awaited(const struct watch *watch)
{
    return (watch->reader ? (unsigned)CF_FD_READ : 0U) |
           (watch->writer ? (unsigned)CF_FD_WRITE : 0U);
}

/* Arms fd for its next event. 0, or an error: ENOENT if fd has not been armed
 * before, or only another descriptor of that number. */
static int
arm(struct cf__watches *watches, int op, int fd, unsigned events)
{
    struct watch *watch = &watches->table[fd];
    struct epoll_event event = {.events = EPOLLONESHOT};
    if (events & CF_FD_READ)
        event.events |= EPOLLIN;
    if (events & CF_FD_WRITE)
        event.events |= EPOLLOUT;
    event.data.u64 = (uint64_t)(watch->serial + 1) << 32 | (uint32_t)fd;
    if (epoll_ctl(watches->set, op, fd, &event))
        return errno;
    watch->serial++;
    return 0;
}

/* The event of an armed descriptor. What is left to wait for is armed again. */
static void
on_event(struct cf__watches *watches, const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    struct watch *watch = &watches->table[fd];
    unsigned ready = 0;
    if (watch->serial != (uint32_t)(event->data.u64 >> 32))
        return; /* of a descriptor that has been closed; a copy lives on */
    if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        ready |= CF_FD_READ;
    if (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        ready |= CF_FD_WRITE;
    struct waiter *reader = watch->reader, *writer = watch->writer;
    if (reader && reader->events & ready) {
        reader->ready = reader->events & ready;
        finish(watches, reader, CF_OK, 0);
        leave(watch, reader);
    }
    if (writer && writer != reader && writer->events & ready) {
        writer->ready = writer->events & ready;
        finish(watches, writer, CF_OK, 0);
        leave(watch, writer);
    }
    if (awaited(watch)) {
        int error = arm(watches, EPOLL_CTL_MOD, fd, awaited(watch));
        if (error)
            finish_both(watches, watch, CF_ESYS, EBADF);
    }
}

static void
look(struct cf__watches *watches, int rounds)
{
    struct epoll_event list[EVENTS];
    for (int count = EVENTS; count == EVENTS && rounds > 0; rounds--) {
        count = epoll_wait(watches->set, list, EVENTS, 0);
        for (int i = 0; i < count; i++)
            on_event(watches, &list[i]);
    }
}

static void
on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    look(poll->data, ROUNDS); /* the rest can wait for libuv's next look */
}

/* --- begin and end -------------------------------------------------------- */

static void
free_watches(uv_handle_t *poll)
{
    struct cf__watches *watches = poll->data;
    cf__close(watches->set);
    free(watches->table);
    free(watches);
}

static void
end_watches(struct cf__io_object *object)
{
    struct cf__watches *watches = (struct cf__watches *)object;
    uv_close((uv_handle_t *)&watches->poll, free_watches);
}

static cf_err
new_watches(struct cf__evloop *loop, struct cf__watches **out)
{
    struct cf__watches *watches = calloc(1, sizeof *watches);
    if (!watches)
        return CF_ENOMEM;
    watches->set = epoll_create1(EPOLL_CLOEXEC);
    int rc = watches->set < 0
                 ? uv_translate_sys_error(errno)
                 : uv_poll_init(cf__io_uv(loop), &watches->poll, watches->set);
    if (rc) {
        if (watches->set >= 0)
            cf__close(watches->set);
        free(watches);
        return cf__io_error(rc);
    }
    watches->poll.data = watches;
    uv_unref((uv_handle_t *)&watches->poll);
    cf__io_add(loop, &watches->object, end_watches);
    rc = uv_poll_start(&watches->poll, UV_READABLE, on_readable);
    if (rc) {
        cf__io_remove(&watches->object);
        end_watches(&watches->object);
        return cf__io_error(rc);
    }
    *out = watches;
    return CF_OK;
}

static cf_err
make_room(struct cf__watches *watches, int fd)
{
    size_t size = watches->size ? watches->size : EVENTS;
    if ((size_t)fd < watches->size)
        return CF_OK;
    while (size <= (size_t)fd)
        size *= 2;
    struct watch *table = realloc(watches->table, size * sizeof *table);
    if (!table)
        return CF_ENOMEM;
    memset(table + watches->size, 0, (size - watches->size) * sizeof *table);
    watches->table = table;
    watches->size = size;
    return CF_OK;
}

/* The number is another descriptor's than the one that was armed: what waits
 * for that has lost it. */
static int
arm_new(struct cf__watches *watches, int fd, unsigned events)
{
    finish_both(watches, &watches->table[fd], CF_ESYS, EBADF);
    return arm(watches, EPOLL_CTL_ADD, fd, events);
}

/* --- the calls ------------------------------------------------------------ */

static cf_err
enter(struct cf__watches *watches, int fd, struct waiter *waiter)
{
    cf_err err = make_room(watches, fd);
    if (err)
        return err;
    struct watch *watch = &watches->table[fd];
    const bool taken = awaited(watch) & waiter->events;
    int error =
        arm(watches, EPOLL_CTL_MOD, fd, awaited(watch) | waiter->events);
    if (error == 0 && taken)
        return cf__einval("cf_wait_fd", /* what waits already is armed, too */
                          "another task waits for the same of fd");
    if (error == ENOENT)
        error = arm_new(watches, fd, waiter->events);
    if (error) {
        finish_both(watches, watch, CF_ESYS, EBADF);
        errno = error;
        return error == ENOMEM ? CF_ENOMEM : CF_ESYS;
    }
    if (waiter->events & CF_FD_READ)
        watch->reader = waiter;
    if (waiter->events & CF_FD_WRITE)
        watch->writer = waiter;
    if (watches->waiting++ == 0)
        uv_ref((uv_handle_t *)&watches->poll);
    return CF_OK;
}

static cf_err
wait_in_set(struct cf__evloop *loop,
            int fd,
            struct waiter *waiter,
            int64_t deadline_ns)
{
    struct cf__watches *watches = loop->engine->watches;
    cf_err err = enter(watches, fd, waiter);
    if (err)
        return err;
    if (deadline_ns == 0) /* asks only */
        look(watches, INT_MAX);
    err = cf__io_wait(loop, waiter->self, &waiter->done, deadline_ns);
    if (err == CF_EFORKED)
        return err;
    if (err && !waiter->done) { /* an event that comes now is ignored */
        leave(&watches->table[fd], waiter);
        finish(watches, waiter, err, 0);
    }
    if (waiter->err == CF_ESYS)
        errno = waiter->error;
    return waiter->err;
}

cf_err
cf_wait_fd(
    cf_call *call, int fd, unsigned events, int64_t timeout_ns, unsigned *ready)
{
    struct cf__evloop *loop;
    struct waiter waiter = {.events = events};
    const char *why = !call                      ? "call is NULL"
                      : fd < 0                   ? "fd is negative"
                      : !events                  ? "events is 0"
                      : events & ~(unsigned)BOTH ? "events has an unknown bit"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    int64_t deadline_ns = cf__deadline(timeout_ns);
    cf_err err = cf__io_begin(call, &loop, &waiter.self);
    if (!err && !loop->engine->watches)
        err = new_watches(loop, &loop->engine->watches);
    if (!err && loop->engine->watches)
        err = wait_in_set(loop, fd, &waiter, deadline_ns);
    if (!err && ready)
        *ready = waiter.ready;
    return err;
}

void
cf_fd_closing(cf_call *call, int fd)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    if (!call || fd < 0 || cf__io_begin(call, &loop, &self))
        return;
    struct cf__watches *watches = loop->engine->watches;
    if (!watches || (size_t)fd >= watches->size)
        return;
    finish_both(watches, &watches->table[fd], CF_EINTERRUPTED, 0);
    (void)epoll_ctl(watches->set, EPOLL_CTL_DEL, fd, NULL);
}
