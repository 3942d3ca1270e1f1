/* SPDX-License-Identifier: MIT */
/*
 * Tasks that write random bytes over everything that they can reach of what
 * their process pool shares with the program. That may cost them their own
 * result, and their worker. But the results of later tasks are right, each of
 * them completes, and the program neither crashes nor hangs.
 */
#define _GNU_SOURCE
#include "common.h"

#include <cfutures/process_pool.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/process.h"
#include "tests/support/shared.h"

enum {
    ROUNDS = 40, /* per pool */
    LATER = 700, /* tasks after a scribble: more than a worker has in hand */
    WORKERS_MAX = 3,
    SCRIBBLERS_MAX = 3,
    TAINTED_MAX = ROUNDS * SCRIBBLERS_MAX,
    PARTS = 12, /* written one after the other */
    MAPPINGS_MAX = 64,
    RESERVED = 16 << 20 /* bytes of shared memory: it may all be filled */
};

/* How a scribbler goes about it, and how it ends. */
enum how { EVERYTHING, SOME_PARTS, THE_BEGINNINGS, HOWS };
enum ending { RETURNS, FAILS, EXITS, CRASHES, LINGERS, ENDINGS };

struct scribble {
    enum how how;
    enum ending ending;
    uint64_t seed;
};

/* Shared with the workers: in which processes scribblers have run, and which
 * of them still do. */
static struct tainted {
    atomic_int count;
    atomic_int pids[TAINTED_MAX];
    atomic_int lingering[TAINTED_MAX]; /* 0: not any more */
} * tainted;

static struct {
    unsigned scribbles, lost, later, later_died;
} sum;

/* --- scribbling ---------------------------------------------------------- */

struct mapping {
    unsigned char *begin;
    size_t size;
};

/* Shared mappings that can be written, but for the test's own. */
static unsigned
find_mappings(struct mapping *mappings)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[512], mode[8];
    unsigned long begin, end;
    unsigned count = 0;
    if (file == NULL)
        return 0;
    while (count < MAPPINGS_MAX && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, mode) != 3 ||
            strncmp(mode, "rw-s", 4) != 0 ||
            ((uintptr_t)tainted >= begin && (uintptr_t)tainted < end))
            continue;
        mappings[count++] =
            (struct mapping){(unsigned char *)begin, end - begin};
    }
    fclose(file);
    return count;
}

static void
overwrite(struct random *r, unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = random_next(r);
        memcpy(p + i, &word, size - i < 8 ? size - i : 8);
    }
}

static void
overwrite_part(struct random *r, const struct mapping *m, enum how how)
{
    unsigned reach =
        (unsigned)(how == THE_BEGINNINGS && m->size > 32768 ? 32768 : m->size);
    unsigned at = random_below(r, reach);
    unsigned size = 1 + random_below(r, (reach - at) >> random_below(r, 16));
    overwrite(r, m->begin + at, size < reach - at ? size : reach - at);
}

static void
scribble(struct random *r, enum how how)
{
    struct mapping mappings[MAPPINGS_MAX];
    unsigned count = find_mappings(mappings);
    for (unsigned i = 0; how == EVERYTHING && i < count; i++)
        overwrite(r, mappings[i].begin, mappings[i].size);
    for (unsigned i = 0; how != EVERYTHING && count > 0 && i < PARTS; i++) {
        overwrite_part(r, &mappings[random_below(r, count)], how);
        random_delay(r, 20000);
    }
}

/* Goes on when its task has returned, for a while. */
static void *
linger(void *arg)
{
    struct scribble s = *(struct scribble *)arg;
    struct random r = {s.seed};
    for (int i = 0; i < 3; i++)
        scribble(&r, SOME_PARTS);
    (void)kill(getpid(), SIGKILL);
    return NULL;
}

static int
task_scribble(cf_call *call, const void *arg, size_t arg_size)
{
    static struct scribble s; /* for the thread */
    pthread_t thread;
    (void)arg_size;
    memcpy(&s, arg, sizeof s);
    struct random r = {s.seed};
    int slot = atomic_fetch_add(&tainted->count, 1);
    atomic_store(&tainted->pids[slot], (int)getpid());
    atomic_store(&tainted->lingering[slot],
                 s.ending == LINGERS ? (int)getpid() : 0);
    if (s.ending == LINGERS) {
        if (pthread_create(&thread, NULL, linger, &s) != 0)
            _exit(2);
        return 0;
    }
    scribble(&r, s.how);
    if (s.ending == EXITS)
        _exit((int)random_below(&r, 256));
    if (s.ending == CRASHES)
        abort();
    if (s.ending == FAILS)
        return cf_fail(call, 5, "after scribbling");
    return cf_return(call, &s, sizeof s) != CF_OK;
}

static int
task_square(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned n;
    (void)arg_size;
    memcpy(&n, arg, sizeof n);
    n *= n;
    return cf_return(call, &n, sizeof n) != CF_OK;
}

static int
task_bytes(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned n;
    (void)arg_size;
    memcpy(&n, arg, sizeof n);
    unsigned char *p = cf_return_buffer(call, n * 10);
    if (p == NULL)
        return cf_fail(call, 1, "no memory");
    memset(p, (int)(n & 0xff), n * 10);
    return 0;
}

/* --- the program --------------------------------------------------------- */

static bool
is_tainted(int pid)
{
    for (int i = 0; i < atomic_load(&tainted->count); i++)
        if (atomic_load(&tainted->pids[i]) == pid)
            return true;
    return false;
}

/* Submits scribblers; each may end in any way, but does end. */
static void
run_scribblers(cf_executor *ex, struct random *r, bool *lingers)
{
    cf_future *fs[SCRIBBLERS_MAX];
    unsigned count = 1 + random_below(r, SCRIBBLERS_MAX);
    *lingers = false;
    for (unsigned i = 0; i < count; i++) {
        struct scribble s = {(enum how)random_below(r, HOWS),
                             (enum ending)random_below(r, ENDINGS),
                             random_next(r)};
        *lingers = *lingers || s.ending == LINGERS;
        CHECK_EQ(cf_submit(ex, task_scribble, &s, sizeof s, &fs[i]), CF_OK);
    }
    for (unsigned i = 0; i < count; i++) {
        sum.scribbles++;
        sum.lost += cf_future_result(fs[i], CF_FOREVER, NULL) != CF_OK;
        cf_future_unref(fs[i]);
    }
}

static void
check_later(cf_future *f, unsigned i)
{
    cf_bytes bytes = {NULL, 0};
    cf_err err = cf_future_result(f, CF_FOREVER, &bytes);
    stress_alive();
    if (err == CF_EWORKERDIED && is_tainted(cf_future_error(f)->pid)) {
        sum.later_died++;
        return;
    }
    if (err != CF_OK)
        FAIL("task %u: %s: %s",
             i,
             cf_err_name(err),
             cf_future_error(f) ? cf_future_error(f)->message : "");
    if (i % 8 == 7) {
        CHECK_EQ(bytes.size, i * 10);
        for (unsigned k = 0; k < bytes.size; k++)
            CHECK_EQ(((const unsigned char *)bytes.data)[k], i & 0xff);
    } else {
        unsigned square;
        CHECK_EQ(bytes.size, sizeof square);
        memcpy(&square, bytes.data, sizeof square);
        CHECK_EQ(square, i * i);
    }
}

/* What they return is right, if that is to be checked; only those may die whose
 * worker has been written over. */
static void
run_later(cf_executor *ex, bool checked)
{
    static cf_future *fs[LATER];
    for (unsigned i = 0; i < LATER; i++)
        CHECK_EQ(cf_submit(ex,
                           i % 8 == 7 ? task_bytes : task_square,
                           &i,
                           sizeof i,
                           &fs[i]),
                 CF_OK);
    for (unsigned i = 0; i < LATER; i++) {
        if (checked)
            check_later(fs[i], i);
        else
            CHECK_EQ(cf_future_wait(fs[i], CF_FOREVER), CF_OK);
        sum.later++;
        cf_future_unref(fs[i]);
    }
}

/* All processes that scribbled and are to kill themselves have done so. */
static void
await_lingering(void)
{
    for (int i = 0; i < atomic_load(&tainted->count); i++) {
        int pid = atomic_load(&tainted->lingering[i]);
        while (pid > 0 && process_lives(pid))
            sched_yield();
    }
}

static void
use_a_pool(struct random *r)
{
    cf_process_pool_options options = CF_PROCESS_POOL_OPTIONS_INIT;
    cf_executor *ex = NULL;
    options.max_workers = 1 + (int)random_below(r, WORKERS_MAX);
    options.shared_memory = RESERVED;
    options.kill_grace_ns = CF_MS(20);
    atomic_store(&tainted->count, 0);
    CHECK_EQ(cf_process_pool_create(&options, &ex), CF_OK);
    stress_show(ex);
    for (int i = 0; i < ROUNDS && stress_goes_on(); i++) {
        bool lingers;
        void *before = cf_shared_alloc(ex, 1 + random_below(r, 100000));
        run_scribblers(ex, r, &lingers);
        run_later(ex, !lingers);
        if (lingers) { /* until it has killed itself */
            await_lingering();
            run_later(ex, true);
        }
        void *after = cf_shared_alloc(ex, 1 + random_below(r, 100000));
        CHECK(before != NULL && after != NULL);
        cf_shared_free(ex, before);
        cf_shared_free(ex, after);
    }
    stress_pool_destroy(ex);
}

int
main(int argc, char **argv)
{
    if (STRESS_TSAN) /* fork in a program with threads: not its thing */
        return STRESS_SKIPPED;
    stress_begin(argc, argv);
    tainted = shared_new(sizeof *tainted);
    struct random r = random_stream(0);
    while (stress_goes_on())
        use_a_pool(&r);
    return stress_end("%u scribbles, %u of them lost; %u later tasks, %u died",
                      sum.scribbles,
                      sum.lost,
                      sum.later,
                      sum.later_died);
}
