/* SPDX-License-Identifier: MIT */
/* A task is deferred: it waits for its inputs and its time. */
#ifndef CF_LIB_EXECUTOR_DEFER_H
#define CF_LIB_EXECUTOR_DEFER_H

#include "lib/future/future.h"

/* What a submit says of the wait. */
struct cf__terms {
    int64_t delay_ns; /* 0: none */
    bool anyway;      /* an input that fails does not matter */
};

/*
 * Defers f, a task that no other thread knows and that has attributes: it is
 * given to its executor when count inputs are done and its delay has passed. On
 * error f has been discarded. *out, if out is not NULL, is set before f can
 * run.
 */
cf_err cf__defer(cf_future *f,
                 cf_future *const *inputs,
                 size_t count,
                 struct cf__terms terms,
                 cf_future **out);

#endif
