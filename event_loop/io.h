/* SPDX-License-Identifier: MIT */
/*
 * What the calls for input and output are made of: they start something in
 * libuv, and their task is parked until a callback of libuv's says that it is
 * done.
 *
 *     struct cf__evloop *loop;
 *     struct cf__coroutine *self;
 *     cf_err err = cf__io_begin(call, &loop, &self);
 *     ... start it on cf__io_uv(loop) ...
 *     err = cf__io_wait(loop, self, &done, deadline_ns);
 *
 * All of this is for the loop's thread. The callbacks run on the thread's own
 * stack, where no call may wait; cf__io_wake() makes the task go on later.
 * Until they have run, what libuv has of a request or a handle stays: it is no
 * local variable of a task that can be told to stop.
 */
#ifndef CF_EVENT_LOOP_IO_H
#define CF_EVENT_LOOP_IO_H

#include "event_loop/loop.h"

#include <uv.h>

/*
 * For a call in a task of a loop: which loop and which coroutine that is. The
 * first one makes the loop's part of libuv.
 * CF_OK; CF_EINVAL: call is NULL; CF_ENOTSUP: the task does not run in an event
 * loop, or this is not its thread; CF_EFORKED: in a fork's child; CF_ENOMEM;
 * CF_ESYS: with errno.
 */
cf_err cf__io_begin(const cf_call *call,
                    struct cf__evloop **loop,
                    struct cf__coroutine **self);

/* The loop's uv_loop_t. After cf__io_begin(). */
uv_loop_t *cf__io_uv(struct cf__evloop *loop);

/*
 * Parks self until *done. A satisfied wait succeeds, whatever else happened. If
 * it is so at once, it spends the budget of operations, but not if deadline_ns
 * is 0.
 * CF_OK, CF_ETIMEDOUT; CF_EINTERRUPTED: the task has been told to stop;
 * CF_EFORKED.
 */
cf_err cf__io_wait(struct cf__evloop *loop,
                   struct cf__coroutine *self,
                   const bool *done,
                   int64_t deadline_ns);

/* *done has changed. For a task that is in no wait any more it does no harm. */
static inline void
cf__io_wake(struct cf__coroutine *self)
{
    cf__worker_unpark(&self->base);
}

/* What a function of libuv has returned: CF_OK, CF_ENOMEM, CF_EDONE for UV_EOF,
 * or CF_ESYS with errno. */
cf_err cf__io_error(int status);

/*
 * Something with handles that the loop ends if its owner has not: at the latest
 * when the loop ends. A loop that ends inside of a pthread_exit() does so, too.
 */
struct cf__io_object {
    struct cf__io_object *next, *prev; /* NULL: it is in no list */
    /* Closes its handles, and frees what there is when libuv has closed
     * them. It is in the list no more. */
    void (*end)(struct cf__io_object *object);
};

void cf__io_add(struct cf__evloop *loop,
                struct cf__io_object *object,
                void (*end)(struct cf__io_object *object));

/* Does nothing if it is in no list. */
static inline void
cf__io_remove(struct cf__io_object *object)
{
    if (!object->next)
        return;
    object->next->prev = object->prev;
    object->prev->next = object->next;
    object->next = object->prev = NULL;
}

#endif
