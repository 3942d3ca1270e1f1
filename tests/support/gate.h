/* SPDX-License-Identifier: MIT */
/*
 * The one synchronisation object of the tests: a gate counts arrivals and holds
 * the threads that arrive until it is opened. With it a test knows that a task
 * has started and decides when it ends, so no test sleeps to get an order of
 * events.
 *
 * It works between threads and between processes. A worker that is killed
 * inside of it takes nothing along but its arrival, which has been counted.
 */
#ifndef CF_TESTS_GATE_H
#define CF_TESTS_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct gate gate;

/* A closed gate, in memory of shared_new(). */
gate *gate_new(void);

/* Counts one arrival and goes on at once. */
void gate_arrive(gate *g);

/* Counts one arrival and waits until the gate is open. */
void gate_pass(gate *g);

/* Waits until count have arrived. */
void gate_await(gate *g, int count);

/* Lets all threads through, now and later. */
void gate_open(gate *g);

/* How many have arrived. */
int gate_arrived(gate *g);

/* In a task of an executor whose tasks share a thread: instead of holding that
 * thread, lets the others run for a moment (true). false: the task holds the
 * thread, as it would hold a worker. NULL: tasks have a thread each. */
extern bool (*gate_suspend)(void);

/* Returns once the kernel says that thread tid of this process sleeps. It
 * makes a race likely, never an order certain. */
void await_asleep(pid_t tid);

#endif
