/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. A worker has ended: what it had done is
 * delivered, the task that it was in fails, and what it had not started is
 * taken back. Also: which ends of workers break the pool.
 */
#include "process_pool/bury.h"

#include "lib/base/clock.h"
#include "lib/future/failure.h"
#include "process_pool/alarm.h"
#include "process_pool/collect.h"
#include "process_pool/death.h"
#include "process_pool/end.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "process_pool/tasks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    STILLBORN_MAX = 3,         /* workers in a row; then the lane is lost */
    PAUSE_MIN_NS = CF__MS(10), /* before the next try to fork: at first, */
    PAUSE_MAX_NS = CF__MS(500) /* and at most */
};

int64_t cf__spawn_patience_ns = CF__S(5);

/* --- breaking ------------------------------------------------------------ */

/* As Python does it: all workers are killed. */
static void
break_by_death(struct cf__processes *pool, const cf_error *death)
{
    int64_t now = cf__now_ns();
    cf__processes_break_locked(pool, death);
    for (int i = 0; i < pool->base.max_workers; i++)
        cf__processes_kill_later(
            pool, &pool->lanes[i], CF__ANY_POSITION, SIGKILL, now);
}

/* Breaks the pool, with the failure that the initializer has left. */
static void
break_by_initializer(struct cf__processes *pool,
                     const struct cf__process_lane *lane,
                     const cf_error *death)
{
    struct cf__lane_failure left;
    cf_error why = *death;
    why.message = "the initializer failed";
    /* The worker is dead, but what it wrote must still be checked. 0: no
     * failure. */
    uint64_t at = cf_load_acquire(&lane->out->init_failure);
    if (at > 0 && cf__lane_read_failure(lane, at - 1, &left))
        cf__lane_describe(&left, &why);
    why.exit_status = 0;
    cf__processes_break_locked(pool, &why);
}

/* --- what it had in hand ------------------------------------------------- */

/* Takes the oldest position out of the lane. Returns its task, or NULL. */
static cf_future *
remove_oldest(struct cf__processes *pool, struct cf__process_lane *lane)
{
    cf_future *f = lane->tasks[lane->oldest % CF__LANE];
    lane->oldest++;
    lane->revoked -= f == NULL;
    pool->in_hand--;
    return f;
}

static void
fail_oldest(struct cf__processes *pool,
            struct cf__process_lane *lane,
            const struct cf__death *death)
{
    bool python = pool->setup.options.on_worker_death == CF_WORKER_BREAK;
    cf_future *f = remove_oldest(pool, lane);
    char message[CF__DEATH_MESSAGE];
    if (!f)
        return;
    cf_error error = cf__death_describe(death, cf__name(f), message);
    cf__processes_fail(
        pool, lane, f, python && pool->broken ? pool->broken : &error);
}

/* Empties the lane of a dead worker, whose outcomes have been collected. */
static void
empty_lane(struct cf__processes *pool,
           struct cf__process_lane *lane,
           const struct cf__death *death)
{
    bool trusted = !lane->condemned;
    int failed = 0;
    for (uint64_t p = lane->oldest; p < lane->next; p++) {
        bool back =
            trusted && (!lane->tasks[p % CF__LANE] || /* taken back before */
                        cf__processes_take_back(pool, lane, p));
        /* a worker is in one task at a time: two make no sense */
        if (!back && failed++)
            trusted = false;
        if (back)
            (void)remove_oldest(pool, lane);
        else
            fail_oldest(pool, lane, death);
    }
}

/* The worker is gone: the lane may get another one, or is lost. ready: that
 * worker could run tasks. */
static void
free_lane(struct cf__processes *pool, struct cf__process_lane *lane, bool ready)
{
    lane->kill_at = lane->grace_ends_at = 0;
    lane->stillborn = ready ? 0 : lane->stillborn + 1;
    lane->state = CF__LANE_ABSENT;
    if (lane->stillborn >= STILLBORN_MAX || pool->zygote_gone)
        lane->state = CF__LANE_LOST;
    pthread_cond_broadcast(&pool->changed);
}

/* If all lanes are lost, the pool is broken. */
static void
check_lanes(struct cf__processes *pool, const char *why)
{
    for (int i = 0; i < pool->base.max_workers; i++)
        if (pool->lanes[i].state != CF__LANE_LOST)
            return;
    cf_error error = CF_ERROR_INIT;
    error.message = why;
    cf__processes_break_locked(pool, &error);
}

void
cf__processes_bury(struct cf__processes *pool,
                   const struct cf__zygote_report *end)
{
    cf__assert(cf__processes_is_locked(pool));
    char message[CF__DEATH_MESSAGE];
    struct cf__process_lane *lane = &pool->lanes[end->lane];
    const cf_process_pool_options *options = &pool->setup.options;
    const int status = end->status;
    const struct cf__death how = cf__death_of(pool, lane, end);
    const cf_error death = cf__death_describe(&how, NULL, message);
    cf__processes_collect(pool, lane, cf__now_ns());
    bool in_task = cf__lane_has_begun(lane);
    /* A task can overwrite `ready`, but not the record that a task began. */
    bool ready = cf_load_relaxed(&lane->out->ready) || in_task ||
                 lane->oldest > end->start;
    bool initialized = ready || !options->initializer;
    bool asked = WIFEXITED(status) && !in_task && (ready || lane->quitting) &&
                 WEXITSTATUS(status) == CF__EXIT_DONE;
    if (!asked) {
        pool->restarts++;
        if (!initialized && !lane->doomed &&
            !cf_load_relaxed(&pool->base.terminated))
            break_by_initializer(pool, lane, &death);
        else if (options->on_worker_death == CF_WORKER_BREAK && !lane->quitting)
            break_by_death(pool, &death);
    }
    empty_lane(pool, lane, &how);
    if (ready)
        lane->spawn_at = lane->pause = pool->forkless_since = 0;
    cf__processes_trim_later(pool, cf__now_ns());
    free_lane(pool, lane, ready || asked);
    check_lanes(pool, "no worker process lives long enough to work");
    cf__processes_serve_locked(pool); /* which may start another worker */
}

static bool
any_worker(const struct cf__processes *pool)
{
    for (int i = 0; i < pool->base.max_workers; i++) {
        const struct cf__process_lane *lane = &pool->lanes[i];
        if (lane->state == CF__LANE_STAFFED &&
            cf_load_relaxed(&lane->out->pid)) /* a hint */
            return true;
    }
    return false;
}

/* No worker could be forked. If the error may pass, the lane tries again, after
 * a pause that doubles; but while the pool has no worker at all, only for a
 * while. false: it will not pass. */
static bool
try_later(struct cf__processes *pool, struct cf__process_lane *lane, int error)
{
    int64_t now = cf__now_ns();
    if (error != EAGAIN && error != ENOMEM)
        return false;
    if (any_worker(pool))
        pool->forkless_since = 0;
    else if (!pool->forkless_since)
        pool->forkless_since = now;
    else if (now - pool->forkless_since >= cf__spawn_patience_ns)
        return false;
    lane->pause = lane->pause ? 2 * lane->pause : PAUSE_MIN_NS;
    if (lane->pause > PAUSE_MAX_NS)
        lane->pause = PAUSE_MAX_NS;
    lane->spawn_at = now + lane->pause;
    return true;
}

void
cf__processes_spawn_failed(struct cf__processes *pool, int index, int error)
{
    cf__assert(cf__processes_is_locked(pool));
    char message[128];
    struct cf__process_lane *lane = &pool->lanes[index];
    const struct cf__death none = {NULL, NULL, NULL};
    cf__processes_collect(pool, lane, cf__now_ns());
    snprintf(message,
             sizeof message,
             "no worker process could be started: %s",
             strerror(error));
    empty_lane(pool, lane, &none);
    free_lane(pool, lane, true);
    if (!try_later(pool, lane, error))
        lane->state = CF__LANE_LOST;
    check_lanes(pool, message);
    cf__processes_serve_locked(pool);
}
