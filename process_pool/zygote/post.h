/* SPDX-License-Identifier: MIT */
/*
 * What passes between the program and the zygote: requests one way, reports the
 * other. Each has a place of its own, in memory that both share and no worker
 * has. A lane never has more than one of each kind under way:
 *
 *   spawn   asked for when the lane has no worker. The one report answers it:
 *           that worker has ended, or none could be forked
 *   kill    not asked for before the last one has been read
 *
 * The zygote sleeps on the word `wake`, which changes with everything that it
 * must look at; the manager sleeps on its bell (bell.h).
 */
#ifndef CF_PROCESS_POOL_POST_H
#define CF_PROCESS_POOL_POST_H

#include "lib/base/futex.h"
#include "lib/base/pages.h"
#include "process_pool/memory/bell.h"

#include <limits.h>
#include <sys/types.h>

/* The zygote's first words: cf__post.said. */
enum { CF__SAID_NOTHING, CF__SAID_READY, CF__SAID_FAILED };

/* Every field is atomic, and relaxed unless it publishes others. */
struct cf__post_lane {
    /* Written by the program. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t spawns; /* publishes start */
    _Atomic uint64_t start; /* the position at which the new worker begins */
    /* For the worker of spawn n, as kill number k: n << 32 | k << 8 |
     * signal. */
    _Atomic uint64_t kill;

    /* Written by the zygote. */
    _Atomic uint64_t killed; /* the last kill that it has read */

    /* The report. The zygote sets full, which publishes the rest; the program
     * clears it. */
    _Atomic uint32_t full;
    _Atomic int32_t news, pid, status;
    _Atomic uint64_t began;

    /* Written by the zygote: the CPU time of the lane's workers that have been
     * reaped. */
    _Atomic uint64_t cpu_ns;
};

struct cf__post {
    struct cf__pulse pulse; /* of the zygote */
    /* Atomic. The zygote sleeps on it. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t wake;
    /* Atomic. Not 0: the program wants the zygote to end. */
    _Atomic uint32_t stop;
    /* Atomic. Not 0: the program has ended, says the watching thread. */
    _Atomic uint32_t gone;
    /* Atomic. How often the watching thread has found the lifeline cut. */
    _Atomic uint32_t cuts;
    /* Atomic. The zygote's first words; publishes the two after it. */
    _Atomic uint32_t said;
    _Atomic int32_t zygote;  /* process id */
    _Atomic int32_t error;   /* an errno, if it has failed */
    _Atomic int32_t program; /* process id */
    _Atomic int32_t manager; /* thread id; main()'s until there is one */
    /* Atomic. How many reports there have been; counted after each. */
    _Atomic uint32_t reports;
    struct cf__post_lane lanes[];
};

/* Bytes, in whole pages, for a post of so many lanes. */
static inline size_t
cf__post_size(int lanes)
{
    return cf__whole_pages(sizeof(struct cf__post) +
                           (size_t)lanes * sizeof(struct cf__post_lane));
}

/* Wakes the zygote, which then sees what was done before. Async-signal-safe. */
static inline void
cf__post_wake(struct cf__post *post)
{
    /* pairs with loop in zygote_main.c, which loads it before it looks */
    cf_fetch_add_seq_cst(&post->wake, 1);
    cf__futex_wake_shared(&post->wake, INT_MAX);
}

#endif
