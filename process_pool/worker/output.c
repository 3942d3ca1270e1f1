/* SPDX-License-Identifier: MIT */
/*
 * Only stdout and stderr are flushed, and emptied. Other files of the program
 * cannot be told from files of a task, and what the program had buffered for
 * its own must not be written twice: so no fflush(NULL).
 */
#include "process_pool/worker/output.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <unistd.h>

void
cf__output_flush(void)
{
    (void)fflush(stdout);
    (void)fflush(stderr);
}

#ifdef __GLIBC__
/* exit() in a task calls this first, because it was registered last: before the
 * program's handlers, and before its files are flushed. */
static void
end_worker(int status, void *data)
{
    (void)data;
    cf__output_flush();
    _exit(status);
}

/* quick_exit() in a task calls this. glibc calls what at_quick_exit() registers
 * with the arguments of a destructor, and the status after them. */
static void
end_worker_quickly(void *data, int status)
{
    end_worker(status, data);
}
#endif

void
cf__output_begin(void)
{
    __fpurge(stdout);
    __fpurge(stderr);
#ifdef __GLIBC__ /* elsewhere exit() in a task runs the program's handlers */
    (void)on_exit(end_worker, NULL);
    (void)at_quick_exit((void (*)(void))end_worker_quickly);
#endif
}
