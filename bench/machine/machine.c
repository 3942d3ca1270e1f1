/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself charges, with no library: a cache line that changes
 * its CPU, a page fault, a wake-up, a system call. Machines differ more in
 * these than programs do. n is how often each is done.
 */
#include "common/bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* What two threads take turns with. */
typedef struct turns {
    _Alignas(64) atomic_uint word; /* alone in its cache line */
    _Alignas(64) unsigned count;   /* of turns */
    size_t cpu;                    /* of the second thread */
    atomic_bool asleep;            /* the second thread is about to sleep */
    _Atomic uint64_t rung_at;      /* when it was woken */
    double *late_ns;               /* of each wake-up */
} turns;

static void
pin(size_t cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        bench_die("cannot run on CPU %zu", cpu);
}

/* The CPU that comes after so many others that this process may run on. */
static size_t
nth_cpu(const cpu_set_t *all, int before)
{
    size_t cpu = 0;

    while (!CPU_ISSET(cpu, all) || before-- > 0)
        cpu++;
    return cpu;
}

/* --- a line --------------------------------------------------------------- */

/* Makes an odd value of the word even, by adding 1. */
static void *
second_main(void *arg)
{
    turns *t = arg;

    pin(t->cpu);
    for (unsigned i = 1; i < 2 * t->count; i += 2) {
        while (atomic_load_explicit(&t->word, memory_order_acquire) != i)
            continue;
        atomic_store_explicit(&t->word, i + 1, memory_order_release);
    }
    return NULL;
}

/* From the CPU of this thread to another one, and back. */
static double
line_ns(size_t other, size_t count)
{
    turns t = {.count = (unsigned)count, .cpu = other};
    pthread_t second;

    if (pthread_create(&second, NULL, second_main, &t) != 0)
        bench_die("pthread_create failed");
    /* it has come when it has taken its first turn */
    atomic_store(&t.word, 1);
    while (atomic_load(&t.word) == 1)
        continue;
    uint64_t start = bench_now_ns();
    for (unsigned i = 1; i < t.count; i++) {
        atomic_store_explicit(&t.word, 2 * i + 1, memory_order_release);
        while (atomic_load_explicit(&t.word, memory_order_acquire) != 2 * i + 2)
            continue;
    }
    uint64_t end = bench_now_ns();
    pthread_join(second, NULL);
    return (double)(end - start) / (2.0 * (double)(count - 1));
}

/* --- a wake-up ------------------------------------------------------------ */

static void
futex(atomic_uint *word, int operation, unsigned value)
{
    (void)syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void *
sleeper_main(void *arg)
{
    turns *t = arg;

    pin(t->cpu);
    for (unsigned i = 0; i < t->count; i++) {
        atomic_store(&t->asleep, true);
        while (atomic_load(&t->word) == i)
            futex(&t->word, FUTEX_WAIT_PRIVATE, i);
        t->late_ns[i] = (double)(bench_now_ns() - atomic_load(&t->rung_at));
    }
    return NULL;
}

static void
pass(uint64_t ns)
{
    uint64_t start = bench_now_ns();

    while (bench_now_ns() - start < ns)
        continue;
}

/* From just before the call that wakes until the sleeper runs, on a CPU that
 * had nothing to do meanwhile: the median. */
static double
wake_up_ns(size_t other, size_t count)
{
    enum { SLEEP_NS = 100000 };
    turns t = {.count = (unsigned)count, .cpu = other};
    pthread_t sleeper;

    t.late_ns = bench_alloc(count, sizeof(*t.late_ns));
    if (pthread_create(&sleeper, NULL, sleeper_main, &t) != 0)
        bench_die("pthread_create failed");
    for (unsigned i = 0; i < t.count; i++) {
        while (!atomic_load(&t.asleep))
            sched_yield();
        atomic_store(&t.asleep, false);
        pass(SLEEP_NS);
        atomic_store(&t.rung_at, bench_now_ns());
        atomic_store(&t.word, i + 1);
        futex(&t.word, FUTEX_WAKE_PRIVATE, 1);
    }
    pthread_join(sleeper, NULL);
    double median = bench_median(t.late_ns, count);
    free(t.late_ns);
    return median;
}

/* --- a page fault, a system call ------------------------------------------ */

static double
page_fault_ns(size_t count)
{
    unsigned char *p = mmap(NULL,
                            count * PAGE,
                            PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS,
                            -1,
                            0);

    if (p == MAP_FAILED)
        bench_die("no memory for %zu pages", count);
    (void)madvise(p, count * PAGE, MADV_NOHUGEPAGE);
    uint64_t start = bench_now_ns();
    for (size_t i = 0; i < count; i++)
        ((volatile unsigned char *)p)[i * PAGE] = 1;
    uint64_t end = bench_now_ns();
    munmap(p, count * PAGE);
    return (double)(end - start) / (double)count;
}

static double
system_call_ns(size_t count)
{
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < count; i++)
        (void)syscall(SYS_getppid);
    return (double)(bench_now_ns() - start) / (double)count;
}

/* The least and the most of all CPUs, seen from the first one. */
static void
lines(const cpu_set_t *all, const bench_options *o)
{
    enum { CPUS_MAX = 64 };
    double least = 0, most = 0;
    double *ns = bench_alloc((size_t)o->rounds, sizeof(*ns));

    for (int i = 1; i < CPU_COUNT(all) && i < CPUS_MAX; i++) {
        for (int round = 0; round < o->rounds; round++)
            ns[round] = line_ns(nth_cpu(all, i), o->n);
        double median = bench_median(ns, (size_t)o->rounds);
        if (i == 1 || median < least)
            least = median;
        if (median > most)
            most = median;
    }
    bench_metric("line_ns", least);
    bench_metric("line_far_ns", most);
    free(ns);
}

int
main(int argc, char **argv)
{
    enum { WAKE_UPS_PART = 20 }; /* each sleeps for a while */
    bench_options o = bench_parse(argc, argv, 10000);
    cpu_set_t all;

    if (sched_getaffinity(0, sizeof(all), &all) != 0)
        bench_die("sched_getaffinity failed");
    o.n = o.n < 2 * WAKE_UPS_PART ? 2 * WAKE_UPS_PART : o.n;
    bench_metric("page_fault_ns", page_fault_ns(o.n));
    bench_metric("system_call_ns", system_call_ns(o.n));
    pin(nth_cpu(&all, 0));
    if (CPU_COUNT(&all) > 1) {
        lines(&all, &o);
        bench_metric("wake_up_ns",
                     wake_up_ns(nth_cpu(&all, 1), o.n / WAKE_UPS_PART));
    }
    return 0;
}
