/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. Hands tasks to lanes that have room. Which
 * lanes these are, dispatch.c decides.
 */
#ifndef CF_PROCESS_POOL_DEAL_H
#define CF_PROCESS_POOL_DEAL_H

#include "process_pool/pool.h"

/* The lane is empty and its worker has run its number of tasks: it is about to
 * end, and the zygote starts no successor. If a successor does start, it soon
 * sleeps; then the lane counts as idle. */
bool cf__processes_is_spent(const struct cf__processes *pool,
                            const struct cf__process_lane *lane);

/* The lane may be given one more task. */
bool cf__processes_has_room(const struct cf__processes *pool,
                            const struct cf__process_lane *lane);

/* Hands the lane one task. false: there is none, or no memory. */
bool cf__processes_hand_one(struct cf__processes *pool,
                            struct cf__process_lane *lane);

/* Deals what is queued to the lanes that are linked from first on by
 * next_in_turn and have room: one task to each in turn. So large tasks that
 * follow each other go to different workers. */
void cf__processes_deal(struct cf__processes *pool,
                        struct cf__process_lane *first);

#endif
