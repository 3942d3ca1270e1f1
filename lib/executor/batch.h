/* SPDX-License-Identifier: MIT */
/*
 * Submits of many tasks that publish them piece by piece, and the threads that
 * wait for them. README.md, "Many tasks in pieces", has the protocol.
 */
#ifndef CF_LIB_EXECUTOR_BATCH_H
#define CF_LIB_EXECUTOR_BATCH_H

#include "lib/executor/executor.h"

/* The counter executor->batches: ONE for each batch, and a mark. */
#define CF__BATCHES_AWAITED UINT32_C(1)
#define CF__BATCHES_ONE UINT32_C(2)

/* A batch is under way from now on: until the leave, ex is neither shut down
 * nor freed. false: a shutdown has begun. Until the leave, this thread runs no
 * code of the user. */
bool cf__batch_enter(cf_executor *ex);

/* After the call another thread may free ex. */
void cf__batch_leave(cf_executor *ex);

/* Some of a batch may still be on its way to the queue. */
static inline bool
cf__batches_under_way(cf_executor *ex)
{
    /* pairs with cf__batch_enter: a batch whose tasks are seen is seen */
    return cf_load_acquire(&ex->batches) >= CF__BATCHES_ONE;
}

/* Waits until no batch is under way. false: the deadline has passed. */
bool cf__batches_await(cf_executor *ex, int64_t deadline_ns);

/* From now on batches are refused. Waits for those that are under way. */
void cf__batches_refuse(cf_executor *ex);

#endif
