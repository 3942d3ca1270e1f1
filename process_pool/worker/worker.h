/* SPDX-License-Identifier: MIT */
/*
 * A worker process: takes the orders of its lane one by one, runs them and
 * writes their outcomes. From fork to its loop it calls nothing but what is
 * async-signal-safe, because the program had other threads.
 */
#ifndef CF_PROCESS_POOL_WORKER_H
#define CF_PROCESS_POOL_WORKER_H

#include <cfutures/process_pool.h>

#include "process_pool/memory/roster.h"
#include "process_pool/memory/shared.h"

enum { CF__PROCESS_NAME_SIZE = 16 }; /* bytes, with the terminator */

/* What every worker of a pool finds; set before the zygote is forked. */
struct cf__worker_setup {
    const struct cf__shared *shared;
    cf_process_pool_options options;
    char name_prefix[CF__PROCESS_NAME_SIZE];
    cf_executor *nested; /* where its tasks submit */
    struct cf__roster roster;
    bool executable_stack; /* as the program's stacks */
};

/* Runs the worker of a lane, from a position on, to its end. */
_Noreturn void
cf__worker_main(const struct cf__worker_setup *setup, int lane, uint64_t start);

/* Names the calling process <prefix>_<suffix>, the prefix cut to fit. */
void cf__worker_name(const struct cf__worker_setup *setup, const char *suffix);

/* Moments of a worker's life, for tests that let it die there. */
enum cf__moment {
    CF__BEFORE_TAKING,
    CF__AFTER_TAKING,
    CF__BEFORE_DONE, /* the result has been written, but not published */
    CF__AFTER_DONE,
    CF__BEFORE_SLEEP
};

/* Called at these moments in every worker forked while it is set. NULL:
 * nobody asks. */
extern void (*cf__worker_probe)(enum cf__moment moment, int lane);

#endif
