/* SPDX-License-Identifier: MIT */
/*
 * The zygote: a process with one thread, forked from the program when the pool
 * is created. It forks every worker, reaps them and reports how they ended,
 * and ends with the program. A worker that has run its number of tasks, while
 * there are more in its lane, it replaces without a word. Requests and reports
 * are messages of one socket pair.
 */
#ifndef CF_PROCESS_POOL_ZYGOTE_H
#define CF_PROCESS_POOL_ZYGOTE_H

#include "process_pool/worker.h"

#include <sys/types.h>

struct cf__zygote {
    int socket; /* to the zygote; -1: none */
    int life;   /* a pidfd: readable when the zygote has ended; -1: none */
    pid_t pid;
    bool adopted; /* the program is init, or a subreaper: the zygote is its
                     child after all */
};

/* Without a pidfd (Linux before 5.3), who waits for news of the zygote looks at
 * it so often. */
#define CF__ZYGOTE_LOOK_NS INT64_C(100000000)

enum cf__zygote_verb { CF__ZYGOTE_SPAWN, CF__ZYGOTE_KILL };

struct cf__zygote_request {
    enum cf__zygote_verb verb;
    int lane;
    int signo;      /* to kill with */
    uint64_t start; /* position at which the new worker begins */
};

enum cf__zygote_news {
    CF__ZYGOTE_BORN, /* from who forked it, with a pidfd, if there are such */
    CF__ZYGOTE_READY,
    CF__WORKER_ENDED,
    CF__SPAWN_FAILED
};

struct cf__zygote_report {
    enum cf__zygote_news news;
    int lane;
    pid_t pid;
    int status;     /* as waitpid() gives it; of a failure: errno */
    uint64_t start; /* position at which a worker that has ended had begun */
};

/* In a fork's child: it becomes a zygote. */
extern _Thread_local bool cf__zygote_is_coming;

/* fork(), which calls the program's fork handlers. */
pid_t cf__own_fork(void);

/* The calling thread is in a fork handler, because of such a fork. */
bool cf__in_own_fork(void);

/* The process itself, zygote_main.c: serves socket until it is shut, or the
 * program, a pidfd or -1, has ended. */
_Noreturn void cf__zygote_main(const struct cf__worker_setup *setup,
                               int socket,
                               int program,
                               bool inherit_descriptors);

/* Forks the zygote. setup must be what its workers shall find. CF_ESYS
 * (errno). */
cf_err cf__zygote_start(struct cf__zygote *zygote,
                        const struct cf__worker_setup *setup,
                        bool inherit_descriptors);

/* false: the zygote is gone, or has too much to read: try again. Never blocks:
 * the zygote itself may wait until its reports are read. */
bool
cf__zygote_spawn(const struct cf__zygote *zygote, int lane, uint64_t start);
bool cf__zygote_kill(const struct cf__zygote *zygote, int lane, int signo);

/* The next report, without waiting. 1: there is one; 0: none now; -1: the
 * zygote is gone. */
int cf__zygote_receive(struct cf__zygote *zygote,
                       struct cf__zygote_report *out);

/* Whether the zygote has ended, though its socket may not say so: another
 * process may hold a copy. What it has reported is still to be received. */
bool cf__zygote_has_ended(struct cf__zygote *zygote);

/* Asks the zygote to end, with all workers: receive() says when it has. */
void cf__zygote_stop(const struct cf__zygote *zygote);

void cf__zygote_close(struct cf__zygote *zygote);

/* The zygote is gone: leaves no zombie of it. */
void cf__zygote_reap(struct cf__zygote *zygote);

#endif
