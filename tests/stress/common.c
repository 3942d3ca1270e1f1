/* SPDX-License-Identifier: MIT */
/* What the stress programs share: see common.h. */
#include "common.h"

#include "lib/executor/check.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SILENCE_MAX = 20, /* seconds */
    DUMP_MAX = 5,     /* seconds */
    CHECK_EVERY = 5   /* milliseconds */
};

static struct {
    const char *name;
    uint64_t seed;
    int64_t end_ns;
    /* Atomic. Writers: all threads; the watchdog looks whether it changes. */
    atomic_uint_fast64_t events;
    pthread_t watchdog;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Guarded by lock. */
    bool watched, over;
    cf_executor *shown;
} program = {.lock = PTHREAD_MUTEX_INITIALIZER};

int64_t
stress_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return CF_SECONDS(t.tv_sec) + t.tv_nsec;
}

/* --- failing ------------------------------------------------------------ */

void
stress_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    flockfile(stderr);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (seed %" PRIu64 ")\n", program.seed);
    va_end(args);
    fflush(stderr);
    _exit(1); /* the other threads still run: no exit hooks */
}

void
stress_check_eq(
    const char *file, int line, const char *what, int64_t a, int64_t b)
{
    if (a != b)
        stress_fail(
            file, line, "not true: %s: %" PRId64 " and %" PRId64, what, a, b);
}

/* --- the watchdog ------------------------------------------------------- */

/* Calls fn, if any, for each thread; returns how many there are. */
static int
for_each_thread(void (*fn)(const char *id))
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (!folder)
        FAIL("/proc/self/task: %s", strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (fn)
            fn(entry->d_name);
    }
    closedir(folder);
    return count;
}

/* Its number, its name and its state. */
static void
dump_thread(const char *id)
{
    char path[300], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%s/stat", id);
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    if (fgets(text, sizeof text, file)) {
        char *name_end = strrchr(text, ')');
        int length = name_end ? (int)(name_end - text) + 3 : 0;
        fprintf(stderr, "  %.*s\n", length, text);
    }
    fclose(file);
}

_Noreturn static void
give_up(cf_executor *shown)
{
    fprintf(stderr,
            "%s: nothing has happened for %d s (seed %" PRIu64 "). Threads:\n",
            program.name,
            SILENCE_MAX,
            program.seed);
    (void)for_each_thread(dump_thread);
    alarm(DUMP_MAX); /* the statistics take a lock, which may be the matter */
    cf_stats s;
    if (shown && cf_executor_stats(shown, &s) == CF_OK)
        fprintf(stderr,
                "Pool of %d: workers %" PRIu64 " idle %" PRIu64
                " queued %" PRIu64 " running %" PRIu64 " done %" PRIu64
                " canceled %" PRIu64 " restarts %" PRIu64 "\n",
                cf_executor_max_workers(shown),
                s.workers,
                s.idle,
                s.queued,
                s.running,
                s.done,
                s.canceled,
                s.restarts);
    abort();
}

static void *
watch(void *unused)
{
    (void)unused;
    uint_fast64_t seen = 0;
    int64_t since = stress_now_ns();
    pthread_mutex_lock(&program.lock);
    program.watched = true;
    pthread_cond_signal(&program.changed);
    while (!program.over) {
        struct timespec at;
        clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_nsec += CHECK_EVERY * 1000000L;
        if (at.tv_nsec >= 1000000000L) {
            at.tv_sec++;
            at.tv_nsec -= 1000000000L;
        }
        if (pthread_cond_timedwait(&program.changed, &program.lock, &at) !=
            ETIMEDOUT)
            continue;
        if (program.shown)
            cf__executor_check(program.shown);
        uint_fast64_t events =
            atomic_load_explicit(&program.events, memory_order_relaxed);
        if (events != seen)
            since = stress_now_ns();
        seen = events;
        if (stress_now_ns() - since >= CF_SECONDS(SILENCE_MAX))
            give_up(program.shown);
    }
    pthread_mutex_unlock(&program.lock);
    return NULL;
}

void
stress_alive(void)
{
    atomic_fetch_add_explicit(&program.events, 1, memory_order_relaxed);
}

void
stress_show(cf_executor *ex)
{
    pthread_mutex_lock(&program.lock);
    program.shown = ex;
    pthread_mutex_unlock(&program.lock);
}

/* --- the program -------------------------------------------------------- */

void
stress_begin(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    program.name = slash ? slash + 1 : argv[0];
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    program.seed = argc > 2 ? strtoull(argv[2], NULL, 0)
                            : (uint64_t)stress_now_ns() % 1000000007;
    program.end_ns = stress_now_ns() + (int64_t)(seconds * 1e9);
    printf("%s: %g s, seed %" PRIu64 "\n", program.name, seconds, program.seed);
    fflush(stdout);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&program.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&program.watchdog, NULL, watch, NULL) != 0)
        FAIL("the watchdog's thread could not be started");
    /* A process that is forked while a thread begins finds the address
     * sanitizer's allocator locked. */
    pthread_mutex_lock(&program.lock);
    while (!program.watched)
        pthread_cond_wait(&program.changed, &program.lock);
    pthread_mutex_unlock(&program.lock);
}

bool
stress_goes_on(void)
{
    stress_alive();
    return stress_now_ns() < program.end_ns;
}

int
stress_end(const char *format, ...)
{
    pthread_mutex_lock(&program.lock);
    program.over = true;
    pthread_cond_signal(&program.changed);
    pthread_mutex_unlock(&program.lock);
    pthread_join(program.watchdog, NULL);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    return 0;
}

int
stress_count_threads(void)
{
    return for_each_thread(NULL);
}

/* --- random numbers ----------------------------------------------------- */

uint64_t
random_next(struct random *r)
{
    /* splitmix64: small, and every seed is good. */
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct random
random_stream(uint64_t stream)
{
    struct random r = {program.seed};
    r.state = random_next(&r) ^ stream * UINT64_C(0xd1342543de82ef95);
    return r;
}

unsigned
random_below(struct random *r, unsigned n)
{
    return (unsigned)((random_next(r) >> 32) * n >> 32);
}

bool
random_percent(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

void
random_delay(struct random *r, unsigned most_ns)
{
    unsigned magnitudes = 1;
    while (most_ns >> magnitudes)
        magnitudes++;
    unsigned limit = most_ns >> random_below(r, magnitudes);
    int64_t until = stress_now_ns() + (limit ? random_below(r, limit) : 0);
    while (stress_now_ns() < until)
        continue;
}

/* --- threads ------------------------------------------------------------ */

static void *
crew_main(void *arg)
{
    struct crew_member *member = arg;
    pthread_barrier_wait(&member->crew->start);
    member->crew->fn(member->index, member->crew->data);
    return NULL;
}

void
crew_start(struct crew *crew, unsigned count, stress_fn *fn, void *data)
{
    crew->count = count;
    crew->fn = fn;
    crew->data = data;
    CHECK(count <= STRESS_THREADS_MAX);
    pthread_barrier_init(&crew->start, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        struct crew_member *member = &crew->members[i];
        member->crew = crew;
        member->index = i;
        CHECK_EQ(pthread_create(&member->thread, NULL, crew_main, member), 0);
    }
}

void
crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        pthread_join(crew->members[i].thread, NULL);
    pthread_barrier_destroy(&crew->start);
}

void
in_threads(unsigned count, stress_fn *fn, void *data)
{
    struct crew crew;
    crew_start(&crew, count, fn, data);
    crew_join(&crew);
}

/* --- pools -------------------------------------------------------------- */

cf_executor *
stress_pool(int workers)
{
    cf_thread_pool_options options = CF_THREAD_POOL_OPTIONS_INIT;
    options.max_workers = workers;
    cf_executor *ex;
    CHECK_EQ(cf_thread_pool_create(&options, &ex), CF_OK);
    stress_show(ex);
    return ex;
}

cf_executor *
stress_process_pool(int workers)
{
    char spec[32];
    cf_executor *ex;
    snprintf(spec, sizeof spec, "processes:%d", workers);
    CHECK_EQ(cf_executor_open(spec, &ex), CF_OK);
    stress_show(ex);
    return ex;
}

cf_executor *
stress_random_pool(struct random *r)
{
    return stress_pool(1 + (int)random_below(r, STRESS_WORKERS_MAX));
}

void
stress_pool_destroy(cf_executor *ex)
{
    stress_show(NULL);
    cf_executor_destroy(ex);
}
