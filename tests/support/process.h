/* SPDX-License-Identifier: MIT */
/*
 * What the process uses, as the kernel counts it.
 */
#ifndef CF_TESTS_PROCESS_H
#define CF_TESTS_PROCESS_H

#include <stddef.h>

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

#endif
