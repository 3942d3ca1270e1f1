/* SPDX-License-Identifier: MIT */
/* Starts the library's own threads: see helper_thread.h. */
#include "lib/base/helper_thread.h"

#include "lib/base/cancel.h"
#include "lib/base/origin.h"

#include <errno.h>
#include <signal.h>

cf_err
cf__helper_thread_start(const struct cf__origin *origin,
                        pthread_t *out,
                        void *(*fn)(void *arg),
                        void *arg)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = cf__origin_start(origin, out, 0, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!error)
        return CF_OK;
    errno = error;
    return CF_ESYS;
}

void
cf__helper_thread_enter(const struct cf__origin *origin, const char *name)
{
    (void)cf__cancel_disable();
    cf__origin_enter(origin);
    (void)pthread_setname_np(pthread_self(), name); /* people read it */
}
