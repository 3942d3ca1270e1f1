/* SPDX-License-Identifier: MIT */
/*
 * A write to a peer that is gone raises SIGPIPE, which ends a program, and
 * libuv's writes do not forbid it. So the loop's thread blocks it while it runs
 * the loop; one that has come meanwhile is dropped.
 */
#ifndef CF_EVENT_LOOP_SIGPIPE_H
#define CF_EVENT_LOOP_SIGPIPE_H

#include <stdbool.h>

struct cf__sigpipe {
    bool blocked; /* by cf__sigpipe_block(), and it was not before */
};

void cf__sigpipe_block(struct cf__sigpipe *sigpipe);

/* In the same thread, or in its fork's child. */
void cf__sigpipe_restore(struct cf__sigpipe *sigpipe);

#endif
