/* SPDX-License-Identifier: MIT */
/* See own_fork.h. */
#include "process_pool/zygote/own_fork.h"

#include <unistd.h>

static _Thread_local bool in_own_fork;

pid_t
cf__own_fork(void)
{
    in_own_fork = true;
    pid_t pid = fork();
    in_own_fork = false; /* in both processes */
    return pid;
}

bool
cf__in_own_fork(void)
{
    return in_own_fork;
}
