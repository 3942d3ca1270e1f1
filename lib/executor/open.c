/* SPDX-License-Identifier: MIT */
/* cf_executor_open(): executors by name. */
#include "lib/executor/backend.h"

#include "lib/base/assert.h"
#include "lib/base/contract.h"
#include "lib/base/einval.h"

#include <pthread.h>
#include <stdio.h>
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

/* spec is name, perhaps with a number of workers. */
static bool
matches(const char *spec, const char *name, int *workers)
{
    size_t length = strlen(name);
    return strncmp(spec, name, length) == 0 &&
           parse_workers(spec + length, workers);
}

void
cf__backend_enter(const struct cf__backend *backend, const char *release)
{
    cf__contract(strcmp(release, CF_VERSION_STRING) == 0,
                 "a component is of another release than libcfutures");
    struct cf__place *place = cf__places;
    while (place->spec && strcmp(place->spec, backend->spec) != 0)
        place++;
    if (place->spec)
        cf_store_release(&place->backend, backend); /* pairs with open */
}

cf_err
cf_executor_open(const char *spec, cf_executor **out)
{
    int workers;
    if (!spec || !out)
        return cf__einval(__func__, !spec ? "spec is NULL" : "out is NULL");
    if (matches(spec, cf__backend_inline.spec, &workers))
        return cf__backend_inline.open(workers, out);
    for (size_t i = 0; cf__backends[i]; i++)
        if (matches(spec, cf__backends[i]->spec, &workers))
            return cf__backends[i]->open(workers, out);
    for (size_t i = 0; cf__places[i].spec; i++) {
        if (!matches(spec, cf__places[i].spec, &workers))
            continue;
        /* pairs with cf__backend_enter */
        const struct cf__backend *backend =
            cf_load_acquire(&cf__places[i].backend);
        return backend ? backend->open(workers, out) : CF_ENOTSUP;
    }
    return cf__einval(__func__, "spec is none of cf_executor_specs()");
}

/* --- what it takes -------------------------------------------------------- */

enum { SPECS_SIZE = 256 };

/* All that is built, and without the components. Written once. */
static char specs[SPECS_SIZE], own_specs[SPECS_SIZE];
static pthread_once_t specs_once = PTHREAD_ONCE_INIT; /* guards both */

/* Appends to text, of which length bytes are used. Returns how many are now. */
static size_t
append(char *text, size_t length, const char *spec, const char *workers)
{
    int more = snprintf(text + length,
                        SPECS_SIZE - length,
                        "%s%s%s",
                        length > 0 ? ", " : "",
                        spec,
                        workers);
    cf__assert(more > 0 && (size_t)more < SPECS_SIZE - length);
    return length + (size_t)more;
}

static void
write_specs(void)
{
    size_t length = append(specs, 0, cf__backend_inline.spec, "");
    for (size_t i = 0; cf__backends[i]; i++)
        length = append(specs, length, cf__backends[i]->spec, "[:N]");
    memcpy(own_specs, specs, length + 1);
    for (size_t i = 0; cf__places[i].spec; i++)
        length = append(specs, length, cf__places[i].spec, "");
}

const char *
cf_executor_specs(void)
{
    (void)pthread_once(&specs_once, write_specs);
    for (size_t i = 0; cf__places[i].spec; i++)
        if (cf_load_relaxed(&cf__places[i].backend))
            return specs;
    return own_specs;
}
