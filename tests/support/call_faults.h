/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail on demand, also in processes that were forked before.
 * Linking call_faults.c into a program puts them in front of the C library's.
 */
#ifndef CF_TESTS_CALL_FAULTS_H
#define CF_TESTS_CALL_FAULTS_H

#include <sys/types.h>

enum faulty_call { FAULTY_SEND, FAULTY_READ, FAULTY_WAITPID, FAULTY_CALLS };

/* The next count calls give error; in processes other than this one, or, for
 * read(), in this one. -1: all, until call_faults_end(). */
void call_faults_begin(enum faulty_call call, int count, int error);

void call_faults_end(enum faulty_call call);

/* How many have been refused since the last call_faults_begin(). */
int call_faults_count(enum faulty_call call);

/* As on a kernel without close_range(). */
void call_refuse_close_range(void);

/* How often this process has waited by ppoll() or pselect(). */
int call_waits(void);

/* The next fork() makes another child first, which has what this process has
 * now and stays until call_holder_end(). */
void call_hold_at_fork(void);
pid_t call_holder(void);
void call_holder_end(void);

/* From now on, the grandchild that a child of the next fork() makes dies at
 * once, by SIGKILL. */
void call_kill_grandchild(void);

/* What is sent by the second socket of a socketpair() made from now on may have
 * so many bytes, and the kernel may round up. 0: as many as usual. */
void call_limit_sockets(int bytes);

#endif
