/* SPDX-License-Identifier: MIT */
/*
 * The zygote: a process that is forked from the program when the pool is made.
 * It forks every worker, reaps them and reports how they ended, and it ends
 * with the program. If a worker has run its number of tasks and there are more
 * in its lane, the zygote forks a successor, and reports nothing. Requests and
 * reports are in shared memory (post.h).
 *
 * The program has one descriptor, the lifeline: a socket that is only ever
 * closed, by the pool, or by the kernel when the program executes another one.
 * If the program closes it, or gives its number to a file of its own, the pool
 * goes on.
 */
#ifndef CF_PROCESS_POOL_ZYGOTE_H
#define CF_PROCESS_POOL_ZYGOTE_H

#include "process_pool/worker/worker.h"
#include "process_pool/zygote/descriptors.h"
#include "process_pool/zygote/post.h"

#include <sys/types.h>

struct cf__zygote {
    struct cf__post *post; /* NULL: none */
    struct cf__owned_fd lifeline;
    int lanes;
    uint32_t heard; /* how many reports the program has taken */
    int next_lane;  /* where it looks for the next one first */
    pid_t pid;
    bool adopted; /* the zygote is the program's child after all, as the program
                     is init or a subreaper */
};

enum cf__zygote_news { CF__WORKER_ENDED, CF__SPAWN_FAILED };

struct cf__zygote_report {
    enum cf__zygote_news news;
    int lane;
    pid_t pid;
    int status;     /* as waitpid() gives it; of a failed fork: an errno */
    uint64_t start; /* the position at which the worker that ended had begun */
};

/* The process itself, in zygote_main.c: obeys the post until it is told to stop
 * or the program has ended. lifeline and program, a pidfd or -1, tell it of
 * that. */
_Noreturn void cf__zygote_main(const struct cf__worker_setup *setup,
                               struct cf__post *post,
                               int lifeline,
                               int program);

/* Forks the zygote. setup must be what its workers are to find. CF_ENOMEM.
 * CF_ESYS (errno). */
cf_err cf__zygote_start(struct cf__zygote *zygote,
                        const struct cf__worker_setup *setup);

/* In the manager's thread: from now on the zygote ends with that thread at the
 * latest. */
void cf__zygote_attach(const struct cf__zygote *zygote);

/* false: the zygote is gone, or has not read the last kill, so try again. Never
 * blocks. */
bool
cf__zygote_spawn(const struct cf__zygote *zygote, int lane, uint64_t start);
bool cf__zygote_kill(const struct cf__zygote *zygote, int lane, int signo);

/* Takes the next report, without waiting. 1: there is one; 0: not now; -1: the
 * zygote has ended, and all reports have been taken. */
int cf__zygote_receive(struct cf__zygote *zygote,
                       struct cf__zygote_report *out);

/* The kernel does not say when the zygote ends; cf__zygote_receive() finds
 * out. */
static inline bool
cf__zygote_is_silent(const struct cf__zygote *zygote)
{
    return !cf_load_relaxed(&zygote->post->pulse.kept); /* set before READY */
}

/* Asks the zygote to end, with all workers. cf__zygote_receive() tells when it
 * has. */
void cf__zygote_stop(const struct cf__zygote *zygote);

void cf__zygote_close(struct cf__zygote *zygote);

/* In a fork's child, which does not have the post. */
void cf__zygote_abandon(struct cf__zygote *zygote);

/* The zygote has ended: leaves no zombie of it. */
void cf__zygote_reap(struct cf__zygote *zygote);

#endif
