/* SPDX-License-Identifier: MIT */
/*
 * The number of usable CPUs: affinity mask, environment, and cgroup quotas in
 * a tree of files that the test writes itself.
 */
#define _GNU_SOURCE
#include <cfutures/cfutures.h>
#include <criterion/criterion.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cpu_count.h"

TestSuite(cpu_count, .timeout = 10);

/* The tree of one test, removed at its end; the paths stay far below 256. */
typedef struct tree {
    char root[64];
    char list[96];
} tree;

static void
tree_file(const tree *t, const char *path, const char *text)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s/%s", t->root, path);
    for (char *slash = whole + strlen(t->root) + 1;
         (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    cr_assert_not_null(file, "%s", whole);
    fputs(text, file);
    fclose(file);
}

static tree
tree_with_list(const char *list)
{
    tree t = {.root = "/tmp/cf_cgroup_XXXXXX"};
    cr_assert_not_null(mkdtemp(t.root));
    snprintf(t.list, sizeof t.list, "%s/list", t.root);
    tree_file(&t, "list", list);
    return t;
}

static unsigned
tree_cpus(const tree *t)
{
    return cf__cgroup_cpus(t->list, t->root);
}

static void
tree_remove(const tree *t)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", t->root);
    cr_assert(system(command) == 0);
}

Test(cpu_count, a_v2_quota_is_rounded_up)
{
    static const struct {
        const char *text;
        unsigned cpus;
    } cases[] = {{"150000 100000\n", 2},
                 {"100000 100000\n", 1},
                 {"400000 100000\n", 4},
                 {"1000 100000\n", 1}, /* never 0 workers */
                 {"max 100000\n", 0},
                 {"-5 100000\n", 0},
                 {"100000 0\n", 0},
                 {"nonsense\n", 0},
                 {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tree t = tree_with_list("0::/app\n");
        tree_file(&t, "app/cpu.max", cases[i].text);
        cr_assert(tree_cpus(&t) == cases[i].cpus,
                  "'%s': %u",
                  cases[i].text,
                  tree_cpus(&t));
        tree_remove(&t);
    }
}

Test(cpu_count, the_tightest_quota_on_the_way_up_counts)
{
    tree t = tree_with_list("0::/a/b/c\n");
    tree_file(&t, "a/b/c/cpu.max", "max 100000\n");
    tree_file(&t, "a/b/cpu.max", "700000 100000\n");
    tree_file(&t, "a/cpu.max", "300000 100000\n");
    tree_file(&t, "cpu.max", "max 100000\n");
    cr_assert(tree_cpus(&t) == 3, "%u", tree_cpus(&t));
    tree_remove(&t);
}

Test(cpu_count, a_v1_quota_counts_in_the_cpu_controller)
{
    tree t = tree_with_list("7:memory:/app\n4:cpu,cpuacct:/app\n");
    tree_file(&t, "cpu/app/cpu.cfs_quota_us", "250000\n");
    tree_file(&t, "cpu/app/cpu.cfs_period_us", "100000\n");
    tree_file(&t, "memory/app/cpu.cfs_quota_us", "100000\n");
    tree_file(&t, "memory/app/cpu.cfs_period_us", "100000\n");
    cr_assert(tree_cpus(&t) == 3, "%u", tree_cpus(&t));
    tree_file(&t, "cpu/app/cpu.cfs_quota_us", "-1\n");
    cr_assert(tree_cpus(&t) == 0, "no limit");
    tree_remove(&t);
}

Test(cpu_count, in_a_container_the_root_of_the_mount_counts)
{
    tree t = tree_with_list("0::/docker/not-mounted-here\n");
    tree_file(&t, "cpu.max", "200000 100000\n");
    cr_assert(tree_cpus(&t) == 2, "%u", tree_cpus(&t));
    tree_remove(&t);
}

Test(cpu_count, what_cannot_be_read_does_not_limit)
{
    cr_assert(cf__cgroup_cpus("/nowhere/list", "/nowhere") == 0);
    tree t = tree_with_list("no colons here\n0:\n::\n0::/gone\n");
    cr_assert(tree_cpus(&t) == 0);
    tree_remove(&t);
}

Test(cpu_count, the_affinity_mask_limits)
{
    unsetenv("CF_CPU_COUNT");
    cpu_set_t mask;
    CPU_ZERO(&mask);
    cr_assert(sched_getaffinity(0, sizeof mask, &mask) == 0);
    cr_assert(cf_cpu_count() >= 1);
    cr_assert(cf_cpu_count() <= (unsigned)CPU_COUNT(&mask));
    size_t first = 0;
    while (!CPU_ISSET(first, &mask))
        first++;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    cr_assert(sched_setaffinity(0, sizeof mask, &mask) == 0);
    cr_assert(cf_cpu_count() == 1);
}

Test(cpu_count, the_environment_can_only_lower_it)
{
    unsetenv("CF_CPU_COUNT");
    unsigned all = cf_cpu_count();
    setenv("CF_CPU_COUNT", "1", 1);
    cr_assert(cf_cpu_count() == 1);
    static const char *const without_effect[] = {
        "", "0", "-1", "x", "1x", " 1", "+1", "100000", "99999999999999999999"};
    for (size_t i = 0; i < sizeof without_effect / sizeof without_effect[0];
         i++) {
        setenv("CF_CPU_COUNT", without_effect[i], 1);
        cr_assert(cf_cpu_count() == all, "'%s'", without_effect[i]);
    }
}
