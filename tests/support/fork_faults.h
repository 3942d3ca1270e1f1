/* SPDX-License-Identifier: MIT */
/*
 * A fork() that fails on demand, also in processes that were forked before.
 * Linking fork_faults.c into a program puts it in front of the C library's.
 */
#ifndef CF_TESTS_FORK_FAULTS_H
#define CF_TESTS_FORK_FAULTS_H

/* The next `after` forks work, then fork() gives error until
 * fork_faults_end(). */
void fork_faults_begin(int after, int error);

void fork_faults_end(void);

/* How many calls have been refused since fork_faults_begin(). */
int fork_faults_count(void);

#endif
