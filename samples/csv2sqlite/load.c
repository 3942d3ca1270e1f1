/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "reader.h"

#include "../common/ctrl_c.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { AHEAD = 3 }; /* pieces for each worker */

struct work {
    const struct load *load;
    struct reader reader;
    cf_as_completed *it;      /* pieces that are being parsed */
    const char *why;          /* the table is lost. NULL: it is not */
    cf_err err;               /* the file has ended: CF_EDONE, or an error */
    size_t submitted, stored; /* pieces */
};

static cf_err
submit_piece(struct work *work)
{
    struct piece *piece = work->reader.piece;
    cf_future *f;
    piece->columns = work->load->table->columns;
    cf_err err = cf_submit(
        work->load->ex, parse_piece, piece, sizeof *piece + piece->size, &f);
    if (err)
        return err;
    work->submitted++;
    err = cf_as_completed_add(work->it, f);
    cf_future_unref(f); /* the iterator has a handle */
    return err;
}

/* Waits for one that is parsed, and writes its rows. */
static cf_err
store_piece(struct work *work)
{
    const struct load *load = work->load;
    cf_future *f;
    cf_bytes values;
    cf_err err = ctrl_c_or_next(load->ctrl_c, work->it, &f);
    if (err)
        return err;
    work->stored++;
    err = cf_future_result(f, 0, &values);
    if (err) {
        report_error(load->report, work->reader.path, cf_future_message(f));
        work->why = "a part of the file is lost";
    } else if (!table_insert(
                   load->table, values, work->reader.path, load->report)) {
        work->why = table_error(load->table);
    }
    return work->why ? CF_ETASK : CF_OK;
}

/* CF_OK: all that could be read is stored. */
static cf_err
read_and_store(struct work *work)
{
    const size_t most = AHEAD * (size_t)cf_executor_max_workers(work->load->ex);
    cf_err err = CF_OK;
    while (!err && (!work->err || work->stored < work->submitted)) {
        if (work->err || work->submitted - work->stored == most) {
            err = store_piece(work);
        } else {
            work->err = reader_next(&work->reader);
            if (work->err == CF_EINTERRUPTED)
                return CF_EINTERRUPTED;
            if (work->err == CF_ESYS)
                report_error(
                    work->load->report, work->reader.path, strerror(errno));
            if (!work->err)
                err = submit_piece(work);
        }
        report_progress(work->load->report,
                        work->reader.path,
                        work->reader.done,
                        work->reader.file_size);
    }
    return err;
}

/* false: the file is left out, or *err says that Ctrl-C has come. */
static bool
read_header(struct work *work, cf_err *err)
{
    struct reader *reader = &work->reader;
    const char *why = NULL;
    *err = reader_first_row(reader);
    if (*err == CF_EINTERRUPTED)
        return false;
    if (*err == CF_ETOOBIG) {
        *err = CF_OK;
        return false;
    }
    if (*err)
        why = *err == CF_EDONE ? "has no header" : strerror(errno);
    else
        why = table_header(
            work->load->table, reader->piece->text, reader->piece->size);
    *err = CF_OK;
    if (why)
        report_error(work->load->report, reader->path, why);
    return !why;
}

bool
load_file(const struct load *load, const char *path, bool *stopped)
{
    struct work work = {
        .load = load,
        .reader = {.ctrl_c = load->ctrl_c, .report = load->report}};
    cf_err err;
    if (!reader_open(&work.reader, path))
        return true;
    if (read_header(&work, &err)) {
        err = cf_as_completed_create(NULL, 0, &work.it);
        if (!err)
            err = read_and_store(&work);
        cf_as_completed_destroy(work.it);
    }
    report_clear(load->report);
    *stopped = err == CF_EINTERRUPTED;
    const char *why = work.why ? work.why : cf_strerror(err);
    if (err && !*stopped)
        report_error(load->report, work.reader.path, why);
    if (err) /* what runs is told to stop */
        (void)cf_executor_terminate(load->ex, SIGTERM);
    reader_close(&work.reader);
    return !err;
}
