/* SPDX-License-Identifier: MIT */
/*
 * How cf_executor_open() finds the backends: each backend defines a struct
 * cf__backend, and the build lists these in a generated file. So no source of
 * lib/ names a backend. A backend that is a library of its own has a place in
 * that file, and enters itself when it is loaded.
 */
#ifndef CF_LIB_EXECUTOR_BACKEND_H
#define CF_LIB_EXECUTOR_BACKEND_H

#include <cfutures/executor.h>

#include "lib/base/atomic.h"
#include "lib/base/export.h"

struct cf__backend {
    const char *spec; /* what comes before the colon: "threads" */
    /* max_workers 0: the default. */
    cf_err (*open)(int max_workers, cf_executor **out);
};

/* Ends with NULL. The build generates it from its cf_backend() lines. */
extern const struct cf__backend *const cf__backends[];

extern const struct cf__backend cf__backend_inline;

/* The place of a backend that is in a component. */
struct cf__place {
    const char *spec;
    /* NULL: the component is not loaded. Writer: a constructor. */
    _Atomic(const struct cf__backend *) backend;
};

/* Ends with a spec of NULL. Generated, too. */
extern struct cf__place cf__places[];

/* A component's constructor enters its backend. release: CF_VERSION_STRING. If
 * that is not the release of this library, the program ends with a sentence:
 * neither the linker nor the dynamic linker sees it if both are archives. */
CF__EXPORT void cf__backend_enter(const struct cf__backend *backend,
                                  const char *release);

#endif
