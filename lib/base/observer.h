/* SPDX-License-Identifier: MIT */
/*
 * Observers: tools that look at the program while it runs. A program that is
 * built with ThreadSanitizer or AddressSanitizer has their functions, which
 * this library finds although it is built without them; and the user can ask
 * for CF_DEBUG. ../future/README.md, "Observers", says what is done for them.
 */
#ifndef CF_LIB_BASE_OBSERVER_H
#define CF_LIB_BASE_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    /* The tool sees the program's accesses to memory, and not how this library
     * orders them. */
    CF__OBSERVES_ORDER = 1 << 0,
    /* The tool can be told which memory is not to be used. */
    CF__OBSERVES_MEMORY = 1 << 1,
    /* CF_DEBUG is set: futures are counted, their memory rests, and CF_EINVAL
     * has a reason. */
    CF__OBSERVES_USE = 1 << 2,
    /* ... to abort: a call that returns CF_EINVAL ends the program. */
    CF__OBSERVES_STRICTLY = 1 << 3
};

/* Which there are: set when the library is loaded, and 0 as a rule. */
extern int cf__observers;

/* Parts of the next two. */
void cf__observer_tell_release(const void *at);
void cf__observer_tell_acquire(const void *at);

/* What this thread has done so far comes before what a thread does after its
 * cf__observer_acquire() at the same address. For CF__OBSERVES_ORDER only: the
 * atomic operations beside these calls are what really orders. */
static inline void
cf__observer_release(const void *at)
{
    if (__builtin_expect(cf__observers & CF__OBSERVES_ORDER, 0))
        cf__observer_tell_release(at);
}

static inline void
cf__observer_acquire(const void *at)
{
    if (__builtin_expect(cf__observers & CF__OBSERVES_ORDER, 0))
        cf__observer_tell_acquire(at);
}

/* For CF__OBSERVES_MEMORY: the program may not use the memory, or may again. */
void cf__observer_forbid(const void *memory, size_t size);
void cf__observer_allow(const void *memory, size_t size);

#endif
