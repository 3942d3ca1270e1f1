/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C while cf_event_loop_run() runs: the first SIGINT tells the first task
 * to stop, the second one ends the program. Only if SIGINT had its default
 * action, and for one run at a time.
 */
#ifndef CF_EVENT_LOOP_CTRL_C_H
#define CF_EVENT_LOOP_CTRL_C_H

#include <cfutures/base.h>

#include <stdbool.h>

struct cf__evloop;

/* true: it is watched from now on, for the loop's first task. */
bool cf__ctrl_c_begin(struct cf__evloop *loop, cf_future *first);

/* After a begin that returned true, also in a fork's child. true: it came. */
bool cf__ctrl_c_end(void);

#endif
