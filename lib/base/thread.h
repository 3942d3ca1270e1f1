/* SPDX-License-Identifier: MIT */
/*
 * What the library keeps per thread: a cache of future blocks, the worker that
 * the thread is, and how long its last wait took.
 */
#ifndef CF_LIB_BASE_THREAD_H
#define CF_LIB_BASE_THREAD_H

#include <cfutures/base.h>

struct cf__worker;
struct cf__server;
struct cf__due;
struct cf__caller_run;

struct cf__thread {
    cf_future *free_blocks;    /* linked by next */
    unsigned free_count;       /* of these */
    unsigned free_limit;       /* so many are a batch. 0: the thread has freed
                               none yet, and has no hook at its end */
    cf_future *free_batch;     /* one whole batch more, or NULL */
    struct cf__worker *worker; /* NULL: not a worker of any pool */
    struct cf__server *server; /* NULL: it serves none. lib/executor/server.h */
    struct cf__due *due; /* NULL: it is in no callback. lib/future/callback.h */
    struct cf__caller_run *caller_run; /* NULL: it runs no tasks of a full queue
                                  in their submits. lib/executor/caller_run.h */
    bool long_waits; /* its last wait was long: lib/base/spin.h */

    /* While the thread forks (lib/base/forked.c), its cache is closed: empty and
     * full at once, so that each use of it takes the slow way. */
    unsigned forking; /* forks in each other */
    bool closed;
    cf_future *kept_blocks;
    unsigned kept_count, kept_limit; /* of the closed cache */
};

extern _Thread_local struct cf__thread cf__thread;

#endif
