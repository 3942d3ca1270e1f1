/* SPDX-License-Identifier: MIT */
/*
 * What this process uses, and which others there are, as the kernel says.
 */
#ifndef CF_TESTS_PROCESS_H
#define CF_TESTS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Threads of this process that are alive. */
int process_threads(void);

/* Open file descriptors of this process. */
int process_fds(void);

/* Resident memory in bytes; 0 under AddressSanitizer, which keeps freed memory
 * for a while and so says nothing about growth. */
size_t process_resident(void);

/* Waits until this process has at most count threads: a joined thread may
 * stay in /proc for a moment. */
void process_await_threads(int count);

/* Waits until a thread of this process has that name. */
void process_await_thread(const char *name);

/* As in /proc: 'R', 'S', 'T' ...; 0: there is no such process. */
char process_state(pid_t pid);

/* The process is there, and no zombie. */
bool process_lives(pid_t pid);

/* Processes that live and whose names begin with prefix: how many; the first
 * most of them in pids. */
int process_find(const char *prefix, pid_t *pids, int most);

/* Waits until process_find() gives at most count, and returns how many
 * nanoseconds that took. */
int64_t process_await_found(const char *prefix, int count);

#endif
