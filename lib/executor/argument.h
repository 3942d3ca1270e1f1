/* SPDX-License-Identifier: MIT */
/*
 * A task's argument: a pointer, up to 32 bytes inside the future, or a block of
 * the executor's memory.
 */
#ifndef CF_LIB_EXECUTOR_ARGUMENT_H
#define CF_LIB_EXECUTOR_ARGUMENT_H

#include "lib/executor/remote.h"

#include <stdlib.h>

/* In a fork's child nothing but a submit that fails has such. */
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

/* Copies size bytes as the argument. CF_ENOMEM, CF_ETOOBIG. */
cf_err cf__future_set_arg(cf_future *f, const void *arg, size_t size);

/* Makes a block of cf__arg_alloc() the argument. */
void cf__future_adopt_arg(cf_future *f, void *block, size_t size);

/* Frees a future that was never published, leaving a pointer argument be. */
void cf__future_discard(cf_future *f);

/* Frees or gives back the argument, once; by whoever ran, cancelled or refused
 * the task. */
void cf__future_release_arg(cf_future *f);

#endif
