/* SPDX-License-Identifier: MIT */
/*
 * The descriptor of an iterator, an eventfd: README.md, "The descriptor".
 */
#include "lib/many/as_completed_iterator.h"

#include "lib/base/cancel.h"

#include <errno.h>
#include <sys/eventfd.h>

void
cf__as_completed_signal_fd(int fd)
{
    uint64_t one = 1;
    int saved_errno = errno;
    /* This fails only if the counter is full. Then the fd is readable. */
    ssize_t written = cf__write(fd, &one, sizeof one);
    (void)written;
    errno = saved_errno;
}

void
cf__as_completed_clear_fd(cf_as_completed *it)
{
    int fd = cf_load_relaxed(&it->fd); /* the user's own */
    if (fd < 0 || !cf__as_completed_is_ours(it))
        return;
    uint64_t count;
    ssize_t got = cf__read(fd, &count, sizeof count);
    (void)got; /* EAGAIN: it was clear */
    /* The read has also cleared what was signalled for a node that was pushed
     * meanwhile, and an iterator with nothing left is readable too. */
    if (it->taken || cf_load_acquire(&it->ready) || it->remaining == 0)
        cf__as_completed_signal_fd(fd);
}

int
cf_as_completed_fd(cf_as_completed *it)
{
    if (!it) {
        errno = EINVAL;
        return -1;
    }
    if (!cf__as_completed_is_ours(it)) {
        errno = EPERM;
        return -1;
    }
    int fd = cf_load_relaxed(&it->fd); /* the user's own */
    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return -1;
    cf_store_release(&it->fd, fd); /* pairs with cf__as_completed_push */
    /* A completer that did not see fd has the lock of its future until it has
     * pushed. */
    for (struct cf__node_slab *slab = it->slabs; slab; slab = slab->next) {
        for (size_t i = 0; i < slab->count; i++) {
            if (slab->nodes[i].awaited.f)
                cf__waiters_sync(slab->nodes[i].awaited.f);
        }
    }
    cf__as_completed_clear_fd(it);
    return fd;
}
