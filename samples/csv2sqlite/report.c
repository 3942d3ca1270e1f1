/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "../common/duration.h"

#include <inttypes.h>
#include <stdio.h>

static const int64_t every_ns = 100000000;

void
report_clear(const struct report *report)
{
    if (report->progress)
        fputs("\r\033[K", stderr);
}

void
report_error(struct report *report, const char *path, const char *why)
{
    report_clear(report);
    fprintf(stderr, "csv2sqlite: %s: %s\n", path, why);
    report->errors++;
}

void
report_bad_row(struct report *report,
               const char *path,
               uint64_t line,
               const char *why)
{
    report_clear(report);
    fprintf(stderr, "%s:%" PRIu64 ": %s\n", path, line, why);
    report->bad_rows++;
}

void
report_progress(struct report *report, const char *path, off_t done, off_t size)
{
    if (!report->progress || now_ns() - report->shown_ns < every_ns)
        return;
    report->shown_ns = now_ns();
    report_clear(report);
    fprintf(stderr, "%s: %" PRIu64 " rows, ", path, report->rows);
    if (size)
        fprintf(stderr, "%.0f%%", 100.0 * (double)done / (double)size);
    else
        fprintf(stderr, "%.1f MB", (double)done / 1e6);
    (void)fflush(stderr);
}
