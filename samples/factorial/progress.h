/* SPDX-License-Identifier: MIT */
/*
 * The progress bar on standard error, if that is a terminal; otherwise these
 * functions only count.
 */
#ifndef FACTORIAL_PROGRESS_H
#define FACTORIAL_PROGRESS_H

#include "input.h"

typedef struct progress {
    bool enabled;
    bool visible;       /* there is a bar in the terminal's last line */
    bool shares_screen; /* standard output is a terminal as well */
    uint64_t done;
    uint64_t total;
    double work_done; /* in the unit of estimated cost */
    double work_total;
    uint64_t started_ns;
    uint64_t drawn_ns;
} progress;

void progress_init(progress *p, const input *in);

/* Counts one number as done. */
void progress_advance(progress *p, uint32_t n);

/* Draws the bar, at most ten times a second. */
void progress_draw(progress *p);

/* Call before printing: gives up the line if output goes to it as well. */
void progress_make_room(progress *p);

/* Takes the bar away. */
void progress_fini(progress *p);

#endif
