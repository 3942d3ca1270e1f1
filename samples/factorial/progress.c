/* SPDX-License-Identifier: MIT */
/*
 * Draws the bar. Numbers differ in cost by a factor of a million, so the share
 * that is done, and from it the remaining time, are those of the estimated
 * work; the rate is that of the numbers.
 */
#include "progress.h"

#include "clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };

static const uint64_t redraw_ns = 100 * UINT64_C(1000000);
static const uint64_t second_ns = UINT64_C(1000000000);

/* Grows as the cost of binary splitting with fast multiplication does: n
 * times the square of the number of bits in n. The constant is the rest. */
static double
cost(uint32_t n)
{
    double bits = 0;
    for (uint32_t rest = n; rest > 0; rest >>= 1)
        bits++;
    return 1000.0 + n * bits * bits;
}

void
progress_init(progress *p, const input *in)
{
    *p = (progress){.total = in->numbers};
    p->enabled = isatty(STDERR_FILENO) != 0;
    p->shares_screen = isatty(STDOUT_FILENO) != 0;
    p->started_ns = clock_ns(CLOCK_MONOTONIC);
    input_cursor at = {0};
    uint32_t n;
    while (p->enabled && input_next(in, &at, &n))
        p->work_total += cost(n);
}

void
progress_advance(progress *p, uint32_t n)
{
    p->done++;
    p->work_done += cost(n);
}

static void
print_remaining(const progress *p, double seconds)
{
    if (p->work_done <= 0 || seconds < 0.5) {
        fputs("--:--", stderr); /* too early to tell */
        return;
    }
    double left = seconds * (p->work_total - p->work_done) / p->work_done;
    uint64_t whole = left > 0 ? (uint64_t)(left + 0.5) : 0;
    fprintf(stderr,
            "%llu:%02llu",
            (unsigned long long)(whole / 60),
            (unsigned long long)(whole % 60));
}

void
progress_draw(progress *p)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    if (!p->enabled || now - p->drawn_ns < redraw_ns)
        return;
    double seconds = (double)(now - p->started_ns) / (double)second_ns;
    double share = p->work_total > 0 ? p->work_done / p->work_total : 1;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '-';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr,
            "\r\033[K[%s] %3d%%  %llu/%llu  %.0f/s  ",
            bar,
            (int)(share * 100),
            (unsigned long long)p->done,
            (unsigned long long)p->total,
            seconds > 0 ? (double)p->done / seconds : 0);
    print_remaining(p, seconds);
    fputs(" left", stderr);
    fflush(stderr);
    p->drawn_ns = now;
    p->visible = true;
}

void
progress_make_room(progress *p)
{
    if (p->shares_screen)
        progress_fini(p); /* progress_draw() brings it back in its time */
}

void
progress_fini(progress *p)
{
    if (p->visible)
        fputs("\r\033[K", stderr);
    p->visible = false;
}
