/* SPDX-License-Identifier: MIT */
/* How a worker has ended, for people: from the status of its process, and from
 * what it could say itself (zygote/crash.h). */
#ifndef CF_PROCESS_POOL_DEATH_H
#define CF_PROCESS_POOL_DEATH_H

#include "process_pool/lane.h"
#include "process_pool/pool.h"
#include "process_pool/zygote/zygote.h"

enum { CF__DEATH_MESSAGE = 400 }; /* bytes, enough for any */

struct cf__death {
    const struct cf__zygote_report *end; /* NULL: there never was a worker */
    const void *address;                 /* where it crashed */
    const char *where; /* what that is, in words; NULL: it is not known */
};

/* The worker of the lane has ended. Any of what it has left there may be
 * nonsense. */
struct cf__death cf__death_of(const struct cf__processes *pool,
                              const struct cf__process_lane *lane,
                              const struct cf__zygote_report *end);

/* Makes a record of it. name: of the task that it was in; NULL: it has none.
 * message: room for CF__DEATH_MESSAGE bytes, which the record points to. */
cf_error cf__death_describe(const struct cf__death *death,
                            const char *name,
                            char *message);

#endif
