/* SPDX-License-Identifier: MIT */
/* The part of cf_cpu_count() that reads cgroups, for a test to call. */
#ifndef CF_LIB_BASE_CPU_COUNT_H
#define CF_LIB_BASE_CPU_COUNT_H

/*
 * The smallest CPU quota, rounded up, of some cgroups; 0: no limit found.
 * list_path: a file like /proc/self/cgroup, which lists them. root: a tree like
 * /sys/fs/cgroup.
 */
unsigned cf__cgroup_cpus(const char *list_path, const char *root);

#endif
