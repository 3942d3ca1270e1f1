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

#include <pthread.h>
#include <stdlib.h>

/* What cf_fail() returns for code 0. The record of the failure has the 0. */
enum { FAILED_WITH_CODE_0 = 1 };

static void
free_heap(const struct cf_call *call, void *heap)
{
    if (!call->alloc)
        free(heap);
}

static void
drop_heap(struct cf_call *call)
{
    free_heap(call, call->heap);
    call->heap = NULL;
}

void *
cf_return_buffer(cf_call *call, size_t size)
{
    static _Alignas(max_align_t) unsigned char nothing[1]; /* never written */
    if (!call)
        return NULL;
    if (__builtin_expect(!call->heap && size <= call->sink_size && call->sink,
                         1)) {
        call->result_size = size;
        return call->sink;
    }
    drop_heap(call);
    call->result_size = 0;
    if (size > CF__SIZE_MAX)
        return NULL;
    if (size > call->sink_size) {
        if (!call->fixed_sink)
            call->heap = call->alloc ? call->alloc(call, size) : malloc(size);
        if (!call->heap)
            return NULL;
    }
    call->result_size = size;
    if (call->heap)
        return call->heap;
    return call->sink ? call->sink : nothing;
}

bool
cf__call_adopt(struct cf_call *call, void *block, size_t size)
{
    if (call->alloc) {
        cf_err err = cf_return(call, block, size);
        free(block);
        return err == CF_OK;
    }
    drop_heap(call);
    call->heap = block;
    call->result_size = size;
    return true;
}

/* Returns a result that needs memory of its own. Not inlined: so cf_return()
 * has no registers to save where it is short. */
__attribute__((noinline)) static cf_err
return_copy(cf_call *call, const void *data, size_t size)
{
    /* data may be inside of the former result: free that last. */
    void *former = call->heap;
    call->heap = NULL;
    void *to = cf_return_buffer(call, size);
    if (to && size)
        memmove(to, data, size);
    free_heap(call, former);
    return to ? CF_OK : CF_ENOMEM;
}

cf_err
cf_return(cf_call *call, const void *data, size_t size)
{
    if (size - 1 < CF__SHORT && data && call && size <= call->sink_size &&
        !call->heap) {
        cf__copy_short(call->sink, data, size);
        call->result_size = size;
        return CF_OK;
    }
    if (!call || (!data && size))
        return CF_EINVAL;
    if (size <= call->sink_size && !call->heap) {
        call->result_size = size;
        if (size)
            memmove(call->sink, data, size); /* data may be in the sink */
        return CF_OK;
    }
    if (size > CF__SIZE_MAX || (size > call->sink_size && call->fixed_sink))
        return CF_ETOOBIG;
    return return_copy(call, data, size);
}

static int
record_failure(cf_call *call,
               const char *file,
               int line,
               int code,
               const char *format,
               va_list args)
{
    if (!call)
        return code ? code : FAILED_WITH_CODE_0;
    cf_error error = CF_ERROR_INIT;
    error.code = code;
    error.file = file;
    error.line = line;
    error.worker = call->worker;
    struct cf_call *keeper = call->part_of ? call->part_of : call;
    const cf_error *former = keeper->failure; /* args may point there */
    keeper->failure = format ? cf__failure_format(&error, format, args)
                             : cf__failure_new(&error);
    cf__failure_free(former);
    return code ? code : FAILED_WITH_CODE_0;
}

int
cf_fail_at(cf_call *call,
           const char *file,
           int line,
           int code,
           const char *format,
           ...)
{
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, file, line, code, format, args);
    va_end(args);
    return rc;
}

/* The function that the macro hides, for other languages. */
int(cf_fail)(cf_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, NULL, 0, code, format, args);
    va_end(args);
    return rc;
}

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
    drop_heap(call);
    bool stopped = cf__was_stopped(call->executor, call->future);
    if (failure && !stopped)
        return failure;
    cf_error error = CF_ERROR_INIT;
    if (failure) {
        error = *failure;
    } else {
        error.code = rc;
        error.worker = call->worker;
    }
    if (stopped)
        error.kind = CF_ECANCELED;
    const cf_error *result = cf__failure_new(&error);
    cf__failure_free(failure);
    return result;
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
    cf__future_store_result(f, call->heap, call->result_size);
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
    int rc = cf__call_task(call, f, arg, arg_size);
    cf__call_returned(call, rc);
    if (timed)
        cf__timers_stop(f->executor->timers, f);
    cf__future_release_arg(f);
    uint64_t flags = cf__call_store_outcome(call, f, rc);
    return f->owned & CF__JOB ? CF__RAN_JOB : flags;
}

void
cf__call_died(struct cf_call *call, cf_future *f)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = CF_EWORKERDIED;
    error.message = "the task, or one that ran above it on the same stack, "
                    "ended the thread";
    error.worker = call->worker;
    drop_heap(call);
    cf__failure_free(call->failure);
    call->failure = NULL;
    if (f->attributes && f->attributes->timeout_ns)
        cf__timers_stop(f->executor->timers, f);
    cf__future_release_arg(f);
    cf__future_store_error(f, cf__failure_new(&error));
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
