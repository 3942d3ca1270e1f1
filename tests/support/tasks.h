/* SPDX-License-Identifier: MIT */
/*
 * Task functions that many tests submit, and what their arguments are.
 */
#ifndef CF_TESTS_TASKS_H
#define CF_TESTS_TASKS_H

#include <cfutures/cfutures.h>
#include <stdatomic.h>

#include "tests/support/gate.h"
#include "tests/support/shared.h"

/* Does nothing and returns nothing. */
int task_nothing(cf_call *call, const void *arg, size_t arg_size);

/* Returns its argument's bytes. */
int task_echo(cf_call *call, const void *arg, size_t arg_size);

/* Takes an int and returns its square, an int. */
int task_square(cf_call *call, const void *arg, size_t arg_size);

/* Takes an int (which may be 0) and fails with that code and "code <n>". */
int task_fail(cf_call *call, const void *arg, size_t arg_size);

/* Takes an int and returns its double; fails with code n for n % 3 == 0. */
int task_fail_thirds(cf_call *call, const void *arg, size_t arg_size);

/* Takes a gate * (arg_size 0): arrives and ends when the gate opens. */
int task_hold(cf_call *call, const void *arg, size_t arg_size);

/* Takes a gate * (arg_size 0): arrives and ends when it is asked to stop:
 * returns non-zero without a record. */
int task_until_canceled(cf_call *call, const void *arg, size_t arg_size);

/* Takes an atomic_int * (arg_size 0) and adds 1. */
int task_count(cf_call *call, const void *arg, size_t arg_size);

/* Takes an atomic_int * by value and adds 1. */
int task_count_pointer(cf_call *call, const void *arg, size_t arg_size);

/* What arg_free frees: adds 1 to an atomic_int. */
void count_free(void *arg);

/* Which tasks ran, in their order. */
typedef struct journal {
    atomic_int length;
    int entries[1024];
} journal;

/* An empty one, in memory of shared_new(). */
journal *journal_new(void);

/* Any thread or process may; it can be read when all of them have. */
void journal_add(journal *j, int entry);

typedef struct journal_entry {
    journal *journal;
    int entry;
} journal_entry;

/* Takes a journal_entry by value and writes it down. */
int task_journal(cf_call *call, const void *arg, size_t arg_size);

/* Starts count tasks that hold at g, and returns when all of them run. */
void occupy(cf_executor *ex, gate *g, int count, cf_future **held);

/* Adds 1 to the atomic_int that data points to. */
void count_done(cf_future *f, void *data);

/* Arrives at the gate that data points to, and returns when it opens. */
void hold_done(cf_future *f, void *data);

#endif
