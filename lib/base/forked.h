/* SPDX-License-Identifier: MIT */
/*
 * Being a fork's child. lib/README.md, "Fork", has the protocol.
 *
 * The child notices by itself that it is one, at the first call in which that
 * matters, because fork handlers of the program may call the library before
 * the library's own handler has run.
 */
#ifndef CF_LIB_FORKED_H
#define CF_LIB_FORKED_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* Points to 1; in a fork's child that has not noticed yet, to 0, if the kernel
 * can do that (MADV_WIPEONFORK). */
extern _Atomic(_Atomic uint32_t *) cf__fork_alive;

/* Threads between the library's handler before a fork and the one after it. */
extern _Atomic uint32_t cf__forks;

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

#endif
