/* SPDX-License-Identifier: MIT */
/* What tasks print, and how a worker leaves when a task ends the program. */
#ifndef CF_PROCESS_POOL_OUTPUT_H
#define CF_PROCESS_POOL_OUTPUT_H

/* In the zygote: what the program had buffered is the program's to write; and
 * what the program had registered for exit() and quick_exit() is not called in
 * workers. What tasks register, is. */
void cf__output_begin(void);

/* In a worker: what tasks have printed can be seen now. */
void cf__output_flush(void);

#endif
