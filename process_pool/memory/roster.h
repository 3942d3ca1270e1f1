/* SPDX-License-Identifier: MIT */
/*
 * Which processes are a pool's workers: written by the zygote, which alone can
 * know. The program can read it when the zygote has died, and ends those whom
 * the zygote's death has not ended: a task that changes its user takes its
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
    /* Atomic. 0: none; written last, for a zygote that is killed meanwhile. */
    _Atomic pid_t pid;
    uint64_t start;    /* position where it began */
    bool doomed;       /* it has been sent a signal: nobody shall follow it */
    int64_t forked_at; /* nanoseconds since the machine started */
};

struct cf__roster {
    struct cf__roster_entry *entries; /* by lane; NULL: none */
    size_t size;                      /* bytes, whole pages */
};

/* Before the zygote is forked. false: no memory. */
bool cf__roster_init(struct cf__roster *roster, int lanes);

/* After that, in the program: from now on it only reads, and children that it
 * forks do not have the roster. */
void cf__roster_read_only(const struct cf__roster *roster);

void cf__roster_fini(struct cf__roster *roster);

/* In the zygote, before it forks: its children do not have it. */
bool cf__roster_keep(const struct cf__roster *roster);

/* In the zygote: it has just forked a worker. */
void
cf__roster_enter(struct cf__roster_entry *entry, pid_t pid, uint64_t start);

/* In the program, when the zygote has died: kills who is left. */
void cf__roster_kill(const struct cf__roster *roster, int lanes);

#endif
