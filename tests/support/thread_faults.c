/* SPDX-License-Identifier: MIT */
/*
 * The interposed pthread_create(); see thread_faults.h.
 */
#define _GNU_SOURCE
#include "tests/support/thread_faults.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static atomic_bool failing;
static atomic_int allowed;
static atomic_int refused;
static int error_given;
static _Atomic(gate *) awaited;

typedef int create_fn(pthread_t *thread,
                      const pthread_attr_t *attr,
                      void *(*start)(void *),
                      void *arg);

void
thread_faults_begin(int after, int error)
{
    error_given = error;
    atomic_store(&allowed, after);
    atomic_store(&refused, 0);
    atomic_store(&failing, true);
}

void
thread_faults_end(void)
{
    atomic_store(&failing, false);
}

int
thread_faults_count(void)
{
    return atomic_load(&refused);
}

void
thread_faults_return_after(gate *g)
{
    atomic_store(&awaited, g);
}

int
pthread_create(pthread_t *restrict thread,
               const pthread_attr_t *restrict attr,
               void *(*start)(void *),
               void *restrict arg)
{
    if (atomic_load(&failing) && atomic_fetch_sub(&allowed, 1) <= 0) {
        atomic_fetch_add(&refused, 1);
        return error_given;
    }
    /* ISO C has no cast from an object pointer to a function pointer. */
    void *symbol = dlsym(RTLD_NEXT, "pthread_create");
    create_fn *next;
    memcpy(&next, &symbol, sizeof next);
    int error = next(thread, attr, start, arg);
    gate *g = atomic_load(&awaited);
    if (!error && g)
        gate_await(g, 1);
    return error;
}
