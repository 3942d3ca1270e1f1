/* SPDX-License-Identifier: MIT */
/*
 * The manager's bell: a word in shared memory that the manager sleeps on, and
 * that each process of the pool can ring. There is no descriptor for it, so no
 * task can close one, or put a file of its own in its place.
 *
 * The word is a robust futex of the zygote: the zygote's thread id is in it.
 * When that thread ends, in whatever way, the kernel takes the id out and wakes
 * the manager. A second such word, the pulse, which no worker can write, says
 * for certain that the zygote has ended.
 */
#ifndef CF_PROCESS_POOL_BELL_H
#define CF_PROCESS_POOL_BELL_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

struct cf__bell {
    /* Atomic. The zygote's thread id, FUTEX_WAITERS, and FUTEX_OWNER_DIED when
     * it has been rung. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t word;
};

/* Whether the zygote lives. */
struct cf__pulse {
    void *next; /* the kernel's: a link of the robust list */
    /* Atomic. The zygote's thread id, or FUTEX_OWNER_DIED; at first 0. */
    _Atomic uint32_t word;
    /* Atomic. Not 0: the kernel looks after both words. */
    _Atomic uint32_t kept;
};

/* Makes the calling thread, which is the zygote's, the owner of both words.
 * Async-signal-safe; once in a process. */
void cf__bell_own(struct cf__bell *bell, struct cf__pulse *pulse);

/* In that thread: says that it ends, as the kernel would. */
void cf__bell_disown(struct cf__bell *bell, struct cf__pulse *pulse);

/* Wakes the manager, or keeps it from falling asleep. The manager sees what was
 * done before, once it answers. Async-signal-safe. */
void cf__bell_ring(struct cf__bell *bell);

/* In the manager, before it looks at what there is to do. */
void cf__bell_answer(struct cf__bell *bell, const struct cf__pulse *pulse);

/* In the manager: sleeps until the bell is rung after the last answer, or the
 * zygote ends, or until deadline_ns. */
void cf__bell_await(struct cf__bell *bell,
                    const struct cf__pulse *pulse,
                    int64_t deadline_ns);

/* The zygote has ended. false may also mean that the kernel does not tell: see
 * kept. */
bool cf__pulse_stopped(const struct cf__pulse *pulse);

#endif
