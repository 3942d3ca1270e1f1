/* SPDX-License-Identifier: MIT */
/*
 * A loop that sleeps in libuv, against threads that wake it while it ends:
 * attacks `owed` and `sent` of event_loop/engine.c, and the watches of
 * wait_fd.c. Eight threads complete what tasks wait for and make descriptors
 * readable; the loop is destroyed meanwhile, so that the last wake-up often
 * comes as it closes.
 */
#include "common.h"

#include <cfutures/event_loop.h>
#include <cfutures/io.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TASKS = 24, THREADS = 8, DESCRIPTORS = 8 };

struct round {
    uint64_t number;
    cf_future *promises[TASKS]; /* task i waits for the i-th */
    int fds[DESCRIPTORS];       /* tasks from 0 on wait for these too */
};

struct job {
    struct round *round;
    unsigned index;
};

static atomic_uint_fast64_t waits, wakes;

static void
wait_for_descriptor(cf_call *call, struct random *r, int fd)
{
    for (cf_err err = CF_ETIMEDOUT; err == CF_ETIMEDOUT;) {
        int64_t timeout_ns =
            random_percent(r, 50) ? CF_FOREVER : 1 + random_below(r, 100000);
        err = cf_wait_fd(call, fd, CF_FD_READ, timeout_ns, NULL);
        CHECK(err == CF_OK || (err == CF_ETIMEDOUT && timeout_ns > 0));
    }
    eventfd_t value;
    CHECK_EQ(eventfd_read(fd, &value), 0);
    atomic_fetch_add(&waits, 1);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct round *round = job.round;
    struct random r = random_stream(round->number * 1000 + job.index);
    if (job.index == 0 && round->number % 4 != 0) /* it sleeps in libuv only */
        CHECK(cf_event_loop_uv(cf_call_executor(call)) != NULL);
    if (job.index < DESCRIPTORS && random_percent(&r, 50))
        wait_for_descriptor(call, &r, round->fds[job.index]);
    if (random_percent(&r, 20))
        CHECK_EQ(cf_sleep(call, random_below(&r, 50000)), CF_OK);
    CHECK_EQ(cf_future_wait(round->promises[job.index], CF_FOREVER), CF_OK);
    atomic_fetch_add(&waits, 1);
    return 0;
}

/* The thread's own share of what wakes tasks, in turns. */
static void
wake(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 1000 + 500 + index);
    for (unsigned i = index; i < TASKS; i += THREADS) {
        random_delay(&r, 200000);
        if (i < DESCRIPTORS)
            CHECK_EQ(eventfd_write(round->fds[i], 1), 0);
        CHECK_EQ(cf_future_set_result(round->promises[i], NULL, 0), CF_OK);
        atomic_fetch_add(&wakes, 1);
    }
}

static void
play(uint64_t number)
{
    struct round round = {.number = number};
    struct crew crew;
    cf_executor *ex;
    CHECK_EQ(cf_event_loop_create(NULL, &ex), CF_OK);
    for (int i = 0; i < DESCRIPTORS; i++) {
        round.fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        CHECK(round.fds[i] >= 0);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        struct job job = {&round, i};
        CHECK_EQ(cf_future_create(&round.promises[i]), CF_OK);
        CHECK_EQ(cf_submit(ex, run, &job, sizeof job, NULL), CF_OK);
    }
    crew_start(&crew, THREADS, wake, &round);
    cf_executor_destroy(ex);
    crew_join(&crew);
    for (int i = 0; i < TASKS; i++)
        cf_future_unref(round.promises[i]);
    for (int i = 0; i < DESCRIPTORS; i++)
        CHECK_EQ(close(round.fds[i]), 0);
    stress_alive();
}

int
main(int argc, char **argv)
{
    uint64_t rounds = 0;
    stress_begin(argc, argv);
    while (stress_goes_on())
        play(rounds++);
    CHECK(atomic_load(&waits) > 0);
    return stress_end("%" PRIu64 " loops, %" PRIuFAST64 " waits",
                      rounds,
                      atomic_load(&waits));
}
