/* SPDX-License-Identifier: MIT */
/* cf_executor_open(): executors by name. */
#include "lib/executor/backend.h"

#include <string.h>

enum { WORKERS_MAX = 1000000 }; /* the constructors have lower limits */

/* Parses ":8" as 8, and an empty text as 0. false: text is neither. */
static bool
parse_workers(const char *text, int *out)
{
    *out = 0;
    if (*text == '\0')
        return true;
    if (*text++ != ':' || *text == '\0')
        return false;
    int workers = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || workers > WORKERS_MAX)
            return false;
        workers = workers * 10 + (*text - '0');
    }
    *out = workers;
    return workers >= 1;
}

static cf_err
try_open(const struct cf__backend *backend,
         const char *spec,
         cf_executor **out,
         bool *matched)
{
    size_t length = strlen(backend->spec);
    int workers;
    *matched = strncmp(spec, backend->spec, length) == 0 &&
               parse_workers(spec + length, &workers);
    return *matched ? backend->open(workers, out) : CF_EINVAL;
}

cf_err
cf_executor_open(const char *spec, cf_executor **out)
{
    if (!spec || !out)
        return CF_EINVAL;
    bool matched;
    cf_err err = try_open(&cf__backend_inline, spec, out, &matched);
    for (size_t i = 0; !matched && cf__backends[i]; i++)
        err = try_open(cf__backends[i], spec, out, &matched);
    return err;
}
