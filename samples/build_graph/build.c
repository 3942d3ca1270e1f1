/* SPDX-License-Identifier: MIT */
/*
 * Runs the steps of a target. A command is a process group of its own, so that
 * all of it can be stopped, and it does not get the Ctrl-C of the terminal.
 */
#define _GNU_SOURCE
#include "build.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

/* A task that waits for a command looks so often: first soon, then less. */
enum { LOOK_FIRST_MS = 1, LOOK_LAST_MS = 20 };

static int64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return CF_SECONDS(now.tv_sec) + now.tv_nsec;
}

/* An error number. */
static int
spawn_shell(const char *command, pid_t *pid)
{
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, NULL, NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    char *copy = strdup(command);
    if (!copy)
        return ENOMEM;
    arguments[2] = copy;
    sigemptyset(&none);
    int err = posix_spawnattr_init(&attributes);
    if (!err) {
        err = posix_spawnattr_setsigmask(&attributes, &none);
        if (!err)
            err = posix_spawnattr_setpgroup(&attributes, 0);
        if (!err)
            err = posix_spawnattr_setflags(
                &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
        if (!err)
            err = posix_spawn(
                pid, "/bin/sh", NULL, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    free(copy);
    return err;
}

/* Waits for the command, or stops it if the task is told to stop. */
static bool
await(cf_call *call, pid_t pid, int *status)
{
    int64_t look = LOOK_FIRST_MS;
    bool stopped = false;
    while (waitpid(pid, status, stopped ? 0 : WNOHANG) == 0) {
        stopped =
            cf_sleep(call, CF_MS(look)) != CF_OK || cf_call_canceled(call);
        if (stopped)
            (void)kill(-pid, SIGKILL);
        look = look * 2 < LOOK_LAST_MS ? look * 2 : LOOK_LAST_MS;
    }
    return !stopped;
}

static int
run_command(cf_call *call, const char *command)
{
    pid_t pid;
    int status = 0;
    int err = spawn_shell(command, &pid);
    if (err)
        return cf_fail(call, err, "/bin/sh: %s", strerror(err));
    if (!await(call, pid, &status))
        return cf_fail(call, EINTR, "stopped: %s", command);
    if (WIFSIGNALED(status))
        return cf_fail(call,
                       128 + WTERMSIG(status),
                       "killed by signal %d: %s",
                       WTERMSIG(status),
                       command);
    if (WEXITSTATUS(status))
        return cf_fail(call,
                       WEXITSTATUS(status),
                       "exit status %d: %s",
                       WEXITSTATUS(status),
                       command);
    return 0;
}

static int
take_step(cf_call *call, const struct step *step)
{
    switch (step->kind) {
    case STEP_RUN:
        return run_command(call, step->text);
    case STEP_WAIT:
        return cf_sleep(call, step->duration_ns)
                   ? cf_fail(call, EINTR, "stopped in a pause")
                   : 0;
    case STEP_FAIL:
        break;
    }
    return cf_fail(call, 1, "%s", step->text);
}

int
build(cf_call *call, const void *arg, size_t arg_size)
{
    const struct target *target = arg;
    int64_t begin = now_ns();
    int rc = 0;
    (void)arg_size;
    for (const struct step *at = target->steps; at && !rc; at = at->next)
        rc = take_step(call, at);
    int64_t took = now_ns() - begin;
    return rc ? rc : (int)cf_return(call, &took, sizeof took);
}
