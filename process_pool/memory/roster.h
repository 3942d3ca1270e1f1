/* SPDX-License-Identifier: MIT */
/*
 * Which processes are a pool's workers: the zygote writes it, as only it can
 * know. When the zygote has died, the program reads it, and kills the workers
 * that have not died with the zygote: a task that changes its user takes its
 * process's death signal away. Workers do not have this memory.
 */
#ifndef CF_PROCESS_POOL_ROSTER_H
#define CF_PROCESS_POOL_ROSTER_H

#include "lib/base/atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Of one lane. */
struct cf__roster_entry {
    /* Atomic. 0: none. Written last, as the zygote may be killed meanwhile. */
    _Atomic pid_t pid;
    uint64_t start;    /* the position at which it began */
    bool doomed;       /* it has been sent a signal: it gets no successor */
    int64_t forked_at; /* nanoseconds since the machine started */
};

struct cf__roster {
    struct cf__roster_entry *entries; /* by lane; NULL: none */
    size_t size;                      /* bytes, whole pages */
};

/* Before the zygote is forked. false: no memory. */
bool cf__roster_init(struct cf__roster *roster, int lanes);

/* After that, in the program: it can only read the roster from now on, and
 * children that it forks do not have it. */
void cf__roster_read_only(const struct cf__roster *roster);

void cf__roster_fini(struct cf__roster *roster);

/* In the zygote, before it forks: its children do not have the roster. */
bool cf__roster_keep(const struct cf__roster *roster);

/* In the zygote, which has just forked a worker. */
void
cf__roster_enter(struct cf__roster_entry *entry, pid_t pid, uint64_t start);

/* In the program, when the zygote has died: kills all workers that are left. */
void cf__roster_kill(const struct cf__roster *roster, int lanes);

#endif
