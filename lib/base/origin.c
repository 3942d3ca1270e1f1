/* SPDX-License-Identifier: MIT */
/* The CPU mask and the scheduling of new threads: see origin.h. */
#include "lib/base/origin.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { CPUS_MAX = 1 << 20 }; /* more than any kernel can name */

/* Bits: which attributes pthread_create() gets. */
enum { CPUS = 1, CLASS = 2 };

/* The mask of the calling thread; NULL: no memory. A machine may have more CPUs
 * than a cpu_set_t can name: then the set grows. */
static cpu_set_t *
own_cpus(size_t *size)
{
    for (size_t cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
        *size = CPU_ALLOC_SIZE(cpus);
        cpu_set_t *set = calloc(1, *size);
        if (!set || sched_getaffinity(0, *size, set) == 0)
            return set;
        free(set);
    }
    return NULL;
}

static bool
is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int
own_policy(void)
{
    int policy = sched_getscheduler(0);
    return policy < 0 ? SCHED_OTHER : policy;
}

static int
own_nice(void)
{
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, 0); /* on Linux, of the thread */
    return nice == -1 && errno ? 0 : nice;
}

static int
own_priority(void)
{
    struct sched_param param = {0};
    return sched_getparam(0, &param) == 0 ? param.sched_priority : 0;
}

/* Notes the class that a thread started by the calling one would have: some
 * classes are not inherited. */
static void
note_class(struct cf__origin *origin)
{
    int policy = own_policy();
    bool reset = policy & SCHED_RESET_ON_FORK;
    policy &= ~SCHED_RESET_ON_FORK;
    origin->nice = own_nice();
    if (reset && (origin->nice < 0 || is_real_time(policy)))
        origin->nice = 0;
    bool plain = policy == SCHED_OTHER || policy == SCHED_BATCH ||
                 policy == SCHED_IDLE || (is_real_time(policy) && !reset);
    origin->policy = plain ? policy : SCHED_OTHER;
    origin->priority = is_real_time(origin->policy) ? own_priority() : 0;
}

void
cf__origin_note(struct cf__origin *origin)
{
    int saved_errno = errno;
    origin->cpus = own_cpus(&origin->cpus_size);
    note_class(origin);
    errno = saved_errno;
}

void
cf__origin_fini(struct cf__origin *origin)
{
    free(origin->cpus);
    origin->cpus = NULL;
}

/* CPUS and CLASS, as far as the calling thread is not like the origin. */
static unsigned
differences(const struct cf__origin *origin)
{
    unsigned different = 0;
    size_t size;
    cpu_set_t *cpus = origin->cpus ? own_cpus(&size) : NULL;
    if (cpus &&
        (size != origin->cpus_size || !CPU_EQUAL_S(size, cpus, origin->cpus)))
        different |= CPUS;
    free(cpus);
    /* A flag for new threads counts as a difference. */
    if (own_policy() != origin->policy ||
        (is_real_time(origin->policy) && own_priority() != origin->priority))
        different |= CLASS;
    return different;
}

/* musl has no such attribute: there the new thread sets its CPUs by itself. */
#ifdef __GLIBC__
static int
say_cpus(pthread_attr_t *attr, const struct cf__origin *origin)
{
    return pthread_attr_setaffinity_np(attr, origin->cpus_size, origin->cpus);
}

static void
enter_cpus(const struct cf__origin *origin)
{
    (void)origin;
}
#else
static int
say_cpus(pthread_attr_t *attr, const struct cf__origin *origin)
{
    (void)attr;
    (void)origin;
    return 0;
}

static void
enter_cpus(const struct cf__origin *origin)
{
    if (origin->cpus)
        (void)sched_setaffinity(0, origin->cpus_size, origin->cpus);
}
#endif

static int
try_start(const struct cf__origin *origin,
          unsigned told,
          pthread_t *out,
          size_t stack_size,
          void *(*fn)(void *arg),
          void *arg)
{
    pthread_attr_t attr;
    pthread_t detached;
    struct sched_param param = {.sched_priority = origin->priority};
    int policy = is_real_time(origin->policy) ? origin->policy : SCHED_OTHER;
    pthread_attr_init(&attr);
    int error = 0;
    if (!out)
        error = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (!error && stack_size)
        error = pthread_attr_setstacksize(&attr, stack_size);
    if (!error && told & CPUS)
        error = say_cpus(&attr, origin);
    if (!error && told & CLASS) {
        (void)pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
        (void)pthread_attr_setschedpolicy(&attr, policy);
        error = pthread_attr_setschedparam(&attr, &param);
    }
    if (!error)
        error = pthread_create(out ? out : &detached, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    return error;
}

int
cf__origin_start(const struct cf__origin *origin,
                 pthread_t *out,
                 size_t stack_size,
                 void *(*fn)(void *arg),
                 void *arg)
{
    unsigned told = differences(origin);
    for (;;) {
        int error = try_start(origin, told, out, stack_size, fn, arg);
        if (!told || (error != EINVAL && error != EPERM))
            return error;
        /* One of the two was refused: with EPERM, the class. Try without it. */
        told &= error == EPERM || !(told & CPUS) ? ~(unsigned)CLASS
                                                 : ~(unsigned)CPUS;
    }
}

void
cf__origin_enter(const struct cf__origin *origin)
{
    const struct sched_param none = {0};
    enter_cpus(origin);
    if (is_real_time(origin->policy))
        return;
    int policy = own_policy() & ~SCHED_RESET_ON_FORK;
    if (policy != origin->policy)
        (void)sched_setscheduler(0, origin->policy, &none);
    if (own_nice() != origin->nice)
        (void)setpriority(PRIO_PROCESS, 0, origin->nice);
}

void
cf__origin_pin(const struct cf__origin *origin, int index)
{
    size_t size = origin->cpus_size;
    cpu_set_t *one = origin->cpus ? calloc(1, size) : NULL;
    if (!one)
        return;
    int skip = index % CPU_COUNT_S(size, origin->cpus);
    size_t cpu = 0;
    while (!CPU_ISSET_S(cpu, size, origin->cpus) || skip-- > 0)
        cpu++;
    CPU_SET_S(cpu, size, one);
    (void)pthread_setaffinity_np(pthread_self(), size, one);
    free(one);
}
