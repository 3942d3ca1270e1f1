/* SPDX-License-Identifier: MIT */
/*
 * Reads /proc; see process.h.
 */
#define _GNU_SOURCE
#include "tests/support/process.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* The name and state of a process, in /proc, or of a thread of this one, in
 * /proc/self/task; false: there is none. */
static bool
read_stat(const char *folder, pid_t id, char name[32], char *state)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%d/stat", folder, (int)id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    int fields = fscanf(file, "%*d (%31[^)]) %c", name, state);
    fclose(file);
    return fields == 2;
}

char
process_state(pid_t pid)
{
    char name[32];
    char state;
    return read_stat("/proc", pid, name, &state) ? state : 0;
}

static bool
is_alive(char state)
{
    return state != 0 && state != 'Z' && state != 'X';
}

bool
process_lives(pid_t pid)
{
    return is_alive(process_state(pid));
}

static int
find_in(const char *folder, const char *prefix, pid_t *pids, int most)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    int count = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        char name[32];
        char state;
        if (pid <= 0 || !read_stat(folder, pid, name, &state) ||
            !is_alive(state) || strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        if (count < most)
            pids[count] = pid;
        count++;
    }
    closedir(dir);
    return count;
}

int
process_find(const char *prefix, pid_t *pids, int most)
{
    return find_in("/proc", prefix, pids, most);
}

void
process_await_thread(const char *name)
{
    while (find_in("/proc/self/task", name, NULL, 0) < 1)
        sched_yield();
}

static int64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
process_await_found(const char *prefix, int count)
{
    int64_t begin = now_ns();
    while (process_find(prefix, NULL, 0) > count)
        sched_yield();
    return now_ns() - begin;
}
