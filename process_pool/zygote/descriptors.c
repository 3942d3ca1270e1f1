/* SPDX-License-Identifier: MIT */
/* Closing and moving descriptors: descriptors.h. */
#include "process_pool/zygote/descriptors.h"

#include "lib/base/cancel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEPT_MAX = 8, OPEN_MAX_GUESS = 1 << 20 };

/* ~0U: the name is not a number. */
static unsigned
number_of(const char *name)
{
    unsigned number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (unsigned)(*name - '0');
    return *name ? ~0U : number;
}

/* Closes those of first .. last that are open, by the kernel's list. false:
 * there is no list. readdir() would allocate. */
static bool
close_listed(unsigned first, unsigned last)
{
    _Alignas(struct dirent64) unsigned char room[2048];
    int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    long size;
    while ((size = syscall(SYS_getdents64, folder, room, sizeof room)) > 0) {
        bool closed = false;
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const void *)(room + at);
            unsigned fd = number_of(entry->d_name);
            if (fd >= first && fd <= last && fd != (unsigned)folder)
                closed = close((int)fd) == 0 || closed;
            at += entry->d_reclen;
        }
        if (closed) /* the list has changed */
            (void)lseek(folder, 0, SEEK_SET);
    }
    close(folder);
    return size == 0;
}

/* Closes first .. last. */
static void
close_between(unsigned first, unsigned last)
{
    if (first > last)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
#endif
    /* A kernel before 5.9. A limit says nothing here: it may have been lowered
     * since files were opened. Without /proc, too: closes one by one, as far as
     * files are likely. */
    if (close_listed(first, last))
        return;
    for (unsigned fd = first; fd <= last && fd < OPEN_MAX_GUESS; fd++)
        (void)close((int)fd);
}

void
cf__close_all_but(const int *kept, size_t count)
{
    unsigned next = 3; /* all below are done */
    for (size_t i = 0; i < count && i < KEPT_MAX; i++) {
        unsigned lowest = ~0U; /* of the kept ones that are left */
        for (size_t j = 0; j < count; j++) {
            unsigned fd = (unsigned)kept[j]; /* -1: above all */
            if (fd >= next && fd < lowest)
                lowest = fd;
        }
        if (lowest == ~0U)
            break;
        if (lowest > next)
            close_between(next, lowest - 1);
        next = lowest + 1;
    }
    close_between(next, ~0U);
}

int
cf__above_standard(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int error = errno;
    close(fd);
    errno = error;
    return moved;
}

struct cf__owned_fd
cf__own(int fd)
{
    struct stat is;
    struct cf__owned_fd owned = {fd, 0, 0};
    if (fd >= 0 && fstat(fd, &is) == 0) {
        owned.device = is.st_dev;
        owned.inode = is.st_ino;
    }
    return owned;
}

void
cf__owned_close(struct cf__owned_fd *owned)
{
    struct stat is;
    int error = errno;
    if (owned->fd >= 0 && fstat(owned->fd, &is) == 0 &&
        is.st_dev == owned->device && is.st_ino == owned->inode)
        cf__close(owned->fd);
    owned->fd = -1;
    errno = error;
}
