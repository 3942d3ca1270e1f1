/* SPDX-License-Identifier: MIT */
/* What a bound is: for bound.c, and for the test of its check. */
#ifndef CF_LIB_EXECUTOR_BOUND_LINE_H
#define CF_LIB_EXECUTOR_BOUND_LINE_H

#include "lib/executor/bound.h"
#include "lib/executor/sleeper.h"

#include <pthread.h>

/* A thread or a task that waits; on its stack. Guarded by the bound's lock. */
struct cf__waiting {
    struct cf__bound *bound;
    struct cf__waiting *next; /* the one that came after it */
    size_t count;             /* of the places that it needs */
    bool called;              /* out of the line: it has them, or is refused */
    cf_err refused;           /* CF_OK: it has them */
    bool parks;               /* it waits by the sleeper, not by turn */
    struct cf__sleeper sleeper;
    pthread_cond_t turn;
};

struct cf__bound {
    size_t capacity;
    cf_queue_policy policy;
    pthread_mutex_t lock;
    pthread_cond_t left; /* inside has become 0 */
    /* Guarded by lock. */
    size_t pending; /* above capacity after submits that went over it */
    struct cf__waiting *first, **end; /* the line */
    size_t inside; /* those that are in the line, or have been called and not
                      yet gone on */
    cf_err closed; /* CF_OK: open */
};

#endif
