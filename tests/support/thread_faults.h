/* SPDX-License-Identifier: MIT */
/*
 * A pthread_create() that fails on demand. Linking thread_faults.c into a
 * program puts it in front of the C library's.
 */
#ifndef CF_TESTS_THREAD_FAULTS_H
#define CF_TESTS_THREAD_FAULTS_H

/* The next `after` threads start, then pthread_create() gives error until
 * thread_faults_end(). */
void thread_faults_begin(int after, int error);

void thread_faults_end(void);

/* How many calls have been refused since thread_faults_begin(). */
int thread_faults_count(void);

#endif
