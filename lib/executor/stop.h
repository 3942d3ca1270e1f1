/* SPDX-License-Identifier: MIT */
/*
 * What ends a wait before its time: the task was told to stop, or a scope has
 * struck. Every wait asks here, and only here, in this order:
 *
 *     bool late = false;
 *     while (it has to sleep) {
 *         if (cf__told_to_stop(worker, NULL, late))
 *             return CF_EINTERRUPTED;
 *         int64_t until = cf__stop_at(deadline_ns);
 *         bool in_time = it sleeps on a parker until then;
 *         if (!in_time && until == deadline_ns)
 *             return CF_ETIMEDOUT;
 *         late = !in_time;
 *     }
 *
 * README.md, "Waits that an interrupt ends" and "Scopes", has the argument.
 */
#ifndef CF_LIB_EXECUTOR_STOP_H
#define CF_LIB_EXECUTOR_STOP_H

#include "lib/base/export.h"
#include "lib/base/thread.h"
#include "lib/base/worker.h"
#include "lib/executor/call.h"

/* Part of cf__told_to_stop(): in scopes, or where call is not known. */
CF__EXPORT bool cf__told_to_stop_somewhere(struct cf__worker *worker,
                                           const cf_call *call,
                                           bool look);

/*
 * true: no wait of the code that runs may sleep. What tells it so unparks the
 * worker, or in a scope the sleeper (scope.h), afterwards. worker: the calling
 * one, or NULL; call: the task's own, if it is known.
 *
 * look: also at the clock, if a scope has a deadline. Who sleeps until
 * cf__stop_at() needs that only afterwards.
 */
static inline bool
cf__told_to_stop(struct cf__worker *worker, const cf_call *call, bool look)
{
    bool plain = !cf__in_scopes() && worker && call &&
                 call->executor == worker->executor;
    return __builtin_expect(plain, 1)
               ? cf__call_canceled(call)
               : cf__told_to_stop_somewhere(worker, call, look);
}

/* When a sleep has to end that would last until deadline_ns: a scope may strike
 * before. In a server, it may be earlier for no reason. */
CF__EXPORT int64_t cf__stop_in_scopes(int64_t deadline_ns);

static inline int64_t
cf__stop_at(int64_t deadline_ns)
{
    return __builtin_expect(cf__in_scopes(), 0)
               ? cf__stop_in_scopes(deadline_ns)
               : deadline_ns;
}

#endif
