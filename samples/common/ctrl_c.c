/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "ctrl_c.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

int
ctrl_c_open(const char *program)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    int err = fd < 0 ? errno : pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (err)
        fprintf(stderr, "%s: signalfd: %s\n", program, strerror(err));
    return err ? -1 : fd;
}

bool
ctrl_c_pressed(int ctrl_c)
{
    struct pollfd fd = {.fd = ctrl_c, .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

bool
ctrl_c_or_input(int ctrl_c, int fd)
{
    struct pollfd fds[2] = {{.fd = ctrl_c, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) /* a signal may end it */
        continue;
    /* If the wait has failed, the read blocks. */
    return !fds[0].revents;
}

cf_err
ctrl_c_or_next(int ctrl_c, cf_as_completed *it, cf_future **out)
{
    struct pollfd fds[2] = {{.fd = ctrl_c, .events = POLLIN},
                            {.events = POLLIN}};
    cf_err err = cf_as_completed_next(it, 0, out);
    if (err != CF_ETIMEDOUT)
        return ctrl_c_pressed(ctrl_c) ? CF_EINTERRUPTED : err;
    fds[1].fd = cf_as_completed_fd(it);
    if (fds[1].fd < 0)
        return CF_ESYS;
    while (err == CF_ETIMEDOUT) { /* a signal may end the wait */
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return CF_ESYS;
        if (fds[0].revents)
            return CF_EINTERRUPTED;
        err = cf_as_completed_next(it, 0, out);
    }
    return err;
}
