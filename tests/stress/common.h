/* SPDX-License-Identifier: MIT */
/*
 * What the stress programs share. Each is called as `program [seconds]
 * [seed]`, prints both, and ends with 0, 1 or, when skipped, 77. A watchdog
 * aborts with a dump when nothing has happened for 20 seconds: a wake-up was
 * lost, or something waits for itself.
 */
#ifndef CF_TESTS_STRESS_COMMON_H
#define CF_TESTS_STRESS_COMMON_H

#include <cfutures/cfutures.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
    STRESS_SKIPPED = 77,
    STRESS_THREADS_MAX = 16, /* of one crew */
    STRESS_WORKERS_MAX = 4
};

/* Which sanitizer this is built with. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STRESS_TSAN 1
#elif __has_feature(address_sanitizer)
#define STRESS_ASAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define STRESS_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define STRESS_ASAN 1
#endif
#ifndef STRESS_TSAN
#define STRESS_TSAN 0
#endif
#ifndef STRESS_ASAN
#define STRESS_ASAN 0
#endif

/* --- failing ------------------------------------------------------------ */

/* Says what is wrong and ends the program at once with 1. */
_Noreturn void stress_fail(const char *file, int line, const char *format, ...)
    CF_PRINTF(3, 4);

#define FAIL(...) stress_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition)                                                       \
    ((condition) ? (void)0 : FAIL("not true: %s", #condition))
#define CHECK_EQ(a, b)                                                         \
    stress_check_eq(                                                           \
        __FILE__, __LINE__, #a " == " #b, (int64_t)(a), (int64_t)(b))

void stress_check_eq(
    const char *file, int line, const char *what, int64_t a, int64_t b);

/* --- the program -------------------------------------------------------- */

/* Reads the arguments and starts the watchdog. */
void stress_begin(int argc, char **argv);

/* There is time for one more round. */
bool stress_goes_on(void);

/* Monotonic nanoseconds. */
int64_t stress_now_ns(void);

/* Something has happened: the watchdog starts to count from 0 again. */
void stress_alive(void);

/* The dump will have this executor's statistics, and in Debug and sanitizer
 * builds its structures are checked some hundred times a second; NULL: none.
 * Before it is destroyed. */
void stress_show(cf_executor *ex);

/* Ends the watchdog and prints a summary. Returns 0, for main. */
int stress_end(const char *format, ...) CF_PRINTF(1, 2);

/* Threads of this process now. */
int stress_count_threads(void);

/* --- random numbers ----------------------------------------------------- */

struct random {
    uint64_t state;
};

/* The same for the same program seed and stream. */
struct random random_stream(uint64_t stream);

uint64_t random_next(struct random *r);

/* 0 .. n - 1; n is not 0. */
unsigned random_below(struct random *r, unsigned n);

bool random_percent(struct random *r, unsigned percent);

/* Keeps the processor busy, mostly for less than most_ns: every order of
 * magnitude below it is as likely. */
void random_delay(struct random *r, unsigned most_ns);

/* --- threads ------------------------------------------------------------ */

typedef void stress_fn(unsigned index, void *data);

struct crew {
    unsigned count;
    stress_fn *fn;
    void *data;
    pthread_barrier_t start; /* all begin together */
    struct crew_member {
        struct crew *crew;
        unsigned index;
        pthread_t thread;
    } members[STRESS_THREADS_MAX];
};

void crew_start(struct crew *crew, unsigned count, stress_fn *fn, void *data);
void crew_join(struct crew *crew);

/* Starts and joins. */
void in_threads(unsigned count, stress_fn *fn, void *data);

/* --- pools -------------------------------------------------------------- */

/* A pool of so many workers, shown in the dump. */
cf_executor *stress_pool(int workers);

/* The same, of processes. */
cf_executor *stress_process_pool(int workers);

/* Of 1 .. STRESS_WORKERS_MAX workers. */
cf_executor *stress_random_pool(struct random *r);

/* Destroys what these made. */
void stress_pool_destroy(cf_executor *ex);

#endif
