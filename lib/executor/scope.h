/* SPDX-License-Identifier: MIT */
/*
 * What a scope is (cfutures/scope.h). README.md, "Scopes", has the protocol.
 *
 * The scopes of a stack are a list, from the innermost one outwards, which
 * cf__thread.scopes begins. A shield is a count: it lies inside of the scope
 * that is innermost when it begins. A scope is in the block of a future, so
 * the cache of the thread has memory for it.
 */
#ifndef CF_LIB_EXECUTOR_SCOPE_H
#define CF_LIB_EXECUTOR_SCOPE_H

#include <cfutures/scope.h>

#include "lib/base/atomic.h"
#include "lib/base/export.h"
#include "lib/base/thread.h"
#include "lib/base/worker.h"

/* The values of cf_scope.cancel. */
enum {
    CF__SCOPE_OPEN = 0,
    CF__SCOPE_STRIKING = 1, /* cf_scope_cancel() still uses the scope */
    CF__SCOPE_CANCELED = 2
};

/* All fields but cancel are of the stack that began the scope. */
struct cf_scope {
    uint64_t word;           /* 0: that of a free block, left as it is */
    struct cf__scopes outer; /* what it began in */
    int64_t deadline_ns;     /* its own; not exact before it is settled */
    int64_t limit_ns;        /* to settle: its time limit; else 0 */
    bool unsettled;          /* it, or one around it, may have to be settled */
    int64_t stop_ns; /* the first one of its own deadline and those of the
                        scopes around it, up to a shield */
    cf_err told;     /* CF_ETIMEDOUT, CF_ECANCELED: code inside has been told
                        that this scope struck. CF_EINTERRUPTED: ... that one
                        around it did, or that the task is to stop */
    uint16_t generation;        /* of the process that began it */
    _Atomic uint32_t cancel;    /* 0 to 1 to 2: by the one that cancels */
    struct cf__worker *sleeper; /* unparked by the one that cancels */
};

/* What the calling code parks on, outside of tasks of a pool: the thread's
 * own. The scopes of a thread unpark it. NULL: the thread must not park, as it
 * serves; or it is in no scope. */
struct cf__worker *cf__scope_sleeper(void);

/* The code that runs is about to wait, or looks at the clock: its scopes get
 * the deadlines that count. Returns the time if the clock had to be read, else
 * 0. */
int64_t cf__scopes_settle(void);

/* The thread ends: frees the scopes of the code that runs. */
CF__EXPORT void cf__scopes_drop(void);

/* The thread ends inside of code of the user that runs on top of other code. As
 * cf__scopes_drop(); then it is in scopes again, a struct cf__scopes that
 * cf__scopes_hide() has given. For pthread_cleanup_push(). */
void cf__scopes_leave(void *scopes);

#endif
