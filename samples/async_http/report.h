/* SPDX-License-Identifier: MIT */
/*
 * What has come of the pages: a line for each, and a summary.
 */
#ifndef ASYNC_HTTP_REPORT_H
#define ASYNC_HTTP_REPORT_H

#include "fetch.h"

typedef struct report {
    size_t done; /* good or not */
    size_t failed;
    uint64_t bytes;
    int64_t begin_ns;
    int64_t *durations_ns; /* of the good ones */
    size_t good;
    int64_t slowest_ns;
    const char *slowest; /* NULL: none yet */
} report;

/* For so many pages; false: no memory. */
bool report_init(report *r, size_t pages);

/* Prints its line to standard output. result NULL: the task failed, why says
 * so. */
void report_page(report *r,
                 const char *url,
                 const fetch_result *result,
                 const char *why);

/* Prints the summary to standard error. */
void report_summary(report *r);

void report_fini(report *r);

/* "12.3 MB", of at most 15 characters. */
const char *report_bytes(double bytes, char text[16]);

#endif
