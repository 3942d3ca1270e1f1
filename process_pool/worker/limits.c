/* SPDX-License-Identifier: MIT */
/*
 * Limiting a worker's memory: RLIMIT_DATA counts private writable memory. It
 * does not count the pool's shared reservation, nor what is mapped read-only.
 */
#include "process_pool/worker/limits.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* The same without /proc: finds, by trying, the lowest limit under which the
 * kernel gives one page more. Between that and limit->rlim_max there are not
 * many powers of two. Leaves *limit set. */
static size_t
probed_size(const struct rlimit *limit)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t low = 0, high = (size_t)1 << 40; /* in pages */
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        struct rlimit tried = {(rlim_t)middle * page, limit->rlim_max};
        void *p = MAP_FAILED;
        if (tried.rlim_cur > limit->rlim_max)
            tried.rlim_cur = limit->rlim_max;
        if (setrlimit(RLIMIT_DATA, &tried) == 0) {
            p = mmap(NULL,
                     page,
                     PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS,
                     -1,
                     0);
        }
        if (p == MAP_FAILED) {
            low = middle;
        } else {
            high = middle;
            (void)munmap(p, page);
        }
    }
    (void)setrlimit(RLIMIT_DATA, limit);
    return low * page;
}

/* How many bytes of private writable memory this process has: the sixth number
 * of /proc/self/statm. 0: that cannot be read. */
static size_t
data_size(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    size_t pages = 0;
    int field = 1;
    for (ssize_t i = 0; i < length && field <= 6; i++) {
        if (text[i] == ' ')
            field++;
        else if (field == 6 && text[i] >= '0' && text[i] <= '9')
            pages = pages * 10 + (size_t)(text[i] - '0');
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

bool
cf__limit_memory(size_t size)
{
    struct rlimit limit;
    if (size == 0)
        return true;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return false;
    rlim_t used = (rlim_t)data_size();
    if (used == 0)
        used = (rlim_t)probed_size(&limit);
    rlim_t wanted = size < RLIM_INFINITY - used ? used + size : RLIM_INFINITY;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur <= wanted)
        return true; /* the program's own limit is stricter */
    limit.rlim_cur = wanted;
    return setrlimit(RLIMIT_DATA, &limit) == 0;
}
