/* SPDX-License-Identifier: MIT */
/*
 * The interposed fork(); see fork_faults.h. What it needs is there before
 * main(): its caller may be a fork of a program with threads.
 */
#define _GNU_SOURCE
#include "tests/support/fork_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/shared.h"

static struct faults {
    atomic_bool failing;
    atomic_int allowed;
    atomic_int refused;
    int error_given;
} * faults;

typedef pid_t fork_fn(void);

static fork_fn *next;

__attribute__((constructor)) static void
prepare(void)
{
    /* ISO C has no cast from an object pointer to a function pointer. */
    void *symbol = dlsym(RTLD_NEXT, "fork");
    memcpy(&next, &symbol, sizeof next);
    faults = shared_new(sizeof *faults);
}

void
fork_faults_begin(int after, int error)
{
    faults->error_given = error;
    atomic_store(&faults->allowed, after);
    atomic_store(&faults->refused, 0);
    atomic_store(&faults->failing, true);
}

void
fork_faults_end(void)
{
    atomic_store(&faults->failing, false);
}

int
fork_faults_count(void)
{
    return atomic_load(&faults->refused);
}

pid_t
fork(void)
{
    if (faults != NULL && atomic_load(&faults->failing) &&
        atomic_fetch_sub(&faults->allowed, 1) <= 0) {
        atomic_fetch_add(&faults->refused, 1);
        errno = faults->error_given;
        return -1;
    }
    return next();
}
