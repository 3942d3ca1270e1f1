/* SPDX-License-Identifier: MIT */
/*
 * What the library keeps for each thread: a cache of future blocks, what the
 * thread is (a worker, a server), what it is in the middle of, and whether its
 * last wait was long. All fields are the thread's own.
 *
 * Some of them describe what is on the stack that runs: on_stack, all at once.
 * A backend whose workers are coroutines keeps these with each stack, and
 * exchanges them when it switches stacks.
 */
#ifndef CF_LIB_BASE_THREAD_H
#define CF_LIB_BASE_THREAD_H

#include <cfutures/base.h>

#include "lib/base/contract.h"
#include "lib/base/export.h"

struct cf__worker;
struct cf__server;
struct cf__due;
struct cf__caller_run;
struct cf__inline_frame;
struct cf__inbox_block;

/* What the code that runs has begun and not ended: lib/executor/scope.h. A task
 * or a callback that runs on top of other code begins with none of it. */
struct cf__scopes {
    cf_scope *innermost; /* NULL: it is in no scope */
    uint32_t shields;    /* inside of the innermost scope, if there is one */
    uint32_t count;      /* of all scopes and shields: 0 if there are none */
};

/* The fields of cf__thread.on_stack, in a struct whose name is not needed to
 * use them. NULL: the code that runs is ...
 *   worker         in no pool's worker
 *   due            in no callback: lib/future/callback.h
 *   caller_run     in no submit that runs tasks: lib/executor/caller_run.h
 *   inline_frames  in no submit to an inline executor: lib/executor/inline.c */
#define CF__ON_STACK                                                           \
    struct {                                                                   \
        struct cf__worker *worker;                                             \
        struct cf__due *due;                                                   \
        struct cf__caller_run *caller_run;                                     \
        struct cf__inline_frame *inline_frames;                                \
        struct cf__scopes scopes;                                              \
    }

struct cf__on_stack {
    CF__ON_STACK;
};

struct cf__thread {
    cf_future *free_blocks; /* linked by next */
    unsigned free_count;    /* how many these are */
    unsigned free_limit;    /* so many are a batch. 0: the thread has freed
                               no block yet, and has no hook at its end */
    cf_future *free_batch;  /* one whole batch more, or NULL */
    /* For the tasks of a submit of many that is under way: batches, and blocks
     * of an inbox. NULL: none. lib/executor/batch.h */
    cf_future *reserved_batches;
    struct cf__inbox_block *reserved_slots;
    union {
        struct cf__on_stack on_stack;
        CF__ON_STACK;
    };
    struct cf__server *server; /* NULL: it is none. lib/executor/server.h */
    cf_executor *root_of;      /* all tasks of that executor run in this thread,
                                  in turns. NULL: there is none. A backend sets
                                  it */
    bool long_waits;           /* its last wait was long: lib/base/spin.h */
    bool yields_early;         /* its last wait ended with a yield: see there */
    int budget; /* so many more operations that do not have to wait leave it
                   at 0 or above: lib/executor/budget.h */
    int budget_at_wait; /* what it was when the thread last had to wait for a
                           future, outside of tasks */
    /* Of loops that it ran alone, one soon after the other: when the last one
     * ended, and what helpers would have saved. lib/many/joint_loop.c */
    int64_t alone_until_ns, alone_missed_ns;

    /* While the thread forks (lib/base/forked.c), its cache is closed: it is
     * empty and has a limit of 0, so that each use of it takes the slow way. */
    unsigned forking; /* how many forks it is in: one may be inside another */
    bool closed;
    cf_future *kept_blocks;
    unsigned kept_count, kept_limit; /* of the closed cache */
};

CF__EXPORT extern _Thread_local struct cf__thread cf__thread;

/* The code that runs is in a scope or a shield. */
static inline bool
cf__in_scopes(void)
{
    return cf__thread.scopes.count != 0;
}

/* Other code of the user is about to run on top. Give the result to
 * cf__scopes_show(). */
static inline struct cf__scopes
cf__scopes_hide(void)
{
    struct cf__scopes scopes = cf__thread.scopes;
    cf__thread.scopes = (struct cf__scopes){NULL, 0, 0};
    return scopes;
}

/* Code of the user that began with no scope has returned. */
static inline void
cf__scopes_expect_none(void)
{
    cf__contract(!cf__in_scopes(),
                 "a task or a callback has returned inside of a scope or a "
                 "shield: cf_scope_end() or cf_shield_end() is missing");
}

static inline void
cf__scopes_show(struct cf__scopes scopes)
{
    cf__scopes_expect_none();
    cf__thread.scopes = scopes;
}

#endif
