/* SPDX-License-Identifier: MIT */
/* What goes to standard error: what is bad, and how far it is. */
#ifndef CSV2SQLITE_REPORT_H
#define CSV2SQLITE_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct report {
    uint64_t rows, bad_rows, errors;
    bool progress;    /* standard error is a terminal */
    int64_t shown_ns; /* when progress was */
};

/* A file is left out, or what is in it is not stored. */
void report_error(struct report *report, const char *path, const char *why);

void report_bad_row(struct report *report,
                    const char *path,
                    uint64_t line,
                    const char *why);

/* done bytes of size have been read, or of a size that is not known (0). At
 * most ten times a second. */
void report_progress(struct report *report,
                     const char *path,
                     off_t done,
                     off_t size);

/* Takes it away. */
void report_clear(const struct report *report);

#endif
