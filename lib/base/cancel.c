/* SPDX-License-Identifier: MIT */
/* libc's cancellation points with cancellation disabled: see cancel.h. */
#include "lib/base/cancel.h"

#include <errno.h>
#include <unistd.h>

ssize_t
cf__read(int fd, void *to, size_t size)
{
    int former = cf__cancel_disable();
    ssize_t got = read(fd, to, size);
    cf__cancel_restore(former);
    return got;
}

ssize_t
cf__write(int fd, const void *from, size_t size)
{
    int former = cf__cancel_disable();
    ssize_t written = write(fd, from, size);
    cf__cancel_restore(former);
    return written;
}

void
cf__close(int fd)
{
    int error = errno, former = cf__cancel_disable();
    (void)close(fd); /* whatever it returns: on Linux fd is closed */
    cf__cancel_restore(former);
    errno = error;
}

void
cf__join(pthread_t thread)
{
    int former = cf__cancel_disable();
    pthread_join(thread, NULL);
    cf__cancel_restore(former);
}
