/* SPDX-License-Identifier: MIT */
/*
 * A worker process: takes the orders of its lane one by one, runs them and
 * writes their outcomes. From its fork to its loop it calls only what is
 * async-signal-safe, because the program had other threads.
 */
#ifndef CF_PROCESS_POOL_WORKER_H
#define CF_PROCESS_POOL_WORKER_H

#include <cfutures/process_pool.h>

#include "process_pool/memory/roster.h"
#include "process_pool/memory/shared.h"

enum { CF__PROCESS_NAME_SIZE = 16 }; /* bytes, with the terminator */

/* What every worker of a pool finds. Set before the zygote is forked. */
struct cf__worker_setup {
    const struct cf__shared *shared;
    cf_process_pool_options options;
    char name_prefix[CF__PROCESS_NAME_SIZE];
    cf_executor *nested; /* the executor to which its tasks submit */
    struct cf__roster roster;
    bool executable_stack; /* tasks' stacks are executable, as the program's
                              are */
};

/* Runs the worker of a lane, from the position start on, to its end. */
_Noreturn void
cf__worker_main(const struct cf__worker_setup *setup, int lane, uint64_t start);

/* Names the calling process <prefix>_<suffix>, with the prefix cut to fit. */
void cf__worker_name(const struct cf__worker_setup *setup, const char *suffix);

/* Moments of a worker's life, at which tests let it die. */
enum cf__moment {
    CF__BEFORE_TAKING,
    CF__AFTER_TAKING,
    CF__BEFORE_DONE, /* the result has been written, but not published */
    CF__AFTER_DONE,
    CF__BEFORE_SLEEP
};

/* Called at these moments in every worker that is forked while it is set. NULL:
 * not called. */
extern void (*cf__worker_probe)(enum cf__moment moment, int lane);

#endif
