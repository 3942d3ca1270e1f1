/* SPDX-License-Identifier: MIT */
/* Two threads that do something at once, again and again: two_sides.c. */
#ifndef CF_TESTS_UNIT_TWO_SIDES_H
#define CF_TESTS_UNIT_TWO_SIDES_H

#include <stdbool.h>
#include <stdint.h>

/* A round: begin() and then, at once in two threads, left() and right(). All
 * but right() is in the thread that calls race_run(). */
struct race {
    const char *name;
    void (*begin)(void);
    void (*left)(void), (*right)(void);
    bool (*is_right)(void); /* called after both; false: the race was lost */
};

/* Runs rounds for so long, and prints how many were lost. Returns that. */
unsigned race_run(const struct race *race, int64_t duration_ns);

#endif
