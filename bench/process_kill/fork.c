/* SPDX-License-Identifier: MIT */
/*
 * No library: a child, killed and waited for. What the system takes for it.
 */
#include "process_kill/kill.h"
#include "process_kill/victim.h"

#include "common/child.h"

#include <sys/wait.h>

static victim *shared;

void
kill_open(int workers)
{
    (void)workers;
    shared = child_share(sizeof(*shared));
}

void
kill_close(void)
{
    child_unshare(shared, sizeof(*shared));
}

uint64_t
kill_once(void)
{
    int status;

    atomic_store(&shared->pid, 0);
    pid_t child = child_fork();
    if (child == 0)
        victim_wait_for_end(shared);
    pid_t pid = victim_find(shared);
    uint64_t start = bench_now_ns();
    if (kill(pid, SIGKILL) != 0)
        bench_die("the child cannot be killed");
    pid_t waited = waitpid(child, &status, 0);
    uint64_t end = bench_now_ns();
    if (waited != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        bench_die("the child did not die of the signal");
    return end - start;
}
