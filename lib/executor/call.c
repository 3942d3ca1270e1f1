/* SPDX-License-Identifier: MIT */
/* A task's view of its run (cfutures/task.h), and how the run ends: see
 * call.h. */
#include "lib/executor/call.h"

#include "lib/base/cancel.h"
#include "lib/base/size.h"
#include "lib/executor/argument.h"
#include "lib/executor/scope.h"
#include "lib/executor/stop.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

bool
cf_call_canceled(const cf_call *call)
{
    bool canceled = __builtin_expect(cf__in_scopes(), 0)
                        ? cf__told_to_stop(NULL, call, true)
                        : call && cf__call_canceled(call);
    if (canceled && call && call->told)
        cf_store_relaxed(call->told, true); /* read when the task is over */
    return canceled;
}

int
cf_call_worker(const cf_call *call)
{
    return call ? call->worker : -1;
}

void *
cf_call_worker_data(const cf_call *call)
{
    return call ? call->worker_data : NULL;
}

cf_executor *
cf_call_executor(const cf_call *call)
{
    return call ? call->executor : NULL;
}

const cf_error *
cf__call_end(struct cf_call *call, int rc)
{
    const cf_error *failure = call->failure;
    if (rc == 0) {
        cf__failure_free(failure);
        return NULL;
    }
    cf__call_drop_result(call);
    bool stopped = cf__was_stopped(call->executor, call->future);
    cf_err kind = stopped ? CF_ECANCELED : CF_ETASK;
    if (failure)
        return stopped ? cf__failure_turn(failure, kind) : failure;
    cf_error error = CF_ERROR_INIT;
    error.kind = kind;
    error.code = rc;
    error.worker = call->worker;
    error.name = cf__name(call->future);
    return cf__failure_new(&error);
}

void *
cf_call_context(const cf_call *call)
{
    return call ? call->context : NULL;
}

int
cf__call_task_in_scopes(struct cf_call *call,
                        const cf_future *f,
                        const void *arg,
                        size_t arg_size)
{
    struct cf__scopes scopes = cf__scopes_hide();
    int rc;
    pthread_cleanup_push(cf__scopes_leave, &scopes);
    rc = f->fn(call, arg, arg_size);
    pthread_cleanup_pop(0);
    cf__scopes_show(scopes);
    cf__notice_fork();
    return rc;
}

/* For a failure, or a result on the heap. */
uint64_t
cf__call_store_outcome(struct cf_call *call, cf_future *f, int rc)
{
    cf__call_returned(call, rc);
    const cf_error *failure = cf__call_end(call, rc);
    if (failure) {
        cf__future_store_error(f, failure);
        return CF__FAILED;
    }
    void *heap = call->heap == call->sink ? NULL : call->heap;
    cf__future_store_result(f, heap, call->result_size);
    if (call->heap && call->destroy)
        cf__future_store_destructor(f, call->destroy, call->users_heap);
    return 0;
}

/* For an argument that is not inside of the future, or attributes. */
uint64_t
cf__call_run_rare(struct cf_call *call, cf_future *f)
{
    bool timed = f->attributes && f->attributes->timeout_ns;
    const void *arg = f->arg;
    size_t arg_size = f->arg_size;
    if (f->owned & (CF__ARG_POINTER | CF__ARG_HEAP)) {
        memcpy(&arg, f->arg, sizeof arg); /* a cf__heap begins so, too */
        if (f->owned & CF__ARG_HEAP)
            memcpy(&arg_size, f->arg + sizeof arg, sizeof arg_size);
    }
    if (timed)
        cf__timers_start(f->executor->timers, f);
    cf__observed_seen(f); /* what was done before the submit */
    int rc = cf__call_task(call, f, arg, arg_size);
    cf__call_returned(call, rc);
    if (timed)
        cf__timers_stop(f->executor->timers, f);
    cf__future_release_arg(f);
    uint64_t flags = cf__call_store_outcome(call, f, rc);
    cf__observer_release(f);
    cf__observer_release(f->executor); /* for those that wait for it */
    return f->owned & CF__JOB ? CF__RAN_JOB : flags;
}

/* Frees what the run of a task or an initializer has. Its thread ends. */
static void
drop_run(void *of_call)
{
    struct cf_call *call = of_call;
    cf__call_drop_result(call);
    cf__failure_free(call->failure);
    call->failure = NULL;
}

int
cf__call_initializer(struct cf_call *call,
                     cf_initializer_fn *initializer,
                     void *init_data,
                     void **worker_data)
{
    int rc;
    cf__call_begin(call, NULL, 0);
    call->fixed_sink = true; /* it has no result */
    pthread_cleanup_push(drop_run, call);
    rc = initializer(call, init_data, worker_data);
    pthread_cleanup_pop(0);
    return rc;
}

void
cf__call_died(struct cf_call *call, cf_future *f)
{
    cf_error error = CF_ERROR_INIT;
    char message[192];
    error.kind = CF_EWORKERDIED;
    error.name = cf__name(f);
    error.message = message;
    (void)snprintf(message,
                   sizeof message,
                   "%s%.80s%sor one that ran above it on the same stack, ended "
                   "the thread",
                   error.name ? "task '" : "the task, ",
                   error.name ? error.name : "",
                   error.name ? "', " : "");
    error.worker = call->worker;
    drop_run(call);
    if (f->attributes && f->attributes->timeout_ns)
        cf__timers_stop(f->executor->timers, f);
    cf__future_release_arg(f);
    cf__future_store_error(f, cf__failure_new(&error));
    cf__observer_release(f);
}

/* Finishes run->f. Then run->f is the next task of the chain. false: there is
 * none. */
static bool
finish_first(struct cf__chain_run *run, uint64_t flags)
{
    cf_future *f = run->f;
    bool last = f == run->newest;
    run->f = last ? NULL : cf_load_relaxed(&f->next); /* ours */
    cf__call_begin(&run->call, NULL, 0);              /* f has what call had */
    run->finish(run, f, flags);
    return !last;
}

/* The thread ends. run->f is the task that ends it; or the next task, if a
 * callback ends it. */
static void
fail_chain(void *chain_run)
{
    struct cf__chain_run *run = chain_run;
    pthread_cleanup_push(fail_chain, run); /* a callback may end it again */
    while (run->f) {
        cf__call_died(&run->call, run->f);
        (void)finish_first(run, CF__FAILED);
    }
    pthread_cleanup_pop(0);
}

void
cf__chain_run(struct cf__chain_run *run)
{
    int former = cf__cancel_disable();
    const uint16_t generation = cf__generation;
    pthread_cleanup_push(fail_chain, run);
    /* If a task or a callback forks, the child does not run the rest. */
    bool more = true;
    while (more && cf__generation == generation) {
        uint64_t flags = cf__call_run_task(&run->call, run->f);
        cf__call_returned(&run->call, 0);
        more = finish_first(run, flags);
    }
    pthread_cleanup_pop(0);
    cf__cancel_restore(former);
}
