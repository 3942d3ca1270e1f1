/* SPDX-License-Identifier: MIT */
/*
 * A pthread_create() that fails or is late on demand. Linking thread_faults.c
 * into a program puts it in front of the C library's.
 */
#ifndef CF_TESTS_THREAD_FAULTS_H
#define CF_TESTS_THREAD_FAULTS_H

#include "tests/support/gate.h"

/* The next `after` threads start, then pthread_create() gives error until
 * thread_faults_end(). */
void thread_faults_begin(int after, int error);

void thread_faults_end(void);

/* From now on pthread_create() returns only when a thread has arrived at g;
 * NULL: at once again. */
void thread_faults_return_after(gate *g);

/* How many calls have been refused since thread_faults_begin(). */
int thread_faults_count(void);

#endif
