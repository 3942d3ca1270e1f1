/* SPDX-License-Identifier: MIT */
/*
 * All executors of this process: so that the end of the program drains them,
 * and a fork's child knows that they are not its own.
 */
#ifndef CF_LIB_REGISTRY_H
#define CF_LIB_REGISTRY_H

#include "lib/future.h"
#include "lib/generation.h"

/* Enters a new executor. CF_ENOMEM if the process's hooks cannot be set. */
cf_err cf__registry_add(cf_executor *ex);

/* Takes it out, before it is freed. */
void cf__registry_remove(cf_executor *ex);

/* f will never be done here: its task belongs to the process that forked this
 * one. Does not touch the executor, which may be gone. */
static inline bool
cf__forked(const cf_future *f)
{
    return f->generation != cf__generation && f->executor && !cf_future_done(f);
}

#endif
