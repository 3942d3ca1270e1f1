/* SPDX-License-Identifier: MIT */
/*
 * System calls that go wrong on demand, also in processes that were forked
 * before. Linking call_faults.c into a program puts them in front of the C
 * library's.
 */
#ifndef CF_TESTS_CALL_FAULTS_H
#define CF_TESTS_CALL_FAULTS_H

#include <sys/types.h>

/* The next count calls of waitpid() or wait4() that do not wait, in all
 * processes, are interrupted. */
void call_interrupt_waitpid(int count);

/* How many are left of these. */
int call_interrupts_left(void);

/* As on a kernel without close_range(). */
void call_refuse_close_range(void);

/* How often all processes together have waited or woken by a futex. */
int call_futexes(void);

/* The next fork() makes another child first, which has what this process has
 * now and stays until call_holder_end(). */
void call_hold_at_fork(void);
pid_t call_holder(void);
void call_holder_end(void);

/* From now on, the grandchild that a child of the next fork() makes dies at
 * once, by SIGKILL. */
void call_kill_grandchild(void);

#endif
