/* SPDX-License-Identifier: MIT */
/*
 * What an event, a semaphore and a channel have in common: a lock, lines of
 * those that wait, and memory that stays until the last call is through.
 * README.md has the protocol.
 */
#ifndef CF_LIB_SYNC_LINE_H
#define CF_LIB_SYNC_LINE_H

#include <cfutures/error.h>

#include "lib/base/lock.h"
#include "lib/executor/sleeper.h"

/* Links go in a circle: the line itself is one of them. */
struct cf__link {
    struct cf__link *next, *prev;
};

struct cf__line {
    struct cf__link ends; /* next: the first of the line; prev: the last */
};

/* One that waits. It is on the stack of that thread or task. */
struct cf__in_line {
    struct cf__link link; /* must be first */
    struct cf__sleeper sleeper;
    cf_err answer; /* what the wait returns, once it has been woken */
    void *item;    /* a channel's: to be sent, or to be filled */
};

enum { CF__LINES = 2 };

/* Begins an event, a semaphore or a channel. */
struct cf__meeting {
    /* Atomic. Calls that are under way, and one more until it is destroyed.
     * Whoever makes it 0 frees the memory. */
    _Atomic uint32_t users;
    struct cf__lock lock;
    /* Guarded by lock. */
    uint16_t generation; /* of the process whose threads are in the lines */
    struct cf__line lines[CF__LINES];
};

/* size bytes of zeroed memory that begin with a meeting: free() does for it.
 * NULL: there is no memory. */
void *cf__meeting_new(size_t size);

/* A call begins: counts it, and takes the lock. The first call in a fork's
 * child forgets those in the lines, which are on stacks of the parent. */
void cf__meeting_enter(struct cf__meeting *meeting);

/* The call ends. meeting may be gone then. */
void cf__meeting_leave(struct cf__meeting *meeting);

/* Gives up the owner's part of the meeting. waited_for: the sentence that ends
 * the program if someone is in a line. */
void cf__meeting_destroy(struct cf__meeting *meeting, const char *waited_for);

/*
 * Joins a line of the meeting and waits until it is woken, which takes it out
 * of the line: returns the answer. Or leaves the line for another reason, which
 * it returns: CF_ETIMEDOUT, CF_EINTERRUPTED, CF_EFORKED. Gives up the lock
 * meanwhile. self->item is set.
 */
cf_err cf__line_wait(struct cf__meeting *meeting,
                     struct cf__line *line,
                     struct cf__in_line *self,
                     int64_t deadline_ns);

/* Takes one out of its line and wakes it. The caller holds the lock. */
void cf__line_wake(struct cf__in_line *waiting, cf_err answer);

/* Does so with all that are in the line now, and gives up the lock now and
 * then. Those who join the line meanwhile stay in it. */
void cf__line_wake_all(struct cf__meeting *meeting,
                       struct cf__line *line,
                       cf_err answer);

/* Lets other calls have the lock, if they wait for it. */
void cf__meeting_give_way(struct cf__meeting *meeting);

/* The first of a line, or NULL. The caller holds the lock. */
static inline struct cf__in_line *
cf__line_first(struct cf__line *line)
{
    return line->ends.next == &line->ends
               ? NULL
               : (struct cf__in_line *)line->ends.next;
}

#endif
