/* SPDX-License-Identifier: MIT */
/* SIGPIPE in a loop's thread: see sigpipe.h. */
#include "event_loop/sigpipe.h"

#include <signal.h>
#include <time.h>

static sigset_t
only_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void
cf__sigpipe_block(struct cf__sigpipe *sigpipe)
{
    sigset_t set = only_sigpipe(), former;
    sigpipe->blocked = pthread_sigmask(SIG_BLOCK, &set, &former) == 0 &&
                       !sigismember(&former, SIGPIPE);
}

void
cf__sigpipe_restore(struct cf__sigpipe *sigpipe)
{
    const struct timespec now = {0, 0};
    sigset_t set = only_sigpipe();
    if (!sigpipe->blocked)
        return;
    sigpipe->blocked = false;
    while (sigtimedwait(&set, NULL, &now) > 0)
        continue;
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
