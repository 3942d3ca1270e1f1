/* SPDX-License-Identifier: MIT */
/*
 * Two threads that each store and then look what the other one has stored: at
 * least one of them must see the other (thread_pool/README.md). Each race has
 * the real steps of both sides. They are run at once, again and again: so a
 * fence that is missing shows. A plain program, for the thread sanitizer.
 *
 * The pool has no threads. The two threads of the program are what its workers
 * and submitters would be; nothing is woken, but it is noted.
 */
#include <cfutures/thread_pool.h>

#include "lib/executor/argument.h"
#include "lib/executor/submit.h"
#include "lib/future/life.h"
#include "thread_pool/jobs.h"
#include "thread_pool/tasks.h"
#include "thread_pool/watch.h"

#include "tests/unit/two_sides.h"

#include <sched.h>
#include <stdlib.h>

enum { RACE_NS = CF__MS(300) };

static cf_executor *ex;
static struct cf__threads *pool;
static struct cf__threads_worker *first, *second;
static cf_future *task;
static bool woken; /* the left side has woken a worker */
static bool seen;  /* the right side has seen what the left one did */

/* NOLINTBEGIN: the names are the linker's (--wrap). */
void __wrap_cf__threads_wake_one(struct cf__threads *of);
void __wrap_cf__threads_notify_watchers(struct cf__threads *of,
                                        struct cf__threads_worker *w);

void
__wrap_cf__threads_wake_one(struct cf__threads *of)
{
    (void)of;
    woken = true;
}

void
__wrap_cf__threads_notify_watchers(struct cf__threads *of,
                                   struct cf__threads_worker *w)
{
    (void)of, (void)w;
    woken = true;
}
/* NOLINTEND */

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

/* So many workers search and sleep; the others run tasks. The left side is the
 * pusher: in a worker, or, if that is NULL, outside of the pool. */
static void
begin(struct cf__threads_worker *pusher, uint64_t searching, uint64_t sleeping)
{
    woken = seen = false;
    cf__thread.worker = pusher ? &pusher->base : NULL;
    cf_store_relaxed(&pool->activity,
                     searching * CF__ONE_SEARCHING +
                         sleeping * CF__ONE_SLEEPING);
}

/* --- a push against a worker that goes to sleep --------------------------- */

/* The second worker has pushed before, or has not. */
static void
begin_nested(void)
{
    cf_store_relaxed(&pool->nested, true);
    begin(second, 0, 0);
}

static void
begin_not_nested(void)
{
    cf_store_relaxed(&pool->nested, false);
    begin(second, 0, 0);
}

static void
begin_outside(void)
{
    cf_store_relaxed(&pool->nested, false);
    begin(NULL, 0, 0);
}

/* To the second worker's deque, or from outside. */
static void
push(void)
{
    if (ex->ops->submit(ex, task, task, 1) != CF_OK)
        abort();
}

/* W1 to W3 */
static void
fall_asleep(void)
{
    cf__threads_change(pool, CF__ONE_SLEEPING, 0);
    cf__fence_full();
    seen = cf__threads_missed_work_anywhere(pool);
}

/* Takes the task back. */
static bool
woken_or_seen(void)
{
    cf_future *f = cf__threads_take_any(pool);
    return f == task && (woken || seen);
}

/* --- a push against a worker that stops searching ------------------------- */

static void
begin_searching(void)
{
    cf_store_relaxed(&pool->nested, true);
    begin(second, 1, 1);
}

static void
begin_searching_outside(void)
{
    begin(NULL, 1, 1);
}

/* S1 to S3 */
static void
stop_searching(void)
{
    cf__threads_change(pool, 0, CF__ONE_SEARCHING);
    cf__fence_after_rmw();
    seen = cf__threads_missed_work(pool);
}

/* --- a push against a worker that watches --------------------------------- */

/* The second worker runs this one; the first waits for it. */
static cf_future *awaited;

static void
begin_awaited(void)
{
    begin_nested();
    cf_store_relaxed(&awaited->base, cf__deque_base(&second->deque));
    cf_store_relaxed(&first->base.parker, 0);
}

static void
watch(void)
{
    cf__threads_watch(&first->base, awaited);
    seen = cf_load_relaxed(&first->base.parker) == 1;
}

static bool
watcher_woken(void)
{
    cf__threads_unwatch(&first->base);
    return woken_or_seen();
}

/* --- a job that begins against an interrupt of its task ------------------- */

static cf_future *shared;
static bool told;
static atomic_bool interrupted;

/* Then it would sleep in a wait. */
static int
job_looks(cf_call *call, void *arg)
{
    (void)arg;
    told = cf_call_canceled(call);
    while (!atomic_load(&interrupted))
        sched_yield();
    return 0;
}

/* The first worker runs it. Its job is about to begin on the second one. */
static cf_future *spawner;

static void
begin_job(void)
{
    static struct cf_call call; /* the shared job reads it later */
    cf_job job;
    call = (struct cf_call){.executor = ex, .jobs = &first->jobs};
    call.future = spawner;
    told = false;
    atomic_store(&interrupted, false);
    first->jobs.wanted = 0;
    cf_spawn(&call, &job, job_looks, NULL);
    shared = cf__jobs_share_oldest(&first->jobs, ex);
    if (!shared)
        abort();
    first->jobs.elsewhere--; /* it is never joined */
    cf_fetch_and_acq_rel(&spawner->word, ~CF__INTERRUPT);
    cf_store_relaxed(&second->base.parker, 0);
}

static void
run_job(void)
{
    struct cf_call call = {.executor = ex, .jobs = &second->jobs};
    cf__call_begin(&call, shared->result, sizeof shared->result);
    (void)shared->fn(&call, shared->arg, shared->arg_size);
}

static void
interrupt(void)
{
    cf_fetch_or_acq_rel(&spawner->word, CF__INTERRUPT);
    ex->ops->interrupt(ex, spawner);
    atomic_store(&interrupted, true);
}

static bool
job_is_told(void)
{
    cf__future_discard(shared);
    return told || cf_load_relaxed(&second->base.parker) == 1;
}

/* --- entries that are withdrawn against a thief --------------------------- */

enum { ENTRIES = 3 };

static cf_future *entries[ENTRIES];
static int stolen[ENTRIES], withdrawn[ENTRIES];

static void
count(int *counts, const cf_future *f)
{
    for (int i = 0; i < ENTRIES; i++)
        counts[i] += entries[i] == f;
}

static void
begin_entries(void)
{
    for (int i = 0; i < ENTRIES; i++) {
        stolen[i] = withdrawn[i] = 0;
        if (!cf__deque_push(&second->deque, entries[i], 0))
            abort();
    }
}

/* The owner keeps all of them. */
static void
withdraw(void)
{
    uint64_t from, to;
    if (!cf__deque_withdraw(&second->deque, &from, &to))
        return;
    for (uint64_t i = from; i < to; i++)
        count(withdrawn,
              cf_load_relaxed(&cf__deque_slot(&second->deque, i)->f));
    cf__deque_release(&second->deque, from);
}

static void
steal_two(void)
{
    for (int i = 0; i < 2; i++)
        count(stolen, cf__deque_steal(&second->deque, 0, NULL));
}

static bool
each_has_one_owner(void)
{
    bool right = true;
    for (cf_future *f; (f = cf__deque_steal(&second->deque, 0, NULL)) != NULL;)
        count(stolen, f);
    for (int i = 0; i < ENTRIES; i++)
        right = right && stolen[i] + withdrawn[i] == 1;
    return right;
}

/* --- the program ---------------------------------------------------------- */

static const struct race races[] = {
    {"to a deque, sleeping", begin_nested, push, fall_asleep, woken_or_seen},
    {"first push to a deque, sleeping",
     begin_not_nested,
     push,
     fall_asleep,
     woken_or_seen},
    {"to a deque, searching",
     begin_searching,
     push,
     stop_searching,
     woken_or_seen},
    {"to a deque, watching", begin_awaited, push, watch, watcher_woken},
    {"to the queue, sleeping", begin_outside, push, fall_asleep, woken_or_seen},
    {"to the queue, searching",
     begin_searching_outside,
     push,
     stop_searching,
     woken_or_seen},
    {"a job, interrupted", begin_job, run_job, interrupt, job_is_told},
    {"withdrawn, stolen",
     begin_entries,
     withdraw,
     steal_two,
     each_has_one_owner},
};

static cf_future *
new_task(void)
{
    cf_future *f = NULL;
    cf_task attributes = CF_TASK_INIT;
    attributes.fn = task_nothing;
    if (cf__submit_prepare(ex, &attributes, 2, false, NULL, &f) != CF_OK)
        abort();
    return f;
}

static cf_future *
new_running(const struct cf__threads_worker *w)
{
    cf_future *f = new_task();
    (void)cf__future_claim_word(f, w->base.index);
    return f;
}

static void
drop_running(cf_future *f)
{
    (void)cf__future_finish(f, 0, 0, true);
    cf_future_unref(f);
}

/* Two workers whose threads have left. */
static void
open_pool(void)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    cf_stats stats = {0};
    options.max_workers = 2;
    options.idle_timeout_ns = CF__MS(1);
    if (cf_thread_pool_create(&options, &ex) != CF_OK)
        abort();
    pool = cf__threads_of(ex);
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < 2; i++)
        if (cf__threads_start(pool) != CF_OK)
            abort();
    pthread_mutex_unlock(&pool->lock);
    do
        (void)cf_executor_stats(ex, &stats);
    while (stats.workers > 0);
    cf__queue_open(&pool->queue);
    first = pool->workers[0];
    second = pool->workers[1];
}

int
main(void)
{
    unsigned lost = 0;
    open_pool();
    const uint64_t startable = cf_load_relaxed(&pool->activity);
    task = new_task();
    awaited = new_running(second);
    spawner = new_running(first);
    for (int i = 0; i < ENTRIES; i++)
        entries[i] = new_task();
    for (size_t i = 0; i < sizeof races / sizeof *races; i++)
        lost += race_run(&races[i], RACE_NS);
    cf__thread.worker = NULL;
    cf_store_relaxed(&pool->activity, startable);
    cf__future_discard(task);
    drop_running(awaited);
    drop_running(spawner);
    for (int i = 0; i < ENTRIES; i++)
        cf__future_discard(entries[i]);
    cf_executor_destroy(ex);
    return race_status(lost);
}
