/* SPDX-License-Identifier: MIT */
/* What tasks print, and how a worker ends when a task calls exit(). */
#ifndef CF_PROCESS_POOL_OUTPUT_H
#define CF_PROCESS_POOL_OUTPUT_H

/* In the zygote. What the program had buffered is left to the program to write.
 * What it had registered for exit() and quick_exit() is not called in workers;
 * what tasks register there is called. */
void cf__output_begin(void);

/* In a worker: makes visible what tasks have printed. */
void cf__output_flush(void);

#endif
