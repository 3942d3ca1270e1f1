/* SPDX-License-Identifier: MIT */
/*
 * Keeps the object loaded: see stay_loaded.h. For the shared library the linker
 * does that (-z nodelete). For an archive it cannot.
 */
#include "lib/base/stay_loaded.h"

#include "lib/base/atomic.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

/* A program without a loader has none of these. Before glibc 2.34 they are in a
 * library of their own, which is there if anything was loaded by them. */
#pragma weak dladdr
#pragma weak dlsym
#pragma weak dlclose

typedef void *open_fn(const char *name, int mode);

/* Finds dlopen() by its name: in a static program that calls it, the linker
 * would warn. */
static open_fn *
find_open(void)
{
    void *found = dlsym(RTLD_DEFAULT, "dlopen");
    open_fn *open_again;
    memcpy(&open_again, &found, sizeof open_again); /* POSIX allows that */
    return open_again;
}

/* An address in this object. */
static const char here;

static bool
stay(void)
{
    Dl_info mine, program;
    if (!dladdr || !dlsym || !dlclose || !dladdr(&here, &mine))
        return true; /* nothing is ever unloaded */
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the vector has numbers */
    const void *headers = (const void *)getauxval(AT_PHDR);
    if (dladdr(headers, &program) && program.dli_fbase == mine.dli_fbase)
        return true;
    open_fn *open_again = find_open();
    void *self = open_again ? open_again(mine.dli_fname,
                                         RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)
                            : NULL;
    if (self)
        (void)dlclose(self); /* the flag stays */
    return self != NULL;
}

bool
cf__stay_loaded(void)
{
    static atomic_bool stays;
    /* If two threads do this at once, it does no harm. */
    if (!cf_load_relaxed(&stays) && stay())
        cf_store_relaxed(&stays, true);
    return cf_load_relaxed(&stays);
}
