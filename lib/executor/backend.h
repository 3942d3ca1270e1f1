/* SPDX-License-Identifier: MIT */
/*
 * How cf_executor_open() finds the backends: each backend defines a struct
 * cf__backend, and the build lists these in a generated file. So no source of
 * lib/ names a backend.
 */
#ifndef CF_LIB_EXECUTOR_BACKEND_H
#define CF_LIB_EXECUTOR_BACKEND_H

#include <cfutures/executor.h>

struct cf__backend {
    const char *spec; /* what comes before the colon: "threads" */
    /* max_workers 0: the default. */
    cf_err (*open)(int max_workers, cf_executor **out);
};

/* Ends with NULL. The build generates it from its cf_backend() lines. */
extern const struct cf__backend *const cf__backends[];

extern const struct cf__backend cf__backend_inline;

#endif
