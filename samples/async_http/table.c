/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "../common/duration.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES = 4, COLUMNS = 80 };

static const int64_t redraw_ns = 100000000;

void
table_init(table *t, size_t total)
{
    *t = (table){.total = total};
    t->enabled = isatty(STDERR_FILENO) != 0;
    t->shares_screen = isatty(STDOUT_FILENO) != 0;
    t->drawn_ns = now_ns();
}

/* A line that wrapped would put the next table in the wrong place. */
static int
columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0)
        return COLUMNS;
    return size.ws_col;
}

static void
measure(table *t, const fetch_common *common)
{
    int64_t now = now_ns();
    uint64_t bytes = atomic_load(&common->bytes);
    double seconds = (double)(now - t->drawn_ns) / 1e9;
    t->rate = (double)(bytes - t->drawn_bytes) / seconds;
    t->drawn_bytes = bytes;
    t->drawn_ns = now;
}

void
table_draw(table *t, const report *r, const fetch_common *common)
{
    char line[LINES][256], rate[16];
    if (!t->enabled || now_ns() - t->drawn_ns < redraw_ns)
        return;
    measure(t, common);
    snprintf(line[0],
             sizeof line[0],
             "done     %zu of %zu, %d under way",
             r->done,
             t->total,
             atomic_load(&common->running));
    snprintf(line[1], sizeof line[1], "failed   %zu", r->failed);
    snprintf(
        line[2], sizeof line[2], "speed    %s/s", report_bytes(t->rate, rate));
    snprintf(line[3],
             sizeof line[3],
             "slowest  %.1f ms %s",
             (double)r->slowest_ns / 1e6,
             r->slowest ? r->slowest : "");
    table_fini(t);
    int most = columns() - 1;
    for (int i = 0; i < LINES; i++)
        fprintf(stderr, "%.*s\n", most, line[i]);
    fflush(stderr);
    t->visible = true;
}

void
table_make_room(table *t)
{
    if (t->shares_screen)
        table_fini(t); /* table_draw() brings it back in its time */
}

void
table_fini(table *t)
{
    if (t->visible)
        fprintf(stderr, "\033[%dA\033[J", LINES); /* up, and clear below */
    t->visible = false;
}
