/* SPDX-License-Identifier: MIT */
/*
 * Fork and join without a heap, for divide and conquer. A task spawns jobs,
 * which another worker may take, and joins them. A job is a record on the stack
 * of the code that spawns it, and costs a few nanoseconds:
 *
 *     static int sum(cf_call *call, void *arg)
 *     {
 *         struct part *part = arg, left, right;
 *         if (is_small(part))
 *             return add_up(part);
 *         halve(part, &left, &right);
 *         cf_job job;
 *         cf_spawn(call, &job, sum, &left);
 *         int err = sum(call, &right);
 *         int err_left = cf_join(call, &job);
 *         part->sum = left.sum + right.sum;
 *         return err ? err : err_left;
 *     }
 *
 * A job runs once: in a worker of the same thread pool that has nothing else to
 * do, or in its join. On other executors, outside of tasks, in an initializer,
 * in a task that its submitter runs, and after the pool has been shut down, it
 * runs in its join. So no job may wait for what its spawner does before the
 * join, nor its spawner before the join for what only the job does.
 *
 * A job is no task. It has no future and no result: it writes through arg. It
 * is a part of the task that spawns it, and told to stop with that task, but
 * begins in no scope (cfutures/scope.h). Statistics do not count it.
 *
 * Each job is joined by the function that spawns it, before that function
 * returns. Last spawned, first joined is the fast order; any other one works. A
 * task or a job that returns before that has no defined behaviour. Debug and
 * sanitizer builds of the library end the program with a sentence at once,
 * others only if a worker notices it.
 *
 * pthread_exit(), or a cancellation, in a job ends the thread that runs it. In
 * the thread of its task, it ends the task as there (cfutures/task.h). In
 * another one, cf_join() returns non-zero, and the record of the failure says
 * CF_EWORKERDIED. If a job that was spawned on the stack of that thread is not
 * joined, then in a thread pool the program ends with a sentence, because other
 * threads may be in that job. A crash in a job of a process pool is a crash of
 * the task.
 */
#ifndef CFUTURES_SPAWN_H
#define CFUTURES_SPAWN_H

#include <cfutures/base.h>

CF_BEGIN_DECLS

/**
 * A job: plain C.
 *
 * @param call  For the functions of cfutures/task.h, and for cf_spawn() and
 *              cf_join(); valid until the job returns, and only in the thread
 *              that runs it. It is NULL if the job runs outside of tasks. A job
 *              has no result: cf_return() with a size above 0 is CF_ETOOBIG.
 *              What cf_fail() records becomes the record of the caller of
 *              cf_join(), in place of a former one, as if that caller had
 *              failed there; it counts if the task then fails.
 * @param arg   What cf_spawn() was given.
 * @return      What cf_join() returns.
 */
typedef int cf_job_fn(cf_call *call, void *arg);

/* The library's, from cf_spawn() to the end of cf_join(). It needs not be
 * initialized, and must not move. */
typedef struct cf_job {
    cf_job_fn *fn;
    void *arg;
    cf_call *call;
    struct cf_job *older, *newer;
    cf_future *shared;
    void *reserved[2];
} cf_job;

/**
 * Spawns a job.
 *
 * @param call  The caller's own call; NULL outside of tasks.
 * @param job   A record of the caller. With NULL, nothing happens.
 * @param fn    With NULL, cf_join() returns CF_EINVAL.
 * @param arg   For fn. It must stay valid until the join, as must what it
 *              points to.
 *
 * Ownership: job and arg are lent until the join.
 * Threads:   the one that runs the task.
 * Blocks:    no. It needs no memory and cannot fail.
 * Ordering:  the job sees what the caller did before.
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API void cf_spawn(cf_call *call, cf_job *job, cf_job_fn *fn, void *arg);

/**
 * Joins a job: runs it if no other worker has begun it, or waits for its end.
 *
 * Neither an interrupt nor a time limit ends the wait: the job sees
 * cf_call_canceled(), as it is a part of the task. While another worker runs
 * the job, the caller's worker runs what that job has spawned or submitted. If
 * the job waits for the task that joins it, that wait returns CF_EDEADLK.
 *
 * @param call  The call that the job was spawned with.
 * @param job   One that has been spawned and not been joined.
 * @return      What the job's function returned; CF_EINVAL if job, or the
 *              function that it was spawned with, is NULL; CF_EWORKERDIED if
 *              the job has ended the thread of another worker.
 *
 * Ownership: job and arg are the caller's again.
 * Threads:   the one that has spawned it.
 * Blocks:    as long as the job runs.
 * Ordering:  the caller sees what the job did.
 * Fork:      not in a child that the task forked.
 * Python:    none.
 */
CF_API int cf_join(cf_call *call, cf_job *job);

CF_END_DECLS

#endif
