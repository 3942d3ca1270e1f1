/* SPDX-License-Identifier: MIT */
/* The limits on address space, and what they leave: see room.h. */
#include "process_pool/memory/room.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SHARE = 8 }; /* a pool takes one part of so many of what is left */

/* What a program can have at most, on usual kernels. Where a kernel gives less,
 * it refuses what is too large, and the pool reserves less. */
#define ADDRESSES                                                              \
    (sizeof(void *) > 4 ? (size_t)((uint64_t)1 << 47) : (size_t)3 << 30)

/* Reads the beginning of a file; false: it cannot be read. */
static bool
read_text(const char *name, char *text, size_t size)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, size - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* The number in a line of /proc/meminfo, in bytes; SIZE_MAX: there is none. */
static size_t
line_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? (size_t)strtoull(at + strlen(name), NULL, 10) << 10 : SIZE_MAX;
}

/* With vm.overcommit_memory=2 the system promises no more than it has. */
static size_t
left_of_commit(void)
{
    char text[4096];
    if (!read_text("/proc/sys/vm/overcommit_memory", text, sizeof text) ||
        text[0] != '2' || !read_text("/proc/meminfo", text, sizeof text))
        return SIZE_MAX;
    size_t limit = line_of(text, "CommitLimit:");
    size_t used = line_of(text, "Committed_AS:");
    if (limit == SIZE_MAX || used == SIZE_MAX)
        return SIZE_MAX;
    return limit > used ? limit - used : 0;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What a limit leaves, if `used` bytes are used. */
static size_t
left_of(const struct rlimit *limit, size_t used)
{
    if (limit->rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return limit->rlim_cur > used ? (size_t)limit->rlim_cur - used : 0;
}

/* Without /proc: how much can be had for certain, found by trying. */
static size_t
probe(int protection)
{
    for (size_t size = ADDRESSES / 2; size > 1 << 20; size /= 2) {
        void *p = mmap(NULL,
                       size,
                       protection,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1,
                       0);
        if (p != MAP_FAILED) {
            (void)munmap(p, size);
            return size;
        }
    }
    return 0;
}

struct cf__room
cf__room_for_pool(void)
{
    char text[128];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t left, data;
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, private = all;
    (void)getrlimit(RLIMIT_AS, &all);
    (void)getrlimit(RLIMIT_DATA, &private);
    if (read_text("/proc/self/statm", text, sizeof text)) {
        char *at = text;
        size_t numbers[6]; /* size resident shared text library data */
        for (int i = 0; i < 6; i++)
            numbers[i] = (size_t)strtoull(at, &at, 10) * page;
        left = numbers[0] < ADDRESSES ? ADDRESSES - numbers[0] : 0;
        left = least(left, left_of(&all, numbers[0]));
        data = left_of(&private, numbers[5]);
    } else {
        left = probe(PROT_NONE);
        data = private.rlim_cur == RLIM_INFINITY
                   ? SIZE_MAX
                   : probe(PROT_READ | PROT_WRITE);
    }
    left = least(left, left_of_commit());
    struct cf__room room = {left / SHARE, least(left, data) / SHARE};
    return room;
}

size_t
cf__room_parse(const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    if (!text || *text < '0' || *text > '9')
        return 0;
    unsigned long long count = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if ((*end && !unit) || (unit && end[1]))
        return 0;
    return count > SIZE_MAX >> shift ? SIZE_MAX : (size_t)count << shift;
}

void *
cf__room_take(size_t size, int how)
{
    /* A mapping that is locked is filled as soon as it can be read. So it is
     * unlocked before it can be. */
    void *base =
        mmap(NULL, size, PROT_NONE, how | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    (void)munlock(base, size);
    if (mprotect(base, size, PROT_READ | PROT_WRITE) == 0)
        return base;
    (void)munmap(base, size);
    return NULL;
}
