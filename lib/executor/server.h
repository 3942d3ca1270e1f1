/* SPDX-License-Identifier: MIT */
/*
 * Servers: the library's own threads that call user code. They are an
 * executor's timer thread and the process pool's manager. Other threads need
 * them: tasks wait for their deadlines, futures for their completion.
 *
 * So a server that is in a callback never waits in a way that keeps it from its
 * work. Where another thread would sleep, a server serves: it does its work
 * from inside the wait. And it never waits for room in a queue, whichever
 * executor's: the tasks that would make room may wait for this server.
 * README.md, "Threads that serve", has the argument.
 */
#ifndef CF_LIB_EXECUTOR_SERVER_H
#define CF_LIB_EXECUTOR_SERVER_H

#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/futex.h"
#include "lib/base/thread.h"
#include "lib/base/worker.h"
#include "lib/executor/bound.h"

struct cf__server {
    cf_executor *executor; /* whose server; NULL: that has been destroyed */
    /* Serves once. If there is no work, it sleeps until there is some, at most
     * until deadline_ns, and for a short time only. */
    void (*serve)(struct cf__server *server, int64_t deadline_ns);
};

/* cf__futex_wait(), for a word that perhaps only the calling thread itself can
 * change, by serving. */
static inline bool
cf__sleep(void *word, uint32_t expected, int64_t deadline_ns)
{
    struct cf__server *server = cf__thread.server;
    if (__builtin_expect(!server, 1))
        return cf__futex_wait(word, expected, deadline_ns);
    server->serve(server, deadline_ns);
    return cf__now_ns() < deadline_ns;
}

/* cf__cond_wait_or_end(), or without undo cf__cond_wait(), for a change that
 * perhaps only the calling thread itself can make, by serving. */
static inline bool
cf__sleep_locked(pthread_cond_t *cond,
                 pthread_mutex_t *lock,
                 int64_t deadline_ns,
                 void (*undo)(void *data),
                 void *data)
{
    struct cf__server *server = cf__thread.server;
    if (!server)
        return undo ? cf__cond_wait_or_end(cond, lock, deadline_ns, undo, data)
                    : cf__cond_wait(cond, lock, deadline_ns);
    pthread_mutex_unlock(lock);
    server->serve(server, deadline_ns);
    pthread_mutex_lock(lock);
    return cf__now_ns() < deadline_ns;
}

/* The calling thread is a worker or a server of ex, or runs all of its
 * tasks. */
static inline bool
cf__belongs_to(const cf_executor *ex)
{
    const struct cf__server *server = cf__thread.server;
    return cf__is_own_worker(ex) || (server && server->executor == ex) ||
           cf__holds_up(ex);
}

/* How the calling thread enters the queue of ex. */
static inline enum cf__entry
cf__entry_to(const cf_executor *ex)
{
    return cf__belongs_to(ex)  ? CF__ENTRY_OVER
           : cf__thread.server ? CF__ENTRY_AT_ONCE
                               : CF__ENTRY_BY_POLICY;
}

#endif
