/* SPDX-License-Identifier: MIT */
/*
 * The operations of an executor in a program that is observed: the backend's
 * own, but that each future begins to be observed when it is submitted. So a
 * submit in a program without observers does not ask whether there are any.
 */
#ifndef CF_LIB_EXECUTOR_OBSERVED_OPS_H
#define CF_LIB_EXECUTOR_OBSERVED_OPS_H

#include "lib/executor/executor.h"

/* ops, or what takes its place. It stays for the life of the process, as ops
 * does. */
const struct cf__executor_ops *
cf__observed_ops(const struct cf__executor_ops *ops);

/* The tasks of a chain, which no other thread knows, begin to be observed. */
void cf__observed_begin_chain(cf_future *oldest, const cf_future *newest);

#endif
