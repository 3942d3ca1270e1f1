/* SPDX-License-Identifier: MIT */
/*
 * Counts entries below /proc/self; see process.h.
 */
#define _GNU_SOURCE
#include "tests/support/process.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

static int
entries_of(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return -1;
    int count = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

int
process_threads(void)
{
    return entries_of("/proc/self/task");
}

int
process_fds(void)
{
    return entries_of("/proc/self/fd") - 1; /* without the one for counting */
}

size_t
process_resident(void)
{
#ifdef ADDRESS_SANITIZER
    return 0;
#endif
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    size_t pages = 0;
    int fields = fscanf(file, "%*s %zu", &pages);
    fclose(file);
    return fields == 1 ? pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

void
process_await_threads(int count)
{
    while (process_threads() > count)
        sched_yield();
}
