/* SPDX-License-Identifier: MIT */
/*
 * How many CPUs this process may use. Any cgroup from the process's own up to
 * the root can have a quota, so the code walks up the path. In a container the
 * listed path may lie outside of what is mounted; then the root counts.
 */
#include "lib/base/cpu_count.h"

#include "lib/base/cancel.h"

#include <cfutures/executor.h>

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

static unsigned
smaller_limit(unsigned a, unsigned b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static unsigned
cpus_of(long long quota_us, long long period_us)
{
    if (quota_us <= 0 || period_us <= 0)
        return 0;
    long long cpus = quota_us / period_us + (quota_us % period_us != 0);
    return cpus < INT_MAX ? (unsigned)cpus : 0;
}

/* Reads one line of dir/name. */
static bool
read_line(const char *dir, const char *name, char *line)
{
    char path[2 * LINE_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool ok = fgets(line, LINE_SIZE, file) != NULL;
    fclose(file);
    return ok;
}

static unsigned
limit_v2(const char *dir)
{
    char line[LINE_SIZE], *rest;
    if (!read_line(dir, "cpu.max", line))
        return 0;
    long long quota = strtoll(line, &rest, 10); /* "max", no limit, gives 0 */
    return cpus_of(quota, strtoll(rest, NULL, 10));
}

static unsigned
limit_v1(const char *dir)
{
    char quota[LINE_SIZE], period[LINE_SIZE];
    if (!read_line(dir, "cpu.cfs_quota_us", quota) ||
        !read_line(dir, "cpu.cfs_period_us", period))
        return 0;
    return cpus_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

/* The smallest limit from root/path up to root. */
static unsigned
walk_up(const char *root, const char *path, unsigned (*limit)(const char *))
{
    char dir[2 * LINE_SIZE];
    snprintf(dir, sizeof dir, "%s%s", root, path);
    size_t root_length = strlen(root);
    unsigned smallest = 0;
    for (;;) {
        smallest = smaller_limit(smallest, limit(dir));
        char *slash = strrchr(dir, '/');
        if (!slash || (size_t)(slash - dir) < root_length)
            return smallest;
        *slash = '\0';
    }
}

/* true: the controllers field of a v1 line names "cpu", maybe among others. */
static bool
names_cpu(const char *controllers, size_t length)
{
    while (length > 0) {
        size_t word = strcspn(controllers, ",:");
        if (word == 3 && strncmp(controllers, "cpu", 3) == 0)
            return true;
        size_t step = word < length ? word + 1 : length;
        controllers += step;
        length -= step;
    }
    return false;
}

/* The limit of a line "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1). */
static unsigned
limit_of_line(const char *line, const char *root)
{
    const char *controllers = strchr(line, ':');
    const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path)
        return 0;
    size_t length = (size_t)(path - ++controllers);
    path++;
    if (length == 0)
        return walk_up(root, path, limit_v2);
    if (!names_cpu(controllers, length))
        return 0;
    char mount[LINE_SIZE];
    snprintf(mount, sizeof mount, "%s/cpu", root);
    return walk_up(mount, path, limit_v1);
}

/* The smallest limit of the list's lines. */
static unsigned
read_list(FILE *list, const char *root)
{
    unsigned smallest = 0;
    char line[LINE_SIZE];
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        smallest = smaller_limit(smallest, limit_of_line(line, root));
    }
    return smallest;
}

unsigned
cf__cgroup_cpus(const char *list_path, const char *root)
{
    unsigned cpus = 0;
    int former = cf__cancel_disable(); /* for all files */
    FILE *list = fopen(list_path, "re");
    if (list) {
        cpus = read_list(list, root);
        fclose(list);
    }
    cf__cancel_restore(former);
    return cpus;
}

/* A machine may have more CPUs than a cpu_set_t can name: then the set
 * grows. */
static unsigned
affinity_cpus(void)
{
    for (size_t cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set)
            break;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int count =
            sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0)
            return (unsigned)count;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 0;
}

static unsigned
environment_cpus(void)
{
    const char *text = getenv("CF_CPU_COUNT");
    if (!text || *text < '0' || *text > '9')
        return 0;
    char *end;
    unsigned long cpus = strtoul(text, &end, 10);
    return *end == '\0' && cpus < INT_MAX ? (unsigned)cpus : 0;
}

unsigned
cf_cpu_count(void)
{
    unsigned cpus = affinity_cpus();
    cpus = smaller_limit(
        cpus, cf__cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup"));
    cpus = smaller_limit(cpus, environment_cpus());
    return cpus ? cpus : 1;
}
