/* SPDX-License-Identifier: MIT */
/*
 * Many tasks of one kind, some for each worker at a time: so results do not
 * pile up, and on the inline executor there is progress, too. Ctrl-C stops
 * them; a terminal shows how many are done.
 */
#ifndef COMMON_BATCH_H
#define COMMON_BATCH_H

#include <cfutures/cfutures.h>

struct batch {
    cf_executor *ex;
    int ctrl_c;
    const char *unit; /* what a task does, as in "files" */
    size_t count;     /* tasks */
    size_t ahead;     /* tasks under way for each worker */
    /* Submits a task; *out is the batch's. CF_EAGAIN: not before another one
     * is done. */
    cf_err (*submit)(void *data, size_t index, cf_future **out);
    /* Uses what is done, in the order of the ends. An error ends the batch. */
    cf_err (*take)(void *data, cf_future *f);
    void *data; /* for both */
};

/* CF_OK: all are done. CF_EINTERRUPTED: Ctrl-C. After that and any other error,
 * what runs has been told to stop, and the executor takes no more. */
cf_err batch_run(const struct batch *batch);

/* Takes away the progress that a terminal shows. */
void batch_clear(void);

/* A line on standard error, without the progress that a terminal shows. */
void batch_complain(const char *program, const char *path, const char *why);

#endif
