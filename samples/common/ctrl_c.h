/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C as something to wait for, beside the futures of an iterator.
 */
#ifndef COMMON_CTRL_C_H
#define COMMON_CTRL_C_H

#include <cfutures/cfutures.h>

enum { STOPPED = 130 }; /* the exit status after Ctrl-C, as shells have it */

/* From now on SIGINT is blocked, in this thread and all that it starts, and
 * the descriptor is readable when it has come. Comes before any executor is
 * made. -1, after a sentence on standard error: that failed. */
int ctrl_c_open(const char *program);

/* Ctrl-C has come. */
bool ctrl_c_pressed(int ctrl_c);

/* Waits until a read of fd does not block. false: Ctrl-C has come. */
bool ctrl_c_or_input(int ctrl_c, int fd);

/* Waits for the next future that is done, or for Ctrl-C. CF_OK, CF_EDONE;
 * CF_EINTERRUPTED: Ctrl-C; else an error. */
cf_err ctrl_c_or_next(int ctrl_c, cf_as_completed *it, cf_future **out);

#endif
