/* SPDX-License-Identifier: MIT */
/*
 * Several threads submit, cancel, wait for, interrupt and drop the same tasks.
 * Attacks the word of lib/future/future.h (one swap decides between claim,
 * cancel and finish; the last handle frees), cf__future_drop_stale() against
 * cf__future_cancel_now() when the executor goes away, and the counters.
 *
 * Every task is run or cancelled, never both; its argument is freed once, and
 * so is a result that is an object; the statistics agree.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 16, ITEMS_PER_THREAD = 512, SUBMITTERS_MAX = 4, BATCH = 8 };

struct item {
    atomic_int ran, freed, canceled;
    atomic_int made, unmade; /* its result, which is an object */
    bool has_free;
    bool accepted; /* written by its submitter, read at the end */
};

/* A handle that the threads pass around, with its task's item. */
struct held {
    cf_future *f;
    struct item *item;
};

struct round {
    cf_executor *ex;
    uint64_t number;
    _Atomic(struct held *) slots[SLOTS];
    struct item items[SUBMITTERS_MAX][ITEMS_PER_THREAD];
};

/* What tasks with a copied argument get, in two sizes. */
struct small {
    struct item *item;
};
struct large {
    struct item *item;
    unsigned char rest[100];
};

static void
item_ran(struct item *item)
{
    CHECK_EQ(atomic_load(&item->freed), 0);
    CHECK_EQ(atomic_fetch_add(&item->ran, 1), 0);
}

static void
unmake(void *result)
{
    struct item *item;
    memcpy(&item, result, sizeof item);
    CHECK_EQ(atomic_fetch_add(&item->unmade, 1), 0);
}

static int
return_object(cf_call *call, struct item *item, size_t size)
{
    unsigned char *result = cf_return_buffer(call, size);
    CHECK(result);
    memset(result, 0, size);
    memcpy(result, &item, sizeof item);
    atomic_store(&item->made, 1);
    return (int)cf_return_destructor(call, unmake);
}

static int
run_item(cf_call *call, const void *arg, size_t arg_size)
{
    struct item *item = arg_size ? ((const struct small *)arg)->item
                                 : (struct item *)(uintptr_t)arg;
    item_ran(item);
    if (arg_size == sizeof(struct large))
        for (size_t i = 0; i < sizeof((struct large *)0)->rest; i++)
            CHECK_EQ(((const struct large *)arg)->rest[i], 7);
    /* Short and long results: inside the future, and on the heap. */
    size_t size = (uintptr_t)item / 64 % 2 ? 64 : 8;
    if ((uintptr_t)item / 32 % 2)
        return return_object(call, item, size);
    char result[64] = {0};
    return (int)cf_return(call, result, size);
}

static void
free_item(void *arg)
{
    struct item *item = arg;
    CHECK_EQ(atomic_fetch_add(&item->freed, 1), 0);
}

/* An argument that is an object: small or large, which begin alike. */
static void
destroy_argument(void *object)
{
    struct small *small = object;
    if (small->item)
        free_item(small->item);
}

static void
move_small(void *to, void *from)
{
    memcpy(to, from, sizeof(struct small));
    ((struct small *)from)->item = NULL;
}

static void
move_large(void *to, void *from)
{
    memcpy(to, from, sizeof(struct large));
    ((struct large *)from)->item = NULL;
}

static const cf_object_ops small_ops = {
    sizeof(struct small), move_small, destroy_argument};
static const cf_object_ops large_ops = {
    sizeof(struct large), move_large, destroy_argument};

static void
finish_with(struct held *held, struct random *r)
{
    cf_bytes bytes;
    cf_err err;
    switch (random_below(r, 8)) {
    case 0:
    case 1:
        if (cf_future_cancel(held->f)) {
            atomic_store(&held->item->canceled, 1);
            CHECK_EQ(cf_future_state(held->f), CF_CANCELED);
        }
        break;
    case 2:
        (void)cf_future_interrupt(held->f);
        if (cf_future_state(held->f) == CF_CANCELED)
            atomic_store(&held->item->canceled, 1);
        break;
    case 3:
        err = cf_future_wait(held->f, random_below(r, 50000));
        CHECK(err == CF_OK || err == CF_ETIMEDOUT);
        break;
    case 4:
        err = cf_future_result(held->f, CF_FOREVER, &bytes);
        if (err == CF_OK) {
            CHECK(bytes.size == 8 || bytes.size == 64);
            if (!atomic_load(&held->item->made))
                CHECK_EQ(((const char *)bytes.data)[bytes.size - 1], 0);
            CHECK_EQ(atomic_load(&held->item->ran), 1);
        } else {
            CHECK_EQ(err, CF_ECANCELED);
            CHECK_EQ(atomic_load(&held->item->ran), 0);
        }
        break;
    default: /* dropped early */
        break;
    }
    cf_future_unref(held->f);
    free(held);
}

/* Leaves a handle in a slot and takes what was there. */
static void
pass_on(struct round *round, cf_future *f, struct item *item, struct random *r)
{
    struct held *held = malloc(sizeof *held);
    CHECK(held);
    *held = (struct held){f, item};
    held = atomic_exchange(&round->slots[random_below(r, SLOTS)], held);
    if (held)
        finish_with(held, r);
}

static unsigned
submit_batch(struct round *round,
             struct item *items,
             unsigned most,
             struct random *r)
{
    struct small args[BATCH];
    cf_future *futures[BATCH];
    unsigned count = 1 + random_below(r, most < BATCH ? most : BATCH);
    for (unsigned i = 0; i < count; i++) {
        args[i].item = &items[i];
        items[i].accepted = true;
    }
    bool detached = random_percent(r, 20);
    CHECK_EQ(cf_submit_many(round->ex,
                            run_item,
                            args,
                            sizeof args[0],
                            count,
                            detached ? NULL : futures),
             CF_OK);
    for (unsigned i = 0; !detached && i < count; i++)
        pass_on(round, futures[i], &items[i], r);
    return count;
}

static void
submit_one(struct round *round, struct item *item, struct random *r)
{
    struct small small = {item};
    struct large large = {item, {0}};
    cf_task task = CF_TASK_INIT;
    task.fn = run_item;
    task.arg = item;
    switch (random_below(r, 6)) {
    case 4:
        item->has_free = true;
        task.arg = &small;
        task.arg_ops = &small_ops;
        break;
    case 5:
        memset(large.rest, 7, sizeof large.rest);
        item->has_free = true;
        task.arg = &large;
        task.arg_ops = &large_ops;
        break;
    case 0:
        task.arg = &small;
        task.arg_size = sizeof small;
        break;
    case 1:
        memset(large.rest, 7, sizeof large.rest);
        task.arg = &large;
        task.arg_size = sizeof large;
        break;
    case 2:
        item->has_free = true;
        task.arg_free = free_item;
        break;
    default:
        break;
    }
    cf_future *f;
    bool detached = random_percent(r, 10);
    item->accepted = true;
    CHECK_EQ(cf_submit_task(round->ex, &task, detached ? NULL : &f), CF_OK);
    if (detached)
        return;
    if (random_percent(r, 20))
        pass_on(round, cf_future_ref(f), item, r);
    pass_on(round, f, item, r);
}

static void
submit_and_race(unsigned index, void *data)
{
    struct round *round = data;
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    struct item *items = round->items[index];
    for (unsigned i = 0; i < ITEMS_PER_THREAD;) {
        if (random_percent(&r, 10)) {
            i += submit_batch(round, &items[i], ITEMS_PER_THREAD - i, &r);
        } else {
            submit_one(round, &items[i], &r);
            i++;
        }
        stress_alive();
    }
}

/* Everything is accounted for; the pool is at rest. */
static void
check_round(struct round *round, bool cancel_rest)
{
    uint64_t ran = 0, never = 0;
    for (unsigned t = 0; t < SUBMITTERS_MAX; t++) {
        for (unsigned i = 0; i < ITEMS_PER_THREAD; i++) {
            struct item *item = &round->items[t][i];
            if (!item->accepted)
                continue;
            int has_run = atomic_load(&item->ran);
            if (atomic_load(&item->canceled))
                CHECK_EQ(has_run, 0);
            else if (!cancel_rest)
                CHECK_EQ(has_run, 1);
            CHECK_EQ(atomic_load(&item->freed), item->has_free);
            ran += (uint64_t)has_run;
            never += !has_run;
        }
    }
    cf_stats s;
    CHECK_EQ(cf_executor_stats(round->ex, &s), CF_OK);
    CHECK_EQ(s.done, ran);
    CHECK_EQ(s.canceled, never);
    CHECK_EQ(s.queued, 0);
    CHECK_EQ(s.running, 0);
    CHECK_EQ(s.workers, 0);
}

/* All futures are gone. */
static void
check_results(struct round *round)
{
    for (unsigned t = 0; t < SUBMITTERS_MAX; t++)
        for (unsigned i = 0; i < ITEMS_PER_THREAD; i++)
            CHECK_EQ(atomic_load(&round->items[t][i].unmade),
                     atomic_load(&round->items[t][i].made));
}

static unsigned
one_round(struct round *round, uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    memset(round, 0, sizeof *round);
    round->number = number;
    round->ex = stress_random_pool(&r);
    unsigned threads = 1 + random_below(&r, SUBMITTERS_MAX);
    in_threads(threads, submit_and_race, round);
    bool cancel_rest = random_percent(&r, 50);
    unsigned flags = cancel_rest ? CF_SHUTDOWN_CANCEL : 0;
    if (random_percent(&r, 50))
        CHECK_EQ(cf_executor_wait_idle(round->ex, CF_FOREVER), CF_OK);
    CHECK_EQ(cf_executor_shutdown(round->ex, flags, CF_FOREVER), CF_OK);
    /* Half of the handles go before the pool, half after it. */
    for (unsigned i = 0; i < SLOTS; i++) {
        struct held *held = atomic_load(&round->slots[i]);
        CHECK(!held || cf_future_done(held->f));
        if (held && i % 2 == 0)
            finish_with(held, &r);
    }
    check_round(round, cancel_rest);
    stress_pool_destroy(round->ex);
    for (unsigned i = 1; i < SLOTS; i += 2) {
        struct held *held = atomic_load(&round->slots[i]);
        if (held)
            finish_with(held, &r);
    }
    check_results(round);
    return threads * ITEMS_PER_THREAD;
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct round *round = malloc(sizeof *round);
    CHECK(round);
    uint64_t rounds = 0, tasks = 0;
    while (stress_goes_on())
        tasks += one_round(round, ++rounds);
    free(round);
    return stress_end("%llu rounds, %llu tasks",
                      (unsigned long long)rounds,
                      (unsigned long long)tasks);
}
