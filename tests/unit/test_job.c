/* SPDX-License-Identifier: MIT */
/*
 * The list of a worker's hidden jobs, and what a join does about a shared one.
 * The backend is a stand-in: its thieves are this thread.
 */
#include "lib/executor/job.h"

#include <criterion/criterion.h>

#include "lib/executor/pending.h"
#include "lib/future/life.h"

enum { MOST = 8 };

static _Atomic uint64_t top, bottom;
static struct cf__executor_ops executor_ops = {.name = "stand-in"};
static struct cf_executor ex = {.ops = &executor_ops};
static struct cf__jobs jobs;
static struct cf_call call = {.executor = &ex, .jobs = &jobs};

static cf_future *shared[MOST];
static int shares, takes_back, ran, order[MOST];
static bool may_take_back;

static void
share(struct cf__jobs *self)
{
    shares++;
    while (cf__jobs_hidden(self) &&
           cf_load_relaxed(&bottom) - cf_load_relaxed(&top) < self->wanted) {
        shared[cf_load_relaxed(&bottom)] = cf__jobs_share_oldest(self, &ex);
        cr_assert(shared[cf_load_relaxed(&bottom)] != NULL);
        cf_bump(&bottom);
    }
}

static bool
take_back(struct cf__jobs *self, cf_future *f)
{
    (void)self;
    takes_back++;
    if (!may_take_back || !cf__future_claim_word(f, 0))
        return false;
    (void)cf__future_finish(f, 0, 0, true);
    return true;
}

static void
begin_job(struct cf__jobs *self)
{
    (void)self;
}

static const struct cf__jobs_ops ops = {share, take_back, begin_job};

static void
begin(void)
{
    cf__jobs_init(&jobs, &ops, &top, &bottom);
    jobs.wanted = 0;
    may_take_back = true;
}

/* All entries of the deque are dropped, and all jobs are joined. */
static void
end(void)
{
    for (uint64_t i = 0; i < cf_load_relaxed(&bottom); i++)
        cf__future_drop_stale(shared[i]);
    cf__jobs_expect_none(&jobs);
}

static int
job_notes(cf_call *own, void *arg)
{
    (void)own;
    order[ran++] = *(int *)arg;
    return *(int *)arg;
}

static int numbers[MOST] = {0, 1, 2, 3, 4, 5, 6, 7};
static cf_job records[MOST];

static void
spawn(int count)
{
    for (int i = 0; i < count; i++)
        cf_spawn(&call, &records[i], job_notes, &numbers[i]);
}

static void
expect_join(int i)
{
    int before = ran;
    cr_assert(cf_join(&call, &records[i]) == i);
    cr_assert(
        ran == before + 1 && order[before] == i, "job %d ran", order[before]);
}

Test(job, hidden_jobs_leave_the_list_from_anywhere, .init = begin, .fini = end)
{
    spawn(5);
    expect_join(2);
    expect_join(0);
    expect_join(4);
    cr_assert(jobs.ends.older == &records[3] && jobs.ends.newer == &records[1]);
    cf_spawn(&call, &records[4], job_notes, &numbers[4]);
    expect_join(3);
    expect_join(1);
    expect_join(4);
    cr_assert(!cf__jobs_hidden(&jobs) && shares == 0 && takes_back == 0);
}

Test(job, the_oldest_are_shared_while_too_few_are, .init = begin, .fini = end)
{
    jobs.wanted = 1;
    spawn(4);
    cr_assert(shares == 1 && records[0].shared == shared[0]);
    cr_assert(jobs.ends.newer == &records[1]);
    cf_store_relaxed(&top, 1); /* it has been taken */
    cf_spawn(&call, &records[4], job_notes, &numbers[4]);
    cr_assert(shares == 2 && records[1].shared == shared[1]);
    cf_store_relaxed(&top, 2);
    expect_join(4); /* a join looks, too */
    cr_assert(shares == 3 && records[2].shared == shared[2]);
    expect_join(3);
    cr_assert(takes_back == 0);
    for (int i = 2; i >= 0; i--)
        expect_join(i);
    cr_assert(takes_back == 3 && jobs.elsewhere == 0);
}

Test(job,
     a_shared_job_that_was_cancelled_runs_in_its_join,
     .init = begin,
     .fini = end)
{
    ex.timers = NULL;
    jobs.wanted = 1;
    may_take_back = false;
    spawn(1);
    cr_assert(cf__future_cancel_now(shared[0]));
    cr_assert(cf_load_relaxed(&ex.canceled) == 0, "it is no task");
    expect_join(0);
}

/* A thief runs the task of the job, and not the record. */
Test(job,
     what_a_thief_has_done_is_taken_from_the_task,
     .init = begin,
     .fini = end)
{
    struct cf__jobs others;
    struct cf_call thief = {.executor = &ex, .worker = 3, .jobs = &others};
    cf__jobs_init(&others, &ops, &top, &bottom);
    others.begun = others.ended = 0;
    jobs.wanted = 1;
    spawn(1);
    memset(&records[0], 0, offsetof(cf_job, shared));
    cr_assert(cf__future_claim(shared[0], 3));
    cr_assert(cf__call_run_task(&thief, shared[0]) == CF__RAN_JOB);
    cr_assert(ran == 1 && !cf__jobs_in_one(&others));
    (void)cf__future_finish(shared[0], 0, 0, false);
    cr_assert(cf_join(&call, &records[0]) == 0 && ran == 1);
}

Test(job,
     a_list_that_is_set_aside_comes_back_as_it_was,
     .init = begin,
     .fini = end)
{
    spawn(3);
    struct cf__jobs_aside aside = cf__jobs_set_aside(&jobs);
    cr_assert(!cf__jobs_hidden(&jobs) && jobs.elsewhere == 1);
    cf_spawn(&call, &records[3], job_notes, &numbers[3]);
    jobs.wanted = MOST;
    cf_spawn(&call, &records[4], job_notes, &numbers[4]);
    cr_assert(!cf__jobs_hidden(&jobs), "these can be shared, not the others");
    expect_join(4);
    expect_join(3);
    jobs.wanted = 0;
    cf__jobs_put_back(&jobs, aside);
    for (int i = 2; i >= 0; i--)
        expect_join(i);
}
