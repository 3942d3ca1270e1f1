/* SPDX-License-Identifier: MIT */
/*
 * A thread that kills worker processes of one pool, again and again, and keeps
 * the books.
 */
#ifndef CF_TESTS_STRESS_HUNTER_H
#define CF_TESTS_STRESS_HUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct hunter {
    char prefix[16];  /* the pool's name: it kills no other processes */
    atomic_int *pids; /* that it may kill; changed by others */
    unsigned count;
    /* By pid: in which round it was killed, and in which it was blamed. */
    atomic_uint *killed, *blamed;
    atomic_uint round;
    atomic_bool hunting, over;
    unsigned kills;
};

/* Begins, but does not hunt yet. */
struct hunter *hunter_start(atomic_int *pids, unsigned count);

void hunter_set(struct hunter *h, bool hunting);

void hunter_begin_round(struct hunter *h);

/* In this round, or in the one before. */
bool hunter_has_killed(const struct hunter *h, pid_t pid);

/* In this round, already; now it is. */
bool hunter_was_blamed(struct hunter *h, pid_t pid);

/* Ends, and says how many it has killed. */
unsigned hunter_stop(struct hunter *h);

#endif
