/* SPDX-License-Identifier: MIT */
/* See process_sides.h. */
#include "tests/unit/process_sides.h"

#include "lib/base/futex.h"

struct cf__processes *pool;
struct cf__process_lane *lane;
struct cf__board *board;
uint64_t position;
bool rang;

static _Thread_local bool on_left;

/* NOLINTBEGIN: the names are the linker's (--wrap). */
int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
void __real_cf__bell_ring(struct cf__bell *bell);
void __wrap_cf__bell_ring(struct cf__bell *bell);
void __wrap_cf__futex_wake_shared(void *word, int count);

int
__wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    int error = __real_pthread_mutex_lock(lock);
    race_delay_stores();
    return error;
}

void
__wrap_cf__bell_ring(struct cf__bell *bell)
{
    if (!on_left)
        rang = true;
    __real_cf__bell_ring(bell);
}

void
__wrap_cf__futex_wake_shared(void *word, int count)
{
    (void)word, (void)count;
}
/* NOLINTEND */

void
open_sides(void)
{
    on_left = true;
    pool = bare_open(1);
    lane = &pool->lanes[0];
    board = pool->shared->board;
}

void
let_manager_sleep(void)
{
    cf_store_relaxed(&board->sleeps, (cf_load_relaxed(&board->sleeps) + 2) | 1);
}
