/* SPDX-License-Identifier: MIT */
/* The parts of cf_cpu_count() that a test can feed. */
#ifndef CF_LIB_BASE_CPU_COUNT_H
#define CF_LIB_BASE_CPU_COUNT_H

/*
 * The smallest CPU quota, rounded up, of the cgroups that a file like
 * /proc/self/cgroup lists, in a tree like /sys/fs/cgroup; 0: no limit found.
 */
unsigned cf__cgroup_cpus(const char *list_path, const char *root);

#endif
