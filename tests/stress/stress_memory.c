/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail, at random, in a mix of all calls. Attacks whatever
 * allocates: submits, waits inside tasks, iterators, callbacks, timers, maps
 * and loops.
 *
 * A call that says CF_OK has done it, one that says CF_ENOMEM has done nothing.
 * So each task that was submitted runs once, each callback that was added is
 * called once, each argument is freed once, and nothing waits for ever.
 */
#include "common.h"

#include <stdlib.h>
#include <string.h>

enum { CREW = 3, STEPS = 60, MANY = 20, DEPTH = 12 };

static atomic_uint_fast64_t submitted, ran, added, called, given, freed;
static atomic_uint_fast64_t refused;

/* --- the linker puts these in front of the C library's -------------------- */

static atomic_uint fail_percent;
static _Thread_local uint64_t luck;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

static bool
fails(void)
{
    unsigned percent =
        atomic_load_explicit(&fail_percent, memory_order_relaxed);
    if (percent == 0)
        return false;
    luck = luck * UINT64_C(6364136223846793005) + (uintptr_t)&luck + 1;
    if ((luck >> 33) % 100 >= percent)
        return false;
    atomic_fetch_add(&refused, 1);
    return true;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(align, size);
}

/* --- the mix -------------------------------------------------------------- */

/* It worked, or there was no memory. */
static bool
worked(cf_err err)
{
    if (err != CF_ENOMEM)
        CHECK_EQ(err, CF_OK);
    return err == CF_OK;
}

static void
note_call(cf_future *f, void *data)
{
    (void)data;
    CHECK(cf_future_done(f));
    atomic_fetch_add(&called, 1);
}

static void
note_free(void *arg)
{
    (void)arg;
    atomic_fetch_add(&freed, 1);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static void
call_back(cf_future *f)
{
    if (worked(cf_future_on_done(f, note_call, NULL)))
        atomic_fetch_add(&added, 1);
}

/* Each waits for its child. Perhaps no other thread can run the child. */
static int
descend(cf_call *call, const void *arg, size_t arg_size)
{
    unsigned depth;
    cf_future *child;
    CHECK_EQ(arg_size, sizeof depth);
    memcpy(&depth, arg, sizeof depth);
    atomic_fetch_add(&ran, 1);
    if (depth++ == DEPTH ||
        !worked(cf_submit(
            cf_call_executor(call), descend, &depth, sizeof depth, &child)))
        return 0;
    atomic_fetch_add(&submitted, 1);
    call_back(child);
    if (depth % 2) {
        CHECK_EQ(cf_future_result(child, CF_FOREVER, NULL), CF_OK);
    } else if (!worked(
                   cf_wait(&child, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL))) {
        CHECK_EQ(cf_future_wait(child, CF_FOREVER), CF_OK);
    }
    cf_future_unref(child);
    return 0;
}

static int
square(cf_call *call, const void *arg, size_t arg_size)
{
    int n;
    CHECK_EQ(arg_size, sizeof n);
    memcpy(&n, arg, sizeof n);
    n *= n;
    return (int)cf_return(call, &n, sizeof n);
}

static int
range(cf_call *call, size_t begin, size_t end, void *data)
{
    (void)call;
    atomic_fetch_add((atomic_size_t *)data, end - begin);
    return 0;
}

static void
go_down(cf_executor *ex, struct random *r)
{
    unsigned depth = random_below(r, DEPTH);
    cf_future *f;
    if (!worked(cf_submit(ex, descend, &depth, sizeof depth, &f)))
        return;
    atomic_fetch_add(&submitted, 1);
    call_back(f);
    CHECK_EQ(cf_future_wait(f, CF_FOREVER), CF_OK);
    cf_future_unref(f);
}

static void
submit_special(cf_executor *ex, struct random *r)
{
    cf_task task = CF_TASK_INIT;
    task.fn = run;
    task.priority = (int)random_below(r, 3) - 1;
    task.timeout_ns = random_percent(r, 50) ? CF_SECONDS(100) : 0;
    task.arg = r;
    task.arg_free = note_free;
    if (!worked(cf_submit_task(ex, &task, NULL)))
        return;
    atomic_fetch_add(&submitted, 1);
    atomic_fetch_add(&given, 1);
}

static void
iterate(cf_executor *ex, struct random *r)
{
    cf_future *fs[MANY];
    cf_as_completed *it = NULL;
    unsigned count = random_below(r, MANY) + 1;
    if (!worked(cf_submit_many(ex, run, NULL, 0, count, fs)))
        return;
    atomic_fetch_add(&submitted, count);
    if (worked(cf_as_completed_create(fs, count, &it))) {
        cf_future *f;
        unsigned out = 0;
        cf_err err;
        while ((err = cf_as_completed_next(it, CF_FOREVER, &f)) == CF_OK)
            out++;
        CHECK_EQ(err, CF_EDONE);
        CHECK_EQ(out, count);
    }
    cf_as_completed_destroy(it);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(cf_future_wait(fs[i], CF_FOREVER), CF_OK);
        cf_future_unref(fs[i]);
    }
}

static void
map(cf_executor *ex, struct random *r)
{
    int items[MANY];
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    cf_results *results;
    opts.buffer_size = random_below(r, 4);
    opts.chunk_size = random_below(r, 3);
    opts.unordered = (int)random_below(r, 2);
    for (int i = 0; i < MANY; i++)
        items[i] = i;
    if (!worked(
            cf_map(ex, square, items, sizeof *items, MANY, &opts, &results)))
        return;
    unsigned out = 0;
    bool lost = false; /* the rest was not submitted */
    cf_err err;
    cf_bytes bytes;
    while ((err = cf_results_next(results, CF_FOREVER, &bytes)) != CF_EDONE) {
        if (err == CF_OK) {
            size_t i = cf_results_index(results);
            int n;
            memcpy(&n, bytes.data, sizeof n);
            CHECK_EQ(n, i * i);
        } else { /* no memory: for the result, or for the next submit */
            CHECK(err == CF_ENOMEM || err == CF_ETASK);
            lost = lost || err == CF_ENOMEM;
        }
        out++;
        CHECK(out <= MANY + 1);
    }
    CHECK(lost || out == MANY);
    cf_results_destroy(results, false);
}

static void
loop(cf_executor *ex, struct random *r)
{
    atomic_size_t sum = 0;
    size_t count = random_below(r, 100) + 1;
    if (worked(cf_parallel_for(ex, 0, count, 0, range, &sum, NULL)))
        CHECK_EQ(atomic_load(&sum), count);
    else
        CHECK_EQ(atomic_load(&sum), 0);
}

static void
keep_promise(struct random *r)
{
    char large[100] = "";
    cf_future *f;
    if (!worked(cf_future_create(&f)))
        return;
    call_back(f);
    call_back(f);
    while (!worked(cf_future_set_result(f, large, random_below(r, 100))))
        continue;
    cf_future_unref(f);
}

static void
do_something(cf_executor *ex, struct random *r)
{
    switch (random_below(r, 6)) {
    case 0:
        go_down(ex, r);
        break;
    case 1:
        submit_special(ex, r);
        break;
    case 2:
        iterate(ex, r);
        break;
    case 3:
        map(ex, r);
        break;
    case 4:
        loop(ex, r);
        break;
    default:
        keep_promise(r);
    }
    stress_alive();
}

/* The same inside a task. */
static int
do_inside(cf_call *call, const void *arg, size_t arg_size)
{
    uint64_t stream;
    CHECK_EQ(arg_size, sizeof stream);
    memcpy(&stream, arg, sizeof stream);
    struct random r = random_stream(stream);
    for (int i = 0; i < 4; i++)
        do_something(cf_call_executor(call), &r);
    atomic_fetch_add(&ran, 1);
    return 0;
}

struct round {
    uint64_t number;
    cf_executor *ex;
};

static void
crew(unsigned index, void *data)
{
    struct round *round = data;
    uint64_t stream = round->number * STRESS_THREADS_MAX + index + 1;
    struct random r = random_stream(stream);
    for (unsigned i = 0; i < STEPS; i++) {
        stream = random_next(&r);
        if (random_percent(&r, 80))
            do_something(round->ex, &r);
        else if (worked(cf_submit(
                     round->ex, do_inside, &stream, sizeof stream, NULL)))
            atomic_fetch_add(&submitted, 1);
    }
}

static void
one_round(uint64_t number)
{
    static const unsigned percents[] = {1, 3, 10, 30};
    struct random r = random_stream(number);
    struct round round = {number, stress_random_pool(&r)};
    atomic_store(&fail_percent, percents[random_below(&r, 4)]);
    in_threads(CREW, crew, &round);
    CHECK_EQ(cf_executor_wait_idle(round.ex, CF_FOREVER), CF_OK);
    atomic_store(&fail_percent, 0);
    stress_pool_destroy(round.ex);
    CHECK_EQ(ran, submitted);
    CHECK_EQ(called, added);
    CHECK_EQ(freed, given);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t number = 1; stress_goes_on(); number++)
        one_round(number);
    return stress_end("%llu tasks, %llu callbacks, %llu allocations failed",
                      (unsigned long long)ran,
                      (unsigned long long)called,
                      (unsigned long long)refused);
}
