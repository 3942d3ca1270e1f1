/* SPDX-License-Identifier: MIT */
/*
 * The watchdog: a thread that says on standard error which task keeps the loop
 * from the others for too long. README.md, "The watchdog", has the protocol. No
 * locks; all but the loop's calls at the end runs in the watchdog's thread.
 */
#include "event_loop/loop.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/futex.h"
#include "lib/base/helper_thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In lib/base/stay_loaded.c is why. */
#pragma weak dladdr

#define LEAST_PERIOD_NS CF__MS(1)
enum { LINE_SIZE = 512, NAME_SIZE = 128 };

/* The run that the watchdog looks at. */
struct run {
    uint64_t progress;
    int64_t since_ns; /* when it was first seen */
    int64_t cpu_ns;   /* what its thread had computed then */
    bool reported;
};

/* Changes with each switch, and with each begin and end of a task. */
static uint64_t
progress(struct cf__evloop *loop)
{
    /* pairs with the switch: running */
    return cf_load_acquire(&loop->switches) + cf_load_relaxed(&loop->started) +
           cf_load_relaxed(&loop->done);
}

static int64_t
cpu_ns(const struct cf__watchdog *dog)
{
    struct timespec used;
    if (!dog->has_cpu_clock || clock_gettime(dog->cpu_clock, &used) != 0)
        return 0;
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

/* --- the report ----------------------------------------------------------- */

/* fn by its name, if the object that has it exports that; else by its place in
 * the object, as addr2line takes it. */
static void
describe_function(char *to, size_t size, cf_task_fn *fn)
{
    Dl_info info = {0};
    void *address;
    memcpy(&address, &fn, sizeof address); /* POSIX allows that */
    if (!dladdr || !dladdr(address, &info) || !info.dli_fname) {
        snprintf(to, size, "%p", address);
    } else if (info.dli_sname && info.dli_saddr == address) {
        snprintf(to, size, "%s", info.dli_sname);
    } else {
        snprintf(to,
                 size,
                 "%s+0x%" PRIxPTR,
                 info.dli_fname,
                 (uintptr_t)address - (uintptr_t)info.dli_fbase);
    }
}

static void
describe_task(char *to, size_t size, const cf_future *f)
{
    char function[NAME_SIZE];
    describe_function(function, sizeof function, f->fn);
    if (f->attributes && f->attributes->name) {
        snprintf(to,
                 size,
                 "task \"%.*s\" (%s)",
                 NAME_SIZE,
                 f->attributes->name,
                 function);
    } else {
        snprintf(to, size, "task %s", function);
    }
}

/* Says what runs since `run` began. false: it has ended meanwhile. */
static bool
describe_run(struct cf__evloop *loop,
             const struct run *run,
             char *to,
             size_t size)
{
    struct cf__watchdog *dog = &loop->watchdog;
    cf_store_relaxed(&dog->looking, 1);
    cf__fence_full(); /* pairs with cf__coroutine_drop */
    bool same = progress(loop) == run->progress;
    if (same) {
        const struct cf__coroutine *running = cf_load_relaxed(&loop->running);
        /* pairs with take: f is whole */
        const cf_future *f = running ? cf_load_acquire(&running->f) : NULL;
        if (f)
            describe_task(to, size, f);
        else /* what its thread calls between tasks */
            snprintf(to, size, "a callback or initializer");
    }
    cf_store_release(&dog->looking, 0); /* pairs with cf__watchdog_await_look */
    cf__futex_wake(&dog->looking, 1);
    return same;
}

static void
report(struct cf__evloop *loop, struct run *run, int64_t now_ns)
{
    char what[2 * NAME_SIZE + 32], line[LINE_SIZE];
    int64_t computed = cpu_ns(&loop->watchdog) - run->cpu_ns;
    if (!describe_run(loop, run, what, sizeof what))
        return;
    run->reported = true;
    int length = snprintf(line,
                          sizeof line,
                          "cfutures: %s: %s has held the event loop for "
                          "%" PRId64 " ms (it computed for %" PRId64 " ms)\n",
                          loop->name,
                          what,
                          (now_ns - run->since_ns) / CF__MS(1),
                          computed / CF__MS(1));
    (void)cf__write(STDERR_FILENO, line, (size_t)length);
}

/* --- the thread ----------------------------------------------------------- */

static struct run
begin_run(struct cf__evloop *loop)
{
    struct run run = {.progress = progress(loop)};
    run.since_ns = cf__now_ns(); /* later: no run looks longer than it is */
    run.cpu_ns = cpu_ns(&loop->watchdog);
    return run;
}

static void
look(struct cf__evloop *loop, struct run *run)
{
    struct cf__watchdog *dog = &loop->watchdog;
    int64_t now = cf__now_ns();
    if (progress(loop) != run->progress) {
        *run = begin_run(loop);
        return;
    }
    int64_t length = now - run->since_ns;
    if (length > cf_load_relaxed(&dog->longest_ns))
        cf_store_relaxed(&dog->longest_ns, length);
    if (length >= dog->stall_ns && !run->reported)
        report(loop, run, now);
}

/* Sleeps for as long as the loop's thread does. false: that works. */
static bool
rest(struct cf__watchdog *dog)
{
    uint32_t rests = CF__WATCH_RESTS;
    /* pairs with cf__watchdog_work: that sees that it has to wake */
    if (!cf_cas_acq_rel(&dog->at_work, &rests, CF__WATCH_ALONE))
        return false;
    while (cf_load_acquire(&dog->at_work) == CF__WATCH_ALONE) /* likewise */
        (void)cf__futex_wait(&dog->at_work, CF__WATCH_ALONE, CF__NEVER);
    return true;
}

static void *
watch(void *arg)
{
    struct cf__evloop *loop = arg;
    struct cf__watchdog *dog = &loop->watchdog;
    struct run run = begin_run(loop);
    int64_t period = dog->stall_ns / 4;
    if (period < LEAST_PERIOD_NS)
        period = LEAST_PERIOD_NS;
    cf__helper_thread_enter(&loop->base.origin, "cf_watchdog");
    while (!cf_load_relaxed(&dog->over)) { /* the join orders all else */
        if (!rest(dog))
            look(loop, &run);
        (void)cf__futex_wait(
            &dog->over, 0, cf__deadline_from(cf__now_ns(), period));
    }
    return NULL;
}

/* --- the loop's thread ---------------------------------------------------- */

void
cf__watchdog_begin(struct cf__evloop *loop)
{
    struct cf__watchdog *dog = &loop->watchdog;
    if (loop->options.stall_ns <= 0)
        return;
    dog->stall_ns = loop->options.stall_ns;
    dog->has_cpu_clock =
        pthread_getcpuclockid(pthread_self(), &dog->cpu_clock) == 0;
    dog->on = cf__helper_thread_start(
                  &loop->base.origin, &dog->thread, watch, loop) == CF_OK;
    if (!dog->on) {
        char line[LINE_SIZE];
        int length = snprintf(line,
                              sizeof line,
                              "cfutures: %s: no thread for the watchdog\n",
                              loop->name);
        (void)cf__write(STDERR_FILENO, line, (size_t)length);
    }
}

void
cf__watchdog_end(struct cf__evloop *loop)
{
    struct cf__watchdog *dog = &loop->watchdog;
    if (!dog->on)
        return;
    cf_store_relaxed(&dog->over, 1);
    cf__futex_wake(&dog->over, 1);
    cf__watchdog_work(loop); /* it may sleep because the loop's thread did */
    cf__join(dog->thread);
    dog->on = false;
}

void
cf__watchdog_wake(struct cf__watchdog *dog)
{
    cf__futex_wake(&dog->at_work, 1);
}

void
cf__watchdog_await_look(struct cf__watchdog *dog)
{
    while (cf_load_acquire(&dog->looking)) /* pairs with describe_run */
        (void)cf__futex_wait(&dog->looking, 1, CF__NEVER);
}

void
cf__watchdog_after_fork(struct cf__watchdog *dog)
{
    dog->on = false; /* the thread is the parent's */
    cf_store_relaxed(&dog->looking, 0);
}

/* --- how long a stall is -------------------------------------------------- */

/* "100ms": 0 if the text is no time, or none that is more than 0. */
static int64_t
parse_time(const char *text)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ns", 1}, {"us", 1000}, {"ms", CF__MS(1)}, {"s", CF__MS(1000)}};
    char *end;
    if (*text < '0' || *text > '9')
        return 0;
    errno = 0;
    long long count = strtoll(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) == 0) {
            bool fits = !errno && count <= INT64_MAX / units[i].ns;
            return fits ? (int64_t)count * units[i].ns : 0;
        }
    }
    return 0;
}

int64_t
cf__watchdog_stall_ns(int64_t option)
{
    if (option != 0)
        return option > 0 ? option : 0;
    const char *text = getenv("CF_LOOP_STALL");
    int64_t stall_ns = text && *text ? parse_time(text) : 0;
    if (text && *text && stall_ns == 0) {
        char line[LINE_SIZE];
        int length = snprintf(line,
                              sizeof line,
                              "cfutures: CF_LOOP_STALL=%.64s is no time, such "
                              "as 100ms\n",
                              text);
        (void)cf__write(STDERR_FILENO, line, (size_t)length);
    }
    return stall_ns;
}
