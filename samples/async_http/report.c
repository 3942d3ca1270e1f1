/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "../common/duration.h"

#include <stdio.h>
#include <stdlib.h>

static double
ms(int64_t ns)
{
    return (double)ns / 1e6;
}

const char *
report_bytes(double bytes, char text[16])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, 16, "%.*f %s", unit > 0, bytes, units[unit]);
    return text;
}

bool
report_init(report *r, size_t pages)
{
    *r = (report){.begin_ns = now_ns()};
    r->durations_ns = calloc(pages ? pages : 1, sizeof *r->durations_ns);
    return r->durations_ns != NULL;
}

void
report_page(report *r,
            const char *url,
            const fetch_result *result,
            const char *why)
{
    r->done++;
    if (!result) {
        r->failed++;
        printf("%s: failed: %s\n", url, why);
        return;
    }
    const struct transfer *transfer = &result->transfer;
    char text[TRANSFER_WHY];
    r->bytes += result->bytes;
    if (transfer_is_good(transfer)) {
        r->durations_ns[r->good++] = transfer->duration_ns;
        printf("%s: %ld, %llu bytes",
               url,
               transfer->status,
               (unsigned long long)result->bytes);
    } else {
        r->failed++;
        printf("%s: failed: %s", url, transfer_why(transfer, text));
    }
    printf(", %.1f ms", ms(transfer->duration_ns));
    if (transfer->tries > 1)
        printf(", %d tries", transfer->tries);
    putchar('\n');
    if (transfer->duration_ns > r->slowest_ns) {
        r->slowest_ns = transfer->duration_ns;
        r->slowest = url;
    }
}

static int
compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The least of which so many percent are not above it. */
static double
percentile(const report *r, size_t percent)
{
    return ms(r->durations_ns[(r->good * percent + 99) / 100 - 1]);
}

void
report_summary(report *r)
{
    char bytes[16], rate[16];
    double seconds = (double)(now_ns() - r->begin_ns) / 1e9;
    double per_second = seconds > 0 ? (double)r->bytes / seconds : 0;
    fprintf(stderr,
            "pages      %zu\nfailed     %zu\ndata       %s, %s/s\n"
            "wall time  %.3f s\n",
            r->done,
            r->failed,
            report_bytes((double)r->bytes, bytes),
            report_bytes(per_second, rate),
            seconds);
    if (r->good) {
        qsort(r->durations_ns, r->good, sizeof *r->durations_ns, compare);
        fprintf(stderr,
                "good ones  p50 %.1f ms, p99 %.1f ms\n",
                percentile(r, 50),
                percentile(r, 99));
    }
    if (r->slowest)
        fprintf(
            stderr, "slowest    %.1f ms, %s\n", ms(r->slowest_ns), r->slowest);
}

void
report_fini(report *r)
{
    free(r->durations_ns);
}
