/* SPDX-License-Identifier: MIT */
/*
 * The tasks of stress_process_chaos. Each takes a struct work and returns an
 * answer that depends on its seed, unless said otherwise.
 */
#ifndef CF_TESTS_STRESS_CHAOS_TASKS_H
#define CF_TESTS_STRESS_CHAOS_TASKS_H

#include <cfutures/cfutures.h>
#include <stdatomic.h>

/* What a task leaves behind. */
struct record {
    atomic_int starts;
    atomic_int ends;
};

/* Shared with the workers. */
extern struct chaos_stage {
    struct record *records;
    atomic_int *pids; /* of worker i, as its last task saw it */
    atomic_int *visits;
    atomic_int *bursts;
} chaos_stage;

struct work {
    struct record *record;
    unsigned seed;
    unsigned size; /* bytes that follow */
};

/* Returns at once. */
int chaos_small(cf_call *call, const void *arg, size_t arg_size);

/* Runs so long that it is killed now and then. */
int chaos_long(cf_call *call, const void *arg, size_t arg_size);

/* Returns the bytes that follow its struct work, each with 1 added. */
int chaos_payload(cf_call *call, const void *arg, size_t arg_size);

/* Forks; the child returns from the task as its parent does. */
int chaos_forks(cf_call *call, const void *arg, size_t arg_size);

/* Forks by a bare system call. */
int chaos_forks_barely(cf_call *call, const void *arg, size_t arg_size);

/* Takes away its death signal, if it may change its user. */
int chaos_changes_user(cf_call *call, const void *arg, size_t arg_size);

/* Submits tasks to its own pool and waits for them. */
int chaos_nested(cf_call *call, const void *arg, size_t arg_size);

/* Runs, or is stopped, until it is killed for its timeout. */
int chaos_late(cf_call *call, const void *arg, size_t arg_size);

/* Takes the address of a count, to which it adds 1. */
int chaos_empty(cf_call *call, const void *arg, size_t arg_size);

/* Takes an unsigned and returns it times three. */
int chaos_item(cf_call *call, const void *arg, size_t arg_size);

/* A loop body that counts visits. */
int chaos_visit(cf_call *call, size_t first, size_t last, void *data);

#endif
