/* SPDX-License-Identifier: MIT */
/* ppoll(), and what to do without it: await.h. */
#include "process_pool/await.h"

#include "lib/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>

enum {
    BITS = 8 * sizeof(unsigned long),
    WORDS = 1 << 9 /* for descriptors below WORDS * BITS */
};

/* A set that select() takes, however high the numbers. */
struct set {
    unsigned long words[WORDS];
};

static fd_set *
as_fd_set(struct set *set)
{
    return (fd_set *)(void *)set->words;
}

static void
add(struct set *set, int fd)
{
    set->words[fd / BITS] |= 1UL << (fd % BITS);
}

static short
if_in(const struct set *set, int fd, short event)
{
    return set->words[fd / BITS] >> (fd % BITS) & 1 ? event : 0;
}

/* select() does not ask how many descriptors there may be. -1: it cannot
 * either. */
static int
select_instead(struct pollfd *polled, unsigned count, struct timespec *limit)
{
    struct set in, out;
    int top = -1;
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    for (unsigned i = 0; i < count; i++) {
        int fd = polled[i].fd;
        if (fd >= WORDS * BITS)
            return -1;
        if (fd < 0)
            continue;
        if (polled[i].events & POLLIN)
            add(&in, fd);
        if (polled[i].events & POLLOUT)
            add(&out, fd);
        top = fd > top ? fd : top;
    }
    int found =
        pselect(top + 1, as_fd_set(&in), as_fd_set(&out), NULL, limit, NULL);
    for (unsigned i = 0; i < count && found > 0; i++)
        if (polled[i].fd >= 0)
            polled[i].revents = (short)(if_in(&in, polled[i].fd, POLLIN) |
                                        if_in(&out, polled[i].fd, POLLOUT));
    return found;
}

int
cf__await(struct pollfd *polled, unsigned count, int64_t limit_ns)
{
    struct timespec limit = cf__timespec(limit_ns > 0 ? limit_ns : 0);
    struct timespec *at_most = limit_ns == CF__NEVER ? NULL : &limit;
    for (unsigned i = 0; i < count; i++)
        polled[i].revents = 0;
    int found = ppoll(polled, count, at_most, NULL);
    if (found < 0 && errno == EINVAL)
        found = select_instead(polled, count, at_most);
    if (found < 0 && errno != EINTR) {
        int error = errno;
        if (limit_ns > CF__NAP_NS)
            limit_ns = CF__NAP_NS;
        limit = cf__timespec(limit_ns > 0 ? limit_ns : 0);
        (void)nanosleep(&limit, NULL);
        errno = error;
    }
    return found;
}
