/* SPDX-License-Identifier: MIT */
/*
 * A loop that its caller and tasks run together. The caller begins alone, so a
 * short loop needs no wake-up. README.md, "Joint loops", has the protocol. For
 * callers outside of tasks, and executors whose tasks may run in any thread.
 */
#ifndef CF_LIB_MANY_JOINT_LOOP_H
#define CF_LIB_MANY_JOINT_LOOP_H

#include "lib/executor/call.h"
#include "lib/many/share.h"

struct cf__joint_loop;

/* Runs the units u, in order. Right before that its thread has run those from
 * begun on. Returns as a task does. Before each call of user code it asks
 * cf__joint_loop_stops(), and if that is so, it returns CF__JOINT_STOPPED. */
typedef int cf__joint_fn(cf_call *call,
                         struct cf__joint_loop *loop,
                         size_t begun,
                         struct cf__units u);

enum { CF__JOINT_STOPPED = 1 };

/* The caller or a helper. */
struct cf__joint_runner {
    _Alignas(CF_CACHE_LINE) struct cf__share share;
    struct cf__joint_loop *loop; /* a helper's */
};

struct cf__joint_loop {
    /* Set by the caller. */
    cf_executor *ex;
    size_t units; /* what is never cut: 1 to CF__SHARE_END_MAX */
    cf__joint_fn *run;
    /* A thread has run the units u and no others beside them: called when each
     * of them was run without a failure. May call code of the user. */
    void (*ran)(struct cf__joint_loop *loop, struct cf__units u);
    /* The caller's thread ends in a call of run or ran, and no other thread
     * uses the loop any more: frees what it has. */
    void (*drop)(struct cf__joint_loop *loop);

    /* The rest is of joint_loop.c, and zero at first. Set before a helper is
     * called: how many there may be, and how many units are taken at least. */
    struct cf__joint_runner *helpers;
    size_t count;
    uint32_t least;
    cf_future *own; /* of what the caller runs */
    /* The caller's: helpers that have been called, and its handles on them. */
    size_t called;
    cf_future **futures;
    /* Atomic. A cf_err: why a runner has failed first. Writers: runners. */
    atomic_int failed;
    struct cf__joint_runner caller;
};

/* The calling thread can take part in a loop on ex, which is open. */
bool cf__joint_loop_suits(cf_executor *ex);

/* Runs the loop. CF_OK: all units. When it returns, no other thread uses the
 * loop. CF_ETASK, CF_ECANCELED, CF_EWORKERDIED, CF_ENOMEM, CF_EFORKED. */
cf_err cf__joint_loop_run(struct cf__joint_loop *loop);

/* A runner has failed, or this one is told to stop. */
static inline bool
cf__joint_loop_stops(const struct cf__joint_loop *loop, const cf_call *call)
{
    return cf_load_relaxed(&loop->failed) != CF_OK || /* a hint */
           cf__call_canceled(call);
}

#endif
