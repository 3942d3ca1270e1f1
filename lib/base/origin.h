/* SPDX-License-Identifier: MIT */
/*
 * Threads that are like the thread that created their executor, whichever
 * thread starts them: it may be pinned to a CPU, or be a real-time thread. What
 * counts is on which CPUs they may run, their scheduling class, and the nice
 * value. The rest a new thread has from the thread that starts it.
 *
 * The attributes of pthread_create() do what they can, since a thread that
 * begins as its starter is may not get to run: on the starter's CPU, behind the
 * starter. What they cannot say (nice values, the classes SCHED_BATCH and
 * SCHED_IDLE), the new thread does itself: cf__origin_enter().
 *
 * What the system refuses, by now, is left as it was inherited: a CPU mask of
 * which the process has lost all CPUs, or a class for which it has no privilege
 * any more.
 */
#ifndef CF_LIB_BASE_ORIGIN_H
#define CF_LIB_BASE_ORIGIN_H

#include <pthread.h>
#include <sched.h>
#include <stddef.h>

struct cf__origin {
    cpu_set_t *cpus;  /* NULL: unknown, and inherited */
    size_t cpus_size; /* bytes */
    int policy;       /* SCHED_OTHER ... */
    int priority;     /* of SCHED_FIFO and SCHED_RR */
    int nice;         /* of the others */
};

/* Notes what the calling thread is like. Needs memory only for the mask, and
 * does without. */
void cf__origin_note(struct cf__origin *origin);

/* Frees what it took. */
void cf__origin_fini(struct cf__origin *origin);

/* As pthread_create(). stack_size 0: the system's default. */
int cf__origin_start(const struct cf__origin *origin,
                     pthread_t *out,
                     size_t stack_size,
                     void *(*fn)(void *arg),
                     void *arg);

/* Comes first in the new thread. */
void cf__origin_enter(const struct cf__origin *origin);

/* Keeps the calling thread on the index-th CPU of the mask, starting over after
 * the last; as far as that can be had. */
void cf__origin_pin(const struct cf__origin *origin, int index);

#endif
