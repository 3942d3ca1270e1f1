/* SPDX-License-Identifier: MIT */
/*
 * What the machine itself charges, with no library: a cache line that changes
 * its CPU, a page fault, a wake-up, a system call. Machines differ more in
 * these than programs do. n is how often each is done: in bursts, of which the
 * median counts, as other programs may have the CPU during some of them.
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

enum { PAGE = 4096, BURST = 100 };

/* What two threads take turns with. */
typedef struct turns {
    _Alignas(64) atomic_uint word; /* alone in its cache line */
    _Alignas(64) unsigned count;   /* of turns */
    size_t cpu;                    /* of the second thread */
    atomic_bool asleep;            /* the second thread is about to sleep */
    _Atomic uint64_t rung_at;      /* when it was woken */
    double *late_ns;               /* of each wake-up */
} turns;

/* What one of a burst cost. */
static double
each_ns(uint64_t start)
{
    return (double)(bench_now_ns() - start) / BURST;
}

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
line_ns(size_t other, double *bursts, size_t count)
{
    turns t = {.count = (unsigned)(1 + count * BURST), .cpu = other};
    pthread_t second;

    if (pthread_create(&second, NULL, second_main, &t) != 0)
        bench_die("pthread_create failed");
    /* it has come when it has taken its first turn */
    atomic_store(&t.word, 1);
    while (atomic_load(&t.word) == 1)
        continue;
    unsigned next = 3;
    for (size_t i = 0; i < count; i++) {
        uint64_t start = bench_now_ns();
        for (int k = 0; k < BURST; k++, next += 2) {
            atomic_store_explicit(&t.word, next, memory_order_release);
            while (atomic_load_explicit(&t.word, memory_order_acquire) == next)
                continue;
        }
        bursts[i] = each_ns(start) / 2; /* there and back */
    }
    pthread_join(second, NULL);
    return bench_median(bursts, count);
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
page_fault_ns(double *bursts, size_t count)
{
    const size_t size = count * BURST * PAGE;
    volatile unsigned char *p = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        bench_die("no memory for %zu bytes", size);
    (void)madvise((void *)p, size, MADV_NOHUGEPAGE);
    volatile unsigned char *page = p;
    for (size_t i = 0; i < count; i++) {
        uint64_t start = bench_now_ns();
        for (int k = 0; k < BURST; k++, page += PAGE)
            *page = 1;
        bursts[i] = each_ns(start);
    }
    munmap((void *)p, size);
    return bench_median(bursts, count);
}

static double
system_call_ns(double *bursts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t start = bench_now_ns();
        for (int k = 0; k < BURST; k++)
            (void)syscall(SYS_getppid);
        bursts[i] = each_ns(start);
    }
    return bench_median(bursts, count);
}

/* The least and the most of all CPUs, seen from the first one. */
static void
lines(const cpu_set_t *all, double *bursts, size_t count)
{
    enum { CPUS_MAX = 64 };
    double least = 0, most = 0;

    for (int i = 1; i < CPU_COUNT(all) && i < CPUS_MAX; i++) {
        double ns = line_ns(nth_cpu(all, i), bursts, count);
        if (i == 1 || ns < least)
            least = ns;
        if (ns > most)
            most = ns;
    }
    bench_metric("line_ns", least);
    bench_metric("line_far_ns", most);
}

int
main(int argc, char **argv)
{
    bench_options o = bench_parse(argc, argv, 20000);
    size_t count = o.n < BURST ? 1 : o.n / BURST; /* of bursts, and wake-ups */
    double *bursts = bench_alloc(count, sizeof(*bursts));
    cpu_set_t all;

    if (sched_getaffinity(0, sizeof(all), &all) != 0)
        bench_die("sched_getaffinity failed");
    bench_metric("page_fault_ns", page_fault_ns(bursts, count));
    bench_metric("system_call_ns", system_call_ns(bursts, count));
    pin(nth_cpu(&all, 0));
    if (CPU_COUNT(&all) > 1) {
        lines(&all, bursts, count);
        bench_metric("wake_up_ns", wake_up_ns(nth_cpu(&all, 1), count));
    }
    free(bursts);
    return 0;
}
