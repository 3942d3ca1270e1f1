/* SPDX-License-Identifier: MIT */
/*
 * Jobs are spawned and joined: job.h. README.md, "Jobs", has the protocol. No
 * locks.
 */
#include "lib/executor/job.h"

#include "lib/base/einval.h"
#include "lib/base/fence.h"
#include "lib/base/thread.h"
#include "lib/executor/scope.h"
#include "lib/executor/wait_one.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <pthread.h>

/* The argument of a shared job's task. */
struct shared_job {
    cf_job_fn *fn;
    void *arg;
    /* The call that has spawned it, whose future, told and context do not
     * change before it is joined; and that future, which the pool reads. */
    cf_future *future;
    const struct cf_call *spawner;
};

_Static_assert(sizeof(struct shared_job) <= CF__INLINE_SIZE, "it is inside");

/* The result of a shared job's task. */
struct outcome {
    int rc;
    const cf_error *failure; /* NULL: nothing was recorded */
};

/* --- running a job -------------------------------------------------------- */

/* What a job sees of the call that its task sees: no place for a result. */
static struct cf_call
call_of_job(struct cf_call *call)
{
    struct cf_call own = *call;
    cf__call_begin(&own, NULL, 0);
    own.fixed_sink = true;
    if (!own.part_of)
        own.part_of = call;
    return own;
}

static int
run_out_of_scopes(struct cf_call *call, cf_job_fn *fn, void *arg)
{
    int rc;
    if (!cf__in_scopes())
        return fn(call, arg);
    struct cf__scopes scopes = cf__scopes_hide();
    pthread_cleanup_push(cf__scopes_leave, &scopes);
    rc = fn(call, arg);
    pthread_cleanup_pop(0);
    cf__scopes_show(scopes);
    return rc;
}

/* Not inline, because it is rare: the caller of cf_join() is no job; it is in a
 * scope; or assertions are on. */
__attribute__((noinline)) static int
run_first(struct cf_call *call, cf_job_fn *fn, void *arg)
{
    if (!call)
        return run_out_of_scopes(NULL, fn, arg);
    struct cf_call own = call_of_job(call);
    int rc = run_out_of_scopes(&own, fn, arg);
    cf__call_expect_joined(&own);
    return rc;
}

#ifdef CF_ASSERTIONS
enum { ASSERTIONS = 1 }; /* each job has a call, which counts what it spawns */
#else
enum { ASSERTIONS = 0 };
#endif

static inline int
run(struct cf_call *call, cf_job_fn *fn, void *arg)
{
    if (__builtin_expect(
            !ASSERTIONS && call && call->part_of && !cf__in_scopes(), 1))
        return fn(call, arg);
    return run_first(call, fn, arg);
}

/* --- shared jobs ---------------------------------------------------------- */

/* The task of a shared job, on another worker. */
static int
run_shared(cf_call *call, const void *arg, size_t arg_size)
{
    struct shared_job job;
    struct cf__jobs *jobs = call->jobs;
    (void)arg_size;
    memcpy(&job, arg, sizeof job);
    struct cf_call own = call_of_job(call);
    own.future = job.future;
    own.told = job.spawner->told;
    own.context = job.spawner->context;
    jobs->ops->begin(jobs);
    cf_bump(&jobs->begun);
    /* Pairs with the interrupt operation: it sees that this worker is in a job,
     * or the job sees that it is told to stop. */
    cf__fence_full();
    int rc = job.fn(&own, job.arg);
    cf__call_expect_joined(&own);
    const struct outcome outcome = {rc, call->failure};
    call->failure = NULL;
    cf_bump(&jobs->ended);
    return (int)cf_return(call, &outcome, sizeof outcome);
}

cf_future *
cf__jobs_share_oldest(struct cf__jobs *jobs, cf_executor *ex)
{
    cf_job *job = jobs->ends.newer;
    cf_future *f = cf__block_alloc();
    if (!f)
        return NULL;
    const struct shared_job shared = {
        job->fn, job->arg, job->call->future, job->call};
    cf__future_init(f, ex, run_shared, 0, 2);
    f->owned = CF__JOB;
    f->arg_size = sizeof shared;
    memcpy(f->arg, &shared, sizeof shared);
    if (cf__observers) /* what was written so far comes before the task */
        cf__observed_begin(f);
    /* The one above it becomes the oldest. If there is none, newer is not
     * used. */
    cf_job *next = jobs->ends.older == job ? &jobs->ends : job->newer;
    jobs->ends.newer = next;
    next->older = &jobs->ends;
    job->shared = f;
    jobs->elsewhere++;
    return f;
}

cf_future *
cf__job_part_of(const cf_future *f)
{
    struct shared_job job;
    memcpy(&job, f->arg, sizeof job);
    return job.future;
}

/* The task of the job is done. If it was cancelled, the job has not run. */
static int
take_outcome(struct cf_call *call, cf_job *job)
{
    cf_future *f = job->shared;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    struct outcome outcome = {.rc = CF_EWORKERDIED};
    cf__observed_seen(f);
    if (cf__state(word) == CF_CANCELED) {
        cf_future_unref(f);
        return run(call, job->fn, job->arg);
    }
    if (word & CF__FAILED)
        outcome.failure = cf__failure_new(cf_future_error(f));
    else
        memcpy(&outcome, f->result, sizeof outcome);
    cf_future_unref(f);
    if (outcome.failure) {
        struct cf_call *keeper = call->part_of ? call->part_of : call;
        cf__failure_free(keeper->failure);
        keeper->failure = outcome.failure;
    }
    return outcome.rc;
}

/* Not inline, because it is rare: the job is not the newest hidden one. */
__attribute__((noinline)) static int
join_other(struct cf_call *call, struct cf__jobs *jobs, cf_job *job)
{
    if (!job->shared) {
        job->newer->older = job->older;
        job->older->newer = job->newer;
        return run(call, job->fn, job->arg);
    }
    jobs->elsewhere--;
    if (jobs->ops->take_back(jobs, job->shared))
        return run(call, job->fn, job->arg);
    cf_err err = cf__future_wait_firmly(job->shared);
    cf__contract(err == CF_OK,
                 "cf_join(): the job runs in the parent of this process");
    return take_outcome(call, job);
}

/* --- the calls ------------------------------------------------------------ */

/* Another worker may want a job. */
static inline bool
is_wanted(const struct cf__jobs *jobs)
{
    return cf_load_relaxed(jobs->bottom) - cf_load_relaxed(jobs->top) <
           jobs->wanted;
}

/* Not inline, so that cf_join() needs no stack. */
__attribute__((noinline)) static int
share_and_run(struct cf_call *call, struct cf__jobs *jobs, const cf_job *job)
{
    if (cf__jobs_hidden(jobs))
        jobs->ops->share(jobs);
    return run(call, job->fn, job->arg);
}

static int
no_function(cf_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return cf__einval("cf_spawn", "fn is NULL");
}

void
cf_spawn(cf_call *call, cf_job *job, cf_job_fn *fn, void *arg)
{
    if (__builtin_expect(!job, 0))
        return;
    job->fn = fn ? fn : no_function;
    job->arg = arg;
    if (__builtin_expect(!call, 0))
        return;
    job->call = call;
    job->shared = NULL;
    cf__call_count_spawned(call, 1);
    struct cf__jobs *jobs = call->jobs;
    if (!jobs)
        return;
    cf_job *newest = jobs->ends.older;
    job->older = newest;
    newest->newer = job;
    jobs->ends.older = job;
    if (__builtin_expect(is_wanted(jobs), 0))
        jobs->ops->share(jobs);
}

int
cf_join(cf_call *call, cf_job *job)
{
    if (__builtin_expect(!job, 0))
        return cf__einval(__func__, "job is NULL");
    struct cf__jobs *jobs = NULL;
    if (__builtin_expect(call != NULL, 1)) {
        cf__call_count_spawned(call, -1);
        jobs = call->jobs;
    }
    if (!jobs)
        return run(call, job->fn, job->arg);
    if (__builtin_expect(jobs->ends.older != job, 0))
        return join_other(call, jobs, job);
    jobs->ends.older = job->older;
    if (__builtin_expect(is_wanted(jobs), 0))
        return share_and_run(call, jobs, job);
    return run(call, job->fn, job->arg);
}

void
cf__jobs_init(struct cf__jobs *jobs,
              const struct cf__jobs_ops *ops,
              const _Atomic uint64_t *top,
              const _Atomic uint64_t *bottom)
{
    jobs->ends.older = &jobs->ends;
    jobs->ops = ops;
    jobs->top = top;
    jobs->bottom = bottom;
    jobs->wanted = 1;
}
