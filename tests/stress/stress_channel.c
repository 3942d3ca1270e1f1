/* SPDX-License-Identifier: MIT */
/*
 * Senders and receivers on a thread pool, in an event loop and on plain
 * threads, at one channel of a random capacity, with timeouts, and with
 * interrupts at random moments. Attacks the lines of lib/sync/, and the wake-up
 * of lib/executor/sleeper.c.
 *
 * Each item is received once, and nothing is lost; one receiver sees the items
 * of one sender in order. A semaphore limits how many send at once, and its
 * units are all there at the end. Each round ends with an event on which all
 * wait, and which the last thread frees while its setter may still be on its
 * way out.
 */
#include "common.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    TASKS = 6, /* senders and receivers each, on each executor */
    THREADS = 2,
    SENDERS = 2 * TASKS + THREADS,
    ITEMS = 60, /* of each sender */
    UNITS = 5
};

struct item {
    uint32_t sender, number;
};

struct round {
    uint64_t number;
    cf_channel *channel;
    cf_semaphore *sending;
    cf_event *all_sent;
    atomic_uint sent[SENDERS];     /* the next number, so far */
    atomic_uint received[SENDERS]; /* a count */
    atomic_int inside, senders;    /* that hold a unit; that are not through */
    cf_future *futures[4 * TASKS];
    atomic_bool over;
};

struct job {
    struct round *round;
    uint32_t index;
    bool sends;
};

static atomic_uint_fast64_t items, interrupted, timed_out;

static int64_t
random_timeout(struct random *r)
{
    unsigned n = random_below(r, 100);
    return n < 50 ? CF_FOREVER : n < 60 ? 0 : 1 + random_below(r, 100000);
}

/* true: what was wanted came of it. */
static bool
is_done(cf_call *call, cf_err err, int64_t timeout_ns)
{
    if (err == CF_EINTERRUPTED) {
        CHECK(call && cf_call_canceled(call));
        atomic_fetch_add(&interrupted, 1);
    } else if (err == CF_ETIMEDOUT) {
        CHECK(timeout_ns != CF_FOREVER);
        atomic_fetch_add(&timed_out, 1);
    } else if (err == CF_EAGAIN) {
        CHECK_EQ(timeout_ns, 0);
    } else {
        CHECK_EQ(err, CF_OK);
        return true;
    }
    return false;
}

static bool
send_one(cf_call *call, struct random *r, struct round *round, uint32_t index)
{
    struct item item = {index, atomic_load(&round->sent[index])};
    int64_t timeout_ns = random_timeout(r);
    cf_err err = timeout_ns || random_percent(r, 50)
                     ? cf_channel_send(round->channel, &item, timeout_ns)
                     : cf_channel_try_send(round->channel, &item);
    if (!is_done(call, err, timeout_ns))
        return false;
    atomic_store(&round->sent[index], item.number + 1);
    return true;
}

/* Sends what is left of its items. In a task that is interrupted it ends early;
 * then a plain thread does the rest. */
static void
send_all(cf_call *call, struct random *r, struct round *round, uint32_t index)
{
    while (atomic_load(&round->sent[index]) < ITEMS) {
        int64_t timeout_ns = random_timeout(r);
        cf_err err = timeout_ns || random_percent(r, 50)
                         ? cf_semaphore_acquire(round->sending, timeout_ns)
                         : cf_semaphore_try_acquire(round->sending);
        if (is_done(call, err, timeout_ns)) {
            CHECK(atomic_fetch_add(&round->inside, 1) < UNITS);
            for (unsigned i = random_below(r, 8);
                 i > 0 && atomic_load(&round->sent[index]) < ITEMS &&
                 send_one(call, r, round, index);)
                i--;
            atomic_fetch_sub(&round->inside, 1);
            CHECK_EQ(cf_semaphore_release(round->sending, 1), CF_OK);
        }
        if (call && cf_call_canceled(call))
            return;
        stress_alive();
    }
}

/* Until the channel is closed and empty, or the task is interrupted. */
static void
receive_all(cf_call *call, struct random *r, struct round *round)
{
    int64_t last[SENDERS];
    memset(last, -1, sizeof last); /* -1 each */
    for (;;) {
        struct item item;
        int64_t timeout_ns = random_timeout(r);
        cf_err err = timeout_ns || random_percent(r, 50)
                         ? cf_channel_receive(round->channel, timeout_ns, &item)
                         : cf_channel_try_receive(round->channel, &item);
        if (err == CF_EDONE)
            return;
        if (is_done(call, err, timeout_ns)) {
            CHECK(item.sender < SENDERS && item.number < ITEMS);
            CHECK(item.number > last[item.sender]);
            last[item.sender] = item.number;
            atomic_fetch_add(&round->received[item.sender], 1);
            atomic_fetch_add(&items, 1);
        } else if (err == CF_EINTERRUPTED) {
            return;
        }
    }
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    struct job job;
    memcpy(&job, arg, arg_size);
    struct random r = random_stream(job.round->number * 100 + job.index +
                                    (job.sends ? 50 : 0));
    if (job.sends)
        send_all(call, &r, job.round, job.index);
    else
        receive_all(call, &r, job.round);
    return 0;
}

static void
interrupt_some(struct round *round, struct random *r)
{
    while (!atomic_load(&round->over)) {
        random_delay(r, 300000);
        if (random_percent(r, 30))
            cf_future_interrupt(round->futures[random_below(r, 4 * TASKS)]);
    }
}

/* Sends what interrupted tasks have left, and waits for all of them. */
static void
finish(struct round *round, struct random *r)
{
    for (int i = 0; i < 4 * TASKS; i++) {
        if (i % 2 == 0) /* a sender */
            CHECK_EQ(cf_future_wait(round->futures[i], CF_FOREVER), CF_OK);
    }
    for (uint32_t i = 0; i < 2 * TASKS; i++)
        send_all(NULL, r, round, i);
    while (atomic_load(&round->senders) > 0)
        cf_sleep(NULL, 10000);
    CHECK_EQ(cf_channel_close(round->channel), CF_OK);
    for (int i = 0; i < 4 * TASKS; i++) {
        cf_future_wait(round->futures[i], CF_FOREVER);
        stress_alive();
    }
    atomic_store(&round->over, true);
}

/* Thread 0 interrupts tasks, the next ones send, then come those that receive;
 * the last one ends the round. */
static void
in_thread(unsigned index, void *data)
{
    struct round *round = data;
    struct random r = random_stream(round->number * 100 + 90 + index);
    if (index == 0) {
        interrupt_some(round, &r);
    } else if (index <= THREADS) {
        send_all(NULL, &r, round, 2 * TASKS + index - 1);
        atomic_fetch_sub(&round->senders, 1);
    } else if (index <= 2 * THREADS) {
        receive_all(NULL, &r, round);
    } else {
        finish(round, &r);
        CHECK_EQ(cf_event_set(round->all_sent), CF_OK);
        return;
    }
    CHECK_EQ(cf_event_wait(round->all_sent, CF_FOREVER), CF_OK);
}

static void
one_round(uint64_t number, cf_executor *const *executors)
{
    struct round *round = calloc(1, sizeof *round);
    struct random r = random_stream(number);
    static const size_t capacities[] = {0, 0, 1, 2, 7, 50};
    CHECK(round);
    round->number = number;
    atomic_store(&round->senders, THREADS);
    CHECK_EQ(cf_channel_create(sizeof(struct item),
                               capacities[random_below(&r, 6)],
                               &round->channel),
             CF_OK);
    CHECK_EQ(cf_semaphore_create(UNITS, &round->sending), CF_OK);
    CHECK_EQ(cf_event_create(&round->all_sent), CF_OK);
    for (uint32_t i = 0; i < 4 * TASKS; i++) {
        struct job job = {round, i / 2, i % 2 == 0};
        CHECK_EQ(cf_submit(executors[i / (2 * TASKS)],
                           run,
                           &job,
                           sizeof job,
                           &round->futures[i]),
                 CF_OK);
    }
    in_threads(2 * THREADS + 2, in_thread, round);
    for (int i = 0; i < SENDERS; i++)
        CHECK_EQ(atomic_load(&round->received[i]), ITEMS);
    for (int i = 0; i < UNITS; i++)
        CHECK_EQ(cf_semaphore_try_acquire(round->sending), CF_OK);
    CHECK_EQ(cf_semaphore_try_acquire(round->sending), CF_EAGAIN);
    for (int i = 0; i < 4 * TASKS; i++)
        cf_future_unref(round->futures[i]);
    cf_channel_destroy(round->channel);
    cf_semaphore_destroy(round->sending);
    cf_event_destroy(round->all_sent);
    free(round);
}

/* A task waits and frees; a thread sets. Whoever sets is often still in its
 * call when the memory goes. */
static int
wait_and_destroy(cf_call *call, const void *arg, size_t arg_size)
{
    cf_event *event = *(cf_event *const *)arg;
    (void)call;
    (void)arg_size;
    CHECK_EQ(cf_event_wait(event, CF_FOREVER), CF_OK);
    cf_event_destroy(event);
    return 0;
}

static void
free_early(struct random *r, cf_executor *ex)
{
    for (int i = 0; i < 50; i++) {
        cf_event *event;
        cf_future *f;
        CHECK_EQ(cf_event_create(&event), CF_OK);
        CHECK_EQ(cf_submit(ex, wait_and_destroy, &event, sizeof event, &f),
                 CF_OK);
        random_delay(r, 20000);
        CHECK_EQ(cf_event_set(event), CF_OK);
        CHECK_EQ(cf_future_result(f, CF_FOREVER, NULL), CF_OK);
        cf_future_unref(f);
    }
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct random r = random_stream(0);
    uint64_t rounds = 0;
    while (stress_goes_on()) {
        cf_executor *executors[2];
        executors[0] = stress_pool(2 * TASKS); /* all may wait at once */
        CHECK_EQ(cf_executor_open("loop", &executors[1]), CF_OK);
        one_round(++rounds, executors);
        free_early(&r, executors[rounds % 2]);
        stress_pool_destroy(executors[0]);
        cf_executor_destroy(executors[1]);
    }
    return stress_end("%" PRIu64 " rounds, %" PRIu64 " items, %" PRIu64
                      " interrupted, %" PRIu64 " timed out",
                      rounds,
                      (uint64_t)atomic_load(&items),
                      (uint64_t)atomic_load(&interrupted),
                      (uint64_t)atomic_load(&timed_out));
}
