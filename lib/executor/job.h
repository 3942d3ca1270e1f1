/* SPDX-License-Identifier: MIT */
/*
 * Jobs (cfutures/spawn.h). Those of a worker begin as a list that only its
 * thread sees: they are *hidden*. To *share* a job is to make a task of it that
 * other workers can take: job.shared. README.md, "Jobs", has the protocol.
 */
#ifndef CF_LIB_EXECUTOR_JOB_H
#define CF_LIB_EXECUTOR_JOB_H

#include <cfutures/spawn.h>

#include "lib/executor/call.h"
#include "lib/future/future.h"

struct cf__jobs;

/* What a backend does whose workers take jobs from each other. All are called
 * by the worker whose jobs they are. */
struct cf__jobs_ops {
    /* Fewer than jobs->wanted entries can be taken, and there is a hidden job:
     * shares some, the oldest first, and says how many are wanted now. */
    void (*share)(struct cf__jobs *jobs);
    /* No other worker has begun the shared job f, and none will: f is the
     * caller's, with one handle less. */
    bool (*take_back)(struct cf__jobs *jobs, cf_future *f);
    /* The worker begins a job of another one: it is not counted as a task. */
    void (*begin)(struct cf__jobs *jobs);
};

/* The jobs of a worker. Only its own thread uses them, but for the counters. */
struct cf__jobs {
    cf_job ends; /* older: the newest hidden job; newer: the oldest one, if
                    there is one. None: older is &ends */
    /* So many entries can other workers take: *bottom - *top. */
    const _Atomic uint64_t *top, *bottom;
    uint64_t wanted;
    const struct cf__jobs_ops *ops;
    size_t elsewhere; /* jobs that are shared and not joined; and lists of
                         hidden jobs that are set aside */
    /* How many jobs of other workers this one has begun, and ended. Any thread
     * may read them. */
    _Atomic uint64_t begun, ended;
};

/* The worker is in a job of another one. */
static inline bool
cf__jobs_in_one(const struct cf__jobs *jobs)
{
    return cf_load_relaxed(&jobs->begun) != cf_load_relaxed(&jobs->ended);
}

void cf__jobs_init(struct cf__jobs *jobs,
                   const struct cf__jobs_ops *ops,
                   const _Atomic uint64_t *top,
                   const _Atomic uint64_t *bottom);

/* There is a hidden job. */
static inline bool
cf__jobs_hidden(const struct cf__jobs *jobs)
{
    return jobs->ends.older != &jobs->ends;
}

/* Makes the oldest hidden job a task, which has a handle for its entry. NULL:
 * no memory. */
cf_future *cf__jobs_share_oldest(struct cf__jobs *jobs, cf_executor *ex);

/* The task that a job is a part of. f: the job's, which runs. */
cf_future *cf__job_part_of(const cf_future *f);

/* A task is about to run on top of the spawner of hidden jobs. They are not
 * that task's, so they stay out of reach until it has ended. */
struct cf__jobs_aside {
    cf_job *newest, *oldest;
};

static inline struct cf__jobs_aside
cf__jobs_set_aside(struct cf__jobs *jobs)
{
    struct cf__jobs_aside aside = {jobs->ends.older, jobs->ends.newer};
    jobs->ends.older = &jobs->ends;
    jobs->elsewhere++;
    return aside;
}

static inline void
cf__jobs_put_back(struct cf__jobs *jobs, struct cf__jobs_aside aside)
{
    jobs->ends.older = aside.newest;
    jobs->ends.newer = aside.oldest;
    jobs->elsewhere--;
}

/* The code that runs on the worker's stack is about to go: all jobs have been
 * joined. */
static inline void
cf__jobs_expect_none(const struct cf__jobs *jobs)
{
    cf__contract(!cf__jobs_hidden(jobs) && jobs->elsewhere == 0,
                 "a task or a job has ended before a job that it has spawned "
                 "was joined: cf_join() is missing");
}

#endif
