/* SPDX-License-Identifier: MIT */
/*
 * Forking children that cannot outlive the program, and waiting for them.
 */
#include "common/child.h"

#include "common/bench.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t
child_fork(void)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        bench_die("fork failed");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) /* it died before that */
            _exit(1);
    }
    return pid;
}

int
child_status(pid_t pid)
{
    int status;
    pid_t waited;

    do {
        waited = waitpid(pid, &status, 0);
    } while (waited < 0 && errno == EINTR);
    if (waited != pid || !WIFEXITED(status))
        bench_die("a child process failed");
    return WEXITSTATUS(status);
}

void
child_wait(pid_t pid)
{
    if (child_status(pid) != 0)
        bench_die("a child process failed");
}

void *
child_share(size_t size)
{
    void *p = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        bench_die("no shared memory of %zu bytes", size);
    return p;
}

void
child_unshare(void *p, size_t size)
{
    munmap(p, size);
}
