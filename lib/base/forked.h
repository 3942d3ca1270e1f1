/* SPDX-License-Identifier: MIT */
/*
 * Being a fork's child. README.md, "Fork", has the protocol.
 *
 * The child notices by itself that it is one, at the first call in which that
 * matters, because fork handlers of the program may call the library before
 * the library's own handler has run.
 */
#ifndef CF_LIB_BASE_FORKED_H
#define CF_LIB_BASE_FORKED_H

#include "lib/base/atomic.h"
#include "lib/base/generation.h"

#include <stdbool.h>
#include <stdint.h>

/* Points to 1; in a fork's child that has not noticed yet, to 0, if the kernel
 * can do that (MADV_WIPEONFORK). */
extern _Atomic(_Atomic uint32_t *) cf__fork_alive;

/* Threads between the library's handler before a fork and the one after it. */
extern _Atomic uint32_t cf__forks;

/* What a part of the library does around a fork; any may be NULL. */
struct cf__fork_steps {
    void (*before)(void); /* in the thread that forks */
    void (*after)(void);  /* in parent and child */
    /* In the child, when it notices that it is one; before everything else
     * there. Async-signal-safe. */
    void (*in_child)(void);
};

/* The parts, in the order of their steps in the child. */
enum cf__fork_part {
    CF__FORK_BLOCKS,
    CF__FORK_WAIT_GRAPH,
    CF__FORK_EXECUTORS,
    CF__FORK_PARTS
};

/* Called once for each part, by a constructor: so it comes before any fork that
 * matters. */
void cf__fork_add(enum cf__fork_part part, const struct cf__fork_steps *steps);

/* Defines a part's steps, and the constructor that adds them. */
#define CF__FORK_STEPS(part, ...)                                              \
    __attribute__((constructor(101))) static void add_fork_steps(void)         \
    {                                                                          \
        static const struct cf__fork_steps steps = {__VA_ARGS__};              \
        cf__fork_add(part, &steps);                                            \
    }                                                                          \
    _Static_assert((part) < CF__FORK_PARTS, "a part of the library")

/* Sets the hooks, if that has not been done. false: no memory; to be tried
 * again. */
bool cf__fork_set_hooks(void);

/* Looks which process this is. */
void cf__fork_look(void);

/* Comes first in every call that a fork's child may not go on with, or that
 * takes a lock which another thread of its parent may have held. */
static inline void
cf__notice_fork(void)
{
    /* pairs with map_page; the child has one thread, which wrote the one
     * itself */
    if (__builtin_expect(cf_load_relaxed(&cf__forks) != 0 ||
                             !cf_load_relaxed(cf_load_acquire(&cf__fork_alive)),
                         0))
        cf__fork_look();
}

/* That of this process, of which it may be the first call. */
static inline uint16_t
cf__generation_now(void)
{
    cf__notice_fork();
    return cf__generation;
}

#endif
