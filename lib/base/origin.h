/* SPDX-License-Identifier: MIT */
/*
 * Threads that are like the creator of their executor. Any thread may start
 * them, and that thread may be pinned to a CPU, or be a real-time thread. So a
 * new thread gets its CPUs, its scheduling class and its nice value from the
 * origin: what the executor's creator had. It inherits the rest from the thread
 * that starts it.
 *
 * The attributes of pthread_create() set as much as they can. A thread that
 * began like its starter might not get to run: it would be on the starter's
 * CPU, behind the starter. The new thread sets by itself what the attributes
 * cannot say (nice values, the classes SCHED_BATCH and SCHED_IDLE), in
 * cf__origin_enter().
 *
 * The system may refuse something by now: a CPU mask of which the process has
 * lost all CPUs, or a class for which it has lost the privilege. Then the new
 * thread keeps what it inherited.
 */
#ifndef CF_LIB_BASE_ORIGIN_H
#define CF_LIB_BASE_ORIGIN_H

#include "lib/base/export.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>

struct cf__origin {
    cpu_set_t *cpus;  /* NULL: unknown; threads inherit theirs */
    size_t cpus_size; /* bytes */
    int policy;       /* SCHED_OTHER ... */
    int priority;     /* of SCHED_FIFO and SCHED_RR */
    int nice;         /* of the others */
};

/* Notes what the calling thread is like. Without memory for the mask, cpus is
 * NULL. */
void cf__origin_note(struct cf__origin *origin);

/* Frees what cf__origin_note() took. */
void cf__origin_fini(struct cf__origin *origin);

/* As pthread_create(), for a thread like origin. stack_size 0: the system's
 * default. out NULL: the thread is detached from its start. (If another thread
 * detached it later, that could be just as it ends: glibc's pthread_detach()
 * reads the thread's memory when it may be gone already.) */
CF__EXPORT int cf__origin_start(const struct cf__origin *origin,
                                pthread_t *out,
                                size_t stack_size,
                                void *(*fn)(void *arg),
                                void *arg);

/* Comes first in the new thread, which becomes like origin. */
CF__EXPORT void cf__origin_enter(const struct cf__origin *origin);

/* Pins the calling thread to the index-th CPU of the mask; after the last CPU
 * comes the first one again. If the system refuses, nothing changes. */
void cf__origin_pin(const struct cf__origin *origin, int index);

#endif
