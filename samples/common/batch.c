/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include "ctrl_c.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { DRAWINGS = 1000 }; /* of the progress, about */

void
batch_clear(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void
show_progress(const struct batch *batch, size_t done)
{
    if (done % (batch->count / DRAWINGS + 1) != 0 || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr,
            "\r\033[K%3zu%%  %zu/%zu %s",
            100 * done / batch->count,
            done,
            batch->count,
            batch->unit);
    (void)fflush(stderr);
}

static cf_err
submit_next(const struct batch *batch, size_t index, cf_as_completed *it)
{
    cf_future *f;
    cf_err err = batch->submit(batch->data, index, &f);
    if (err)
        return err;
    err = cf_as_completed_add(it, f);
    cf_future_unref(f); /* the iterator has a handle */
    return err;
}

static cf_err
take_next(const struct batch *batch, cf_as_completed *it)
{
    cf_future *f;
    cf_err err = ctrl_c_or_next(batch->ctrl_c, it, &f);
    return err ? err : batch->take(batch->data, f);
}

cf_err
batch_run(const struct batch *batch)
{
    const size_t most =
        batch->ahead * (size_t)cf_executor_max_workers(batch->ex);
    size_t submitted = 0, done = 0;
    bool is_full = false;
    cf_as_completed *it = NULL;
    cf_err err = cf_as_completed_create(NULL, 0, &it);
    while (!err && done < batch->count) {
        if (submitted < batch->count && submitted - done < most && !is_full) {
            err = submit_next(batch, submitted, it);
            is_full = err == CF_EAGAIN && submitted > done;
            if (is_full)
                err = CF_OK;
            else
                submitted++;
        } else {
            show_progress(batch, done);
            err = take_next(batch, it);
            done++;
            is_full = false;
        }
    }
    batch_clear();
    cf_as_completed_destroy(it);
    if (err) /* what runs is told to stop */
        (void)cf_executor_terminate(batch->ex, SIGTERM);
    return err;
}

void
batch_complain(const char *program, const char *path, const char *why)
{
    batch_clear();
    fprintf(stderr, "%s: %s: %s\n", program, path, why);
}
