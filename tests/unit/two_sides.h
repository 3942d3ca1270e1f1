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
    /* right NULL: the right side is a thread of the program's own, which calls
     * race_await_turn(). */
    void (*left)(void), (*right)(void);
    bool (*is_right)(void); /* called after both; false: the race was lost */
};

/* Runs rounds for so long, and prints how many were lost. Returns that. */
unsigned race_run(const struct race *race, int64_t duration_ns);

/* The same; but left() lets the right side go when it has come so far: it calls
 * race_start(), once in each round. */
unsigned race_run_late(const struct race *race, int64_t duration_ns);
void race_start(void);

/* What main() returns: 1 if rounds were lost; 77, skipped, if the sides never
 * met in any race, as on one processor. */
int race_status(unsigned lost);

/* In left(), or in right(): waits until the other side has ended. */
void race_await_right(void);
void race_await_left(void);

/* The stores that this thread makes next are seen late, unless a fence or an
 * operation that is one comes first. A side begins so. A test may call it
 * again, after a lock. */
void race_delay_stores(void);

/* In the thread that is the right side of races without right(): its turn is
 * over. Waits for the next one. */
void race_await_turn(void);

#endif
