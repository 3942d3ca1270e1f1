/* SPDX-License-Identifier: MIT */
/*
 * A task's argument: a pointer, up to 32 bytes inside the future, or a block of
 * the executor's memory; or an object, inside (up to 24 bytes) or on the heap.
 *
 * An object inside has its ops behind it, at CF__ARG_OPS. One on the heap has
 * them there, too. Until the task is published, the place of the result has the
 * address that the object was moved from.
 */
#ifndef CF_LIB_EXECUTOR_ARGUMENT_H
#define CF_LIB_EXECUTOR_ARGUMENT_H

#include "lib/base/copy.h"
#include "lib/executor/remote.h"

#include <stdlib.h>

/* The arguments of ex that do not fit into a future are in memory of
 * ops.remote. In a fork's child only a submit, which will fail, still makes
 * such arguments; there they are in plain memory. */
static inline bool
cf__args_are_remote(const cf_executor *ex)
{
    return ex->ops->remote && !cf__executor_forked(ex);
}

static inline void *
cf__arg_alloc(cf_executor *ex, size_t size)
{
    return cf__args_are_remote(ex) ? ex->ops->remote->arg_alloc(ex, size)
                                   : malloc(size);
}

static inline void
cf__arg_free(cf_executor *ex, void *arg)
{
    if (cf__args_are_remote(ex))
        ex->ops->remote->arg_free(ex, arg);
    else
        free(arg);
}

/* Makes a copy of size bytes, at most CF__SHORT, the argument; size 0: the
 * pointer arg itself. */
static inline void
cf__future_set_short_arg(cf_future *f, const void *arg, size_t size)
{
    if (size == 0) {
        memcpy(f->arg, &arg, sizeof arg);
        f->owned |= CF__ARG_POINTER;
    } else {
        cf__copy_short(f->arg, arg, size);
        f->arg_size = (uint8_t)size;
    }
}

/* The same for any size. CF_ENOMEM, CF_ETOOBIG. */
cf_err cf__future_set_arg(cf_future *f, const void *arg, size_t size);

/* Makes a block of cf__arg_alloc() the argument. */
void cf__future_adopt_arg(cf_future *f, void *block, size_t size);

/* Makes an object of the user's the argument. The executor's tasks share its
 * memory. On error it has not been touched: CF_ENOMEM, CF_ETOOBIG. */
cf_err
cf__future_set_object(cf_future *f, const cf_object_ops *ops, void *object);

/* To release the argument is to call code of the user. Called while no thread
 * runs the task. */
static inline bool
cf__future_arg_is_users(const cf_future *f)
{
    return f->owned & CF__ARG_OBJECT ||
           (f->attributes && f->attributes->arg_free);
}

/* Frees a future that was never published, before the submit returns. If its
 * argument is a pointer of the user, that stays the user's; an object is moved
 * back. */
void cf__future_discard(cf_future *f);

/* Frees the argument, or gives it to the user's arg_free(). Once, by the thread
 * that ran, cancelled or refused the task. */
void cf__future_release_arg(cf_future *f);

#endif
