/* SPDX-License-Identifier: MIT */
/*
 * Looks of the process pool's manager, and of a thread that has its lock
 * (process_pool/README.md, "Waking"): what comes between a look and the sleep,
 * or the unlock, is not lost. As test_process_wakeups.c.
 */
#include <criterion/criterion.h>

#include "lib/base/clock.h"
#include "process_pool/lock.h"
#include "process_pool/service.h"
#include "tests/unit/bare_processes.h"

static struct cf__processes *pool;
static struct cf__process_lane *lane;
static struct cf__board *board;

static void (*at_last_signal)(
    void); /* before the manager says that it sleeps */
static void (*at_unlock)(void), (*at_cond_wait)(void);
static int awaits; /* of the manager */
static bool rung_at_await;
static int cond_waits; /* with the lock, for a change */
static bool rung_at_wait;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
void __wrap_cf__bell_await(struct cf__bell *bell,
                           const struct cf__pulse *pulse,
                           int64_t deadline_ns);
bool __wrap_cf__cond_wait_or_end(pthread_cond_t *cond,
                                 pthread_mutex_t *lock,
                                 int64_t deadline_ns,
                                 void (*undo)(void *data),
                                 void *data);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);
void __real_cf__processes_send_due_signal(struct cf__processes *of,
                                          struct cf__process_lane *to,
                                          int64_t now);
void __wrap_cf__processes_send_due_signal(struct cf__processes *of,
                                          struct cf__process_lane *to,
                                          int64_t now);

void
__wrap_cf__bell_await(struct cf__bell *bell,
                      const struct cf__pulse *pulse,
                      int64_t deadline_ns)
{
    (void)bell, (void)pulse, (void)deadline_ns;
    awaits++;
    rung_at_await = bare_is_rung(pool);
}

int
__wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    if (pool && lock == &pool->lock && at_unlock)
        at_unlock();
    return __real_pthread_mutex_unlock(lock);
}

void
__wrap_cf__processes_send_due_signal(struct cf__processes *of,
                                     struct cf__process_lane *to,
                                     int64_t now)
{
    __real_cf__processes_send_due_signal(of, to, now);
    if (at_last_signal)
        at_last_signal();
}

bool
__wrap_cf__cond_wait_or_end(pthread_cond_t *cond,
                            pthread_mutex_t *lock,
                            int64_t deadline_ns,
                            void (*undo)(void *data),
                            void *data)
{
    (void)cond, (void)lock, (void)deadline_ns, (void)undo, (void)data;
    cf__processes_note_lock(pool);
    at_cond_wait();
    cf__processes_note_unlock(pool);
    return true;
}
/* NOLINTEND */

static int
task_nothing(cf_call *call, const void *arg, size_t size)
{
    (void)call, (void)arg, (void)size;
    return 0;
}

/* The manager sleeps, and has not been rung. */
static void
open_pool(void)
{
    pool = bare_open(1);
    lane = &pool->lanes[0];
    board = pool->shared->board;
    cf_store_relaxed(&board->sleeps, 1);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
}

static void
close_pool(void)
{
    bare_empty(pool);
    bare_close(pool);
}

#define MANAGER_TEST(name)                                                     \
    Test(manager_wakeups, name, .init = open_pool, .fini = close_pool)

/* --- a thread that does not get the lock ---------------------------------- */

static int attends; /* that are still to come */

/* While the lock is held, so that it is left to the holder. */
static void
attend(void)
{
    if (attends == 0)
        return;
    attends--;
    void (*step)(void) = at_unlock;
    at_unlock = NULL;
    cf__processes_attend(pool);
    at_unlock = step;
}

static void
unlock_with_attends(int count)
{
    cf__processes_lock(pool);
    cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
    attends = count;
    at_unlock = attend;
    cf__processes_unlock_serving(pool);
    at_unlock = NULL;
}

MANAGER_TEST(the_holder_serves_for_a_thread_that_did_not_get_the_lock)
{
    unlock_with_attends(1);
    cr_assert(attends == 0);
    cr_assert_not(cf_load_relaxed(&pool->again));
}

MANAGER_TEST(the_manager_serves_if_the_holder_has_served_often)
{
    unlock_with_attends(1000);
    cr_assert(attends > 0, "it comes to an end");
    cr_assert(cf_load_relaxed(&pool->again));
    cr_assert(bare_is_rung(pool));
}

/* The first time, the manager has answered, and looks no more. */
static void
attend_at_wait(void)
{
    if (++cond_waits == 1) {
        cf__bell_answer(pool->shared->bell, &pool->zygote.post->pulse);
        return;
    }
    cf__processes_attend(pool);
    rung_at_wait = cf_load_relaxed(&pool->again) && bare_is_rung(pool);
    pool->ended = true;
}

MANAGER_TEST(the_manager_serves_if_the_holder_waits)
{
    at_cond_wait = attend_at_wait;
    pool->joinable = false;
    cr_assert(pool->base.ops->shutdown(&pool->base, 0, CF__NEVER) == CF_OK);
    cr_assert(rung_at_wait);
}

/* --- the manager ---------------------------------------------------------- */

static uint64_t position;

static void
end_position(void)
{
    bare_end(pool, position);
}

static void
ring(void)
{
    cf__bell_ring(pool->shared->bell);
}

MANAGER_TEST(the_manager_sees_a_task_that_ends_before_it_says_that_it_sleeps)
{
    cf_store_relaxed(&board->sleeps, 0); /* so the worker does not ring */
    cf__processes_lock(pool);
    position = bare_hand(pool, bare_task(pool, task_nothing), 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
    at_last_signal = end_position;
    bare_step(pool);
    cr_assert(awaits == 1 && lane->oldest == position + 1);
}

MANAGER_TEST(the_manager_does_not_sleep_if_it_is_rung_after_its_look)
{
    cf_store_relaxed(&board->sleeps, 0);
    at_last_signal = ring;
    bare_step(pool);
    cr_assert(awaits == 1 && rung_at_await);
}

static uint32_t wanting_in_callback;

static void
look_at_wanting(cf_future *f, void *data)
{
    (void)f, (void)data;
    wanting_in_callback = cf_load_relaxed(&pool->wanting);
}

MANAGER_TEST(no_worker_counts_as_awake_while_the_manager_is_in_user_code)
{
    cf_store_relaxed(&board->sleeps, 0);
    cf_future *f = bare_task(pool, task_nothing);
    cr_assert(cf_future_on_done(f, look_at_wanting, NULL) == CF_OK);
    cf__processes_lock(pool);
    position = bare_hand(pool, f, 0);
    cf__lane_publish(lane, 1);
    cf__processes_unlock_alone(pool);
    cf_store_relaxed(&lane->out->asleep, 0);
    end_position();
    wanting_in_callback = CF__AWAKE;
    bare_step(pool);
    cr_assert(wanting_in_callback == CF__EAGER);
    cr_assert(cf_load_relaxed(&pool->wanting) == CF__AWAKE, "afterwards");
}
