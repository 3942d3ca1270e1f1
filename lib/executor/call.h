/* SPDX-License-Identifier: MIT */
/*
 * One run of a user's function: what cf_call is, and how a run becomes an
 * outcome. The result goes to a sink: the bytes inside of the future, an
 * element of a results array, or a map's chunk. A result that does not fit into
 * the sink goes to the heap.
 */
#ifndef CF_LIB_EXECUTOR_CALL_H
#define CF_LIB_EXECUTOR_CALL_H

#include "lib/base/export.h"
#include "lib/base/forked.h"
#include "lib/executor/executor.h"

#include <unistd.h>

struct cf_call {
    /* Set by the code that runs the function. */
    cf_executor *executor;
    void *worker_data;
    void *context; /* of the map. NULL: it is no item of a map */
    int worker;
    bool fixed_sink; /* no heap: a result that does not fit is refused */
    int spawned;     /* jobs not joined; in builds that have assertions */
    struct cf_call *part_of; /* it is a job's: that call has the record of the
                                failure. NULL: it is none */
    struct cf__jobs *jobs; /* of the worker, which other workers may take. NULL:
                              jobs run in their joins */

    cf_future *future; /* its cancel and its deadline count. NULL: none */
    /* Another process sets CF__CALL_STOP there to stop it. NULL: none does */
    const _Atomic uint32_t *stop;
    /* Gives memory for a result that does not fit into the sink. That memory is
     * not freed here. NULL: malloc's heap */
    void *(*alloc)(struct cf_call *call, size_t size);
    /* Atomic. 0: this is a child that a task of a worker process has forked.
     * NULL: no such worker */
    const _Atomic uint32_t *home;
    /* Atomic. Set when cf_call_canceled() has returned true. NULL: no code
     * asks for it */
    atomic_bool *told;

    /* The outcome as it stands. */
    unsigned char *sink;
    size_t sink_size; /* bytes of room */
    void *heap; /* has the result. NULL: the sink has it. The sink itself: that
                   has it, and there is a destructor */
    void (*destroy)(void *result); /* if heap is not NULL: the destructor of an
                                      object. NULL: the result is bytes */
    bool users_heap;         /* with destroy: heap is the user's memory, which
                           destroy frees */
    size_t result_size;      /* bytes */
    const cf_error *failure; /* of cf_fail() */
};

struct cf__jobs; /* lib/executor/job.h */

static inline void
cf__call_count_spawned(struct cf_call *call, int change)
{
#ifdef CF_ASSERTIONS
    call->spawned += change;
#endif
    (void)call, (void)change;
}

/* The task or job of this call has returned. */
static inline void
cf__call_expect_joined(const struct cf_call *call)
{
#ifdef CF_ASSERTIONS
    cf__contract(call->spawned == 0,
                 "a task or a job has returned before a job that it has "
                 "spawned was joined: cf_join() is missing");
#endif
    (void)call;
}

/* The only bit of *cf_call.stop that counts. */
#define CF__CALL_STOP UINT32_C(1)

/* See cf_call_canceled(). The loads are hints: no other read relies on them. */
static inline bool
cf__call_canceled(const struct cf_call *call)
{
    if (call->future) {
        uint64_t word = cf_load_relaxed(&call->future->word);
        if (cf__is_done(word) || word & (CF__INTERRUPT | CF__COMPLETING))
            return true;
    }
    if (call->stop && cf_load_relaxed(call->stop) & CF__CALL_STOP)
        return true;
    return call->executor && cf_load_relaxed(&call->executor->terminated);
}

/* Begins a run. Its result goes to sink. */
static inline void
cf__call_begin(struct cf_call *call, unsigned char *sink, size_t sink_size)
{
    call->sink = sink;
    call->sink_size = sink_size;
    call->heap = NULL;
    call->result_size = 0;
    call->failure = NULL;
    cf__call_count_spawned(call, -call->spawned);
}

/*
 * The user code of this call has returned, with rc. If it has forked in a
 * worker process, and this is the child, then the child ends here, quietly:
 * what comes next is for the worker to do.
 */
static inline void
cf__call_returned(const struct cf_call *call, int rc)
{
    cf__call_expect_joined(call);
    if (__builtin_expect(call->home && !cf_load_relaxed(call->home), 0))
        _exit(rc != 0);
}

/*
 * Ends a run that returned rc. NULL: it succeeded, and call has the result.
 * Else the record of the failure, which the caller frees; a result has been
 * dropped.
 */
CF__EXPORT const cf_error *cf__call_end(struct cf_call *call, int rc);

/* Calls the initializer of a worker; call has worker set. Returns what that
 * returns: next comes cf__call_end(). If it ends its thread, what the run has
 * is freed. */
CF__EXPORT int cf__call_initializer(struct cf_call *call,
                                    cf_initializer_fn *initializer,
                                    void *init_data,
                                    void **worker_data);

/* Makes a malloc'ed block the result, without a copy if possible. false: there
 * is no memory, and the block is freed. */
bool cf__call_adopt(struct cf_call *call, void *block, size_t size);

/* Frees what call->heap has; an object is destroyed. */
void cf__call_drop_result(struct cf_call *call);

/* What cf__call_run_task() returns for a job: no flags of a future. */
#define CF__RAN_JOB (UINT64_C(1) << 63)

/* The rare branches of cf__call_run_task(). */
CF__EXPORT uint64_t cf__call_store_outcome(struct cf_call *call,
                                           cf_future *f,
                                           int rc);
CF__EXPORT uint64_t cf__call_run_rare(struct cf_call *call, cf_future *f);

/*
 * The thread ends inside the task f (by pthread_exit(), or it was cancelled).
 * Frees what the run has, and stores an error that says so as the outcome. The
 * caller then finishes f with CF__FAILED.
 */
CF__EXPORT void cf__call_died(struct cf_call *call, cf_future *f);

/* Calls the function of a task on top of code that is in a scope. */
CF__EXPORT int cf__call_task_in_scopes(struct cf_call *call,
                                       const cf_future *f,
                                       const void *arg,
                                       size_t arg_size);

/* Calls the function of a task. If that comes back in a child that it has
 * forked, the child notices here: what is queued is its parent's. */
static inline int
cf__call_task(struct cf_call *call,
              const cf_future *f,
              const void *arg,
              size_t arg_size)
{
    if (__builtin_expect(cf__in_scopes(), 0))
        return cf__call_task_in_scopes(call, f, arg, arg_size);
    int rc = f->fn(call, arg, arg_size);
    cf__scopes_expect_none();
    cf__call_expect_joined(call);
    cf__notice_fork();
    return rc;
}

/*
 * Runs a claimed task and stores its outcome in the future, without finishing
 * it. Returns the flags for cf__future_finish(), or CF__RAN_JOB. call has
 * executor, worker, worker_data and fixed_sink set. If call has a home, the
 * caller then calls cf__call_returned() with 0: after a failure that has been
 * called already.
 */
static inline uint64_t
cf__call_run_task(struct cf_call *call, cf_future *f)
{
    call->future = f;
    cf__call_begin(call, f->result, sizeof f->result);
    const void *arg = f->arg;
    if (f->owned || __builtin_expect(f->attributes != NULL, 0)) {
        if (__builtin_expect(f->owned != CF__ARG_POINTER || f->attributes, 0))
            return cf__call_run_rare(call, f);
        memcpy(&arg, f->arg, sizeof arg); /* a pointer of the user's */
    }
    int rc = cf__call_task(call, f, arg, f->arg_size);
    if (__builtin_expect(rc || call->failure || call->heap, 0))
        return cf__call_store_outcome(call, f, rc);
    f->result_size = (uint8_t)call->result_size;
    return 0;
}

/* Claims a whole chain that no other thread knows yet: before its first task
 * runs, which could cancel a later one. */
static inline void
cf__chain_claim(cf_future *oldest, const cf_future *newest, int worker)
{
    for (cf_future *f = oldest;; f = cf_load_relaxed(&f->next)) { /* ours */
        (void)cf__future_claim_word(f, worker);
        if (f == newest)
            return;
    }
}

/*
 * A chain of claimed tasks that the submitter runs: on the inline executor, or
 * when the queue is full. Meanwhile the cancellation of the thread is disabled.
 * If a task ends the thread all the same, that task and those after it fail.
 */
struct cf__chain_run {
    struct cf_call call; /* set as for cf__call_run_task() */
    cf_future *f;        /* the task that runs, or the next one */
    cf_future *newest;   /* the last one */
    /* Finishes f with these flags, and drops the queue's handle. */
    void (*finish)(struct cf__chain_run *run, cf_future *f, uint64_t flags);
};

void cf__chain_run(struct cf__chain_run *run);

#endif
