/* SPDX-License-Identifier: MIT */
/* Starting a thread like one whose CPU mask or class the system refuses: the
 * thread starts, with what it inherits instead. */
#define _GNU_SOURCE
#include "lib/base/origin.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(origin, .timeout = 20);

static void *
count_cpus(void *arg)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        *(int *)arg = CPU_COUNT(&cpus);
    return NULL;
}

/* How many CPUs a thread like that has. */
static int
cpus_of(const struct cf__origin *origin)
{
    pthread_t thread;
    int cpus = 0;
    cr_assert(cf__origin_start(origin, &thread, 0, count_cpus, &cpus) == 0);
    pthread_join(thread, NULL);
    return cpus;
}

Test(origin, with_cpus_that_are_gone_is_inherited)
{
    struct cf__origin origin;
    cf__origin_note(&origin);
    int before = cpus_of(&origin);
    cr_assert(before > 0);
    CPU_ZERO_S(origin.cpus_size, origin.cpus);
    CPU_SET_S(CPU_SETSIZE - 1, origin.cpus_size, origin.cpus);
    cr_assert(cpus_of(&origin) == before);
    CPU_ZERO_S(origin.cpus_size, origin.cpus); /* no CPU at all */
    cr_assert(cpus_of(&origin) == before);
    cf__origin_fini(&origin);
}

Test(origin, with_a_class_that_does_not_exist_is_inherited)
{
    struct cf__origin origin;
    cf__origin_note(&origin);
    int before = cpus_of(&origin);
    origin.policy = SCHED_FIFO;
    origin.priority = 99999;
    cr_assert(cpus_of(&origin) == before);
    CPU_ZERO_S(origin.cpus_size, origin.cpus);
    cr_assert(cpus_of(&origin) == before, "both at once");
    cf__origin_fini(&origin);
}

Test(origin, without_memory_for_the_mask_is_inherited)
{
    struct cf__origin origin;
    cf__origin_note(&origin);
    int before = cpus_of(&origin);
    cf__origin_fini(&origin);
    cr_assert(cpus_of(&origin) == before);
    cf__origin_pin(&origin, 1);
}
