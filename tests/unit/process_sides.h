/* SPDX-License-Identifier: MIT */
/*
 * A process pool with one lane and no processes (bare_processes.h). Two threads
 * play its two sides (two_sides.h): the left one is the program. No thread is
 * woken, but it is noted that the right side has rung the manager.
 *
 * Linked with --wrap of pthread_mutex_lock(), cf__bell_ring() and
 * cf__futex_wake_shared().
 */
#ifndef CF_TESTS_UNIT_PROCESS_SIDES_H
#define CF_TESTS_UNIT_PROCESS_SIDES_H

#include "tests/unit/bare_processes.h"
#include "tests/unit/two_sides.h"

extern struct cf__processes *pool;
extern struct cf__process_lane *lane;
extern struct cf__board *board;
extern uint64_t position; /* of the round's task */
extern bool rang;         /* the right side has rung the manager */

/* Opens the pool. This thread is the left side. */
void open_sides(void);

/* The manager sleeps, and no worker has rung it for this sleep. */
void let_manager_sleep(void);

#endif
