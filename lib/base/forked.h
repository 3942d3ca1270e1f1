/* SPDX-License-Identifier: MIT */
/*
 * What the library does around a fork. README.md, "Fork", has the protocol.
 *
 * A child notices that it is one at the first call for which that matters. It
 * cannot leave this to the library's fork handler: fork handlers of the program
 * may call the library before that handler has run.
 */
#ifndef CF_LIB_BASE_FORKED_H
#define CF_LIB_BASE_FORKED_H

#include "lib/base/atomic.h"
#include "lib/base/export.h"
#include "lib/base/generation.h"

#include <stdbool.h>
#include <stdint.h>

/* Points to 1. In a child that has not noticed yet it points to 0, if the
 * kernel can clear a page in a child (MADV_WIPEONFORK). */
CF__EXPORT extern _Atomic(_Atomic uint32_t *) cf__fork_alive;

/* How many threads are between the library's handler before a fork and its
 * handler after it. */
CF__EXPORT extern _Atomic uint32_t cf__forks;

/* What a part of the library does around a fork. Each step may be NULL. */
struct cf__fork_steps {
    void (*before)(void); /* in the thread that forks */
    void (*after)(void);  /* in parent and child */
    /* In the child, when it notices; before everything else that the part does
     * there. Async-signal-safe. */
    void (*in_child)(void);
};

/* The parts, in the order of their steps in the child. */
enum cf__fork_part {
    CF__FORK_BLOCKS,
    CF__FORK_WAIT_GRAPH,
    CF__FORK_DEFERRED,
    CF__FORK_EXECUTORS,
    CF__FORK_PARTS
};

/* Adds the steps of a part. A constructor calls it, once for each part, so it
 * comes before any fork that matters. */
void cf__fork_add(enum cf__fork_part part, const struct cf__fork_steps *steps);

/* Defines a part's steps, and the constructor that adds them. */
#define CF__FORK_STEPS(part, ...)                                              \
    __attribute__((constructor(101))) static void add_fork_steps(void)         \
    {                                                                          \
        static const struct cf__fork_steps steps = {__VA_ARGS__};              \
        cf__fork_add(part, &steps);                                            \
    }                                                                          \
    _Static_assert((part) < CF__FORK_PARTS, "a part of the library")

/* Sets the fork handlers and maps the page, if that has not been done. false:
 * no memory; the next call tries again. */
bool cf__fork_set_hooks(void);

/* Finds out which process this is; in a child it notices. */
CF__EXPORT void cf__fork_look(void);

/* Comes first in two kinds of calls: a child must not go on with the call, or
 * the call takes a lock that another thread of the parent may have held. */
static inline void
cf__notice_fork(void)
{
    /* The pointer pairs with map_page. What it points to is 1 again when the
     * child's one thread has stored 1 itself. */
    if (__builtin_expect(cf_load_relaxed(&cf__forks) != 0 ||
                             !cf_load_relaxed(cf_load_acquire(&cf__fork_alive)),
                         0))
        cf__fork_look();
}

/* The generation of this process. A child notices first. */
static inline uint16_t
cf__generation_now(void)
{
    cf__notice_fork();
    return cf__generation;
}

#endif
