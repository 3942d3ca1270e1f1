/* SPDX-License-Identifier: MIT */
/*
 * Callbacks against completion and cancellation. Attacks the list of
 * lib/future/waiter.c (a callback is linked, then CF__WAITERS is set; either
 * the adder or the completer calls it) and the searchers' count of
 * thread_pool/idle.c: a callback that submits, waits or polls must not be part
 * of it.
 *
 * Each callback is called once. Callbacks that one thread added before the end
 * are called in the order in which it added them. Of several completers one
 * wins.
 */
#include "common.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { ADDERS = 3, CALLBACKS = 6, FUTURES = 32, CHILDREN = 3 };

static _Thread_local bool adding; /* within cf_future_on_done() */

static atomic_uint_fast64_t called_at_once, called_later, nested_rounds;

struct callback {
    struct subject *subject;
    atomic_int calls;
    int ticket; /* the place in the order of calls; -1: called at once */
};

/* A future that threads add callbacks to, and perhaps complete or cancel. */
struct subject {
    cf_future *f;
    bool by_hand;
    atomic_int completed; /* by how many */
    atomic_int tickets;
    struct callback callbacks[ADDERS][CALLBACKS];
};

struct round {
    uint64_t number;
    cf_executor *ex;
    struct subject subjects[FUTURES];
};

static void
note_call(cf_future *f, void *data)
{
    struct callback *callback = data;
    CHECK(cf_future_done(f));
    CHECK(f == callback->subject->f);
    CHECK_EQ(atomic_fetch_add(&callback->calls, 1), 0);
    callback->ticket =
        adding ? -1 : atomic_fetch_add(&callback->subject->tickets, 1);
}

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    CHECK_EQ(arg_size, sizeof(uint64_t));
    uint64_t stream;
    memcpy(&stream, arg, sizeof stream);
    struct random r = random_stream(stream);
    random_delay(&r, 3000);
    return 0;
}

static void
complete(struct subject *subject, struct random *r)
{
    if (random_percent(r, 30))
        (void)cf_future_cancel(subject->f);
    else if (subject->by_hand &&
             cf_future_set_result(subject->f, r, sizeof *r) == CF_OK)
        atomic_fetch_add(&subject->completed, 1);
}

static void
add_callbacks(unsigned index, void *data)
{
    struct round *round = data;
    struct random r =
        random_stream(round->number * STRESS_THREADS_MAX + index + 1);
    for (unsigned i = 0; i < FUTURES; i++) {
        struct subject *subject = &round->subjects[i];
        unsigned complete_at = random_below(&r, 2 * CALLBACKS);
        for (unsigned c = 0; c < CALLBACKS; c++) {
            struct callback *callback = &subject->callbacks[index][c];
            callback->subject = subject;
            adding = true;
            CHECK_EQ(cf_future_on_done(subject->f, note_call, callback), CF_OK);
            adding = false;
            if (c == complete_at)
                complete(subject, &r);
            random_delay(&r, 300);
        }
    }
    stress_alive();
}

static void
check_subject(struct subject *subject)
{
    if (subject->by_hand)
        CHECK_EQ(atomic_load(&subject->completed),
                 cf_future_state(subject->f) == CF_FINISHED);
    for (unsigned a = 0; a < ADDERS; a++) {
        int last = -1;
        bool late = false;
        for (unsigned c = 0; c < CALLBACKS; c++) {
            struct callback *callback = &subject->callbacks[a][c];
            CHECK_EQ(atomic_load(&callback->calls), 1);
            late = late || callback->ticket < 0;
            /* Once it is done every further one is called at once. */
            CHECK_EQ(callback->ticket < 0, late);
            CHECK(late || callback->ticket > last);
            last = callback->ticket;
            atomic_fetch_add(late ? &called_at_once : &called_later, 1);
        }
    }
}

static void
adders_round(struct round *round, uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    memset(round, 0, sizeof *round);
    round->number = number;
    round->ex = stress_random_pool(&r);
    for (unsigned i = 0; i < FUTURES; i++) {
        struct subject *subject = &round->subjects[i];
        uint64_t stream = random_next(&r);
        subject->by_hand = random_percent(&r, 40);
        if (subject->by_hand)
            CHECK_EQ(cf_future_create(&subject->f), CF_OK);
        else
            CHECK_EQ(
                cf_submit(round->ex, run, &stream, sizeof stream, &subject->f),
                CF_OK);
    }
    in_threads(ADDERS, add_callbacks, round);
    for (unsigned i = 0; i < FUTURES; i++)
        if (round->subjects[i].by_hand)
            (void)cf_future_cancel(round->subjects[i].f);
    stress_pool_destroy(round->ex); /* after it all callbacks have run */
    for (unsigned i = 0; i < FUTURES; i++) {
        check_subject(&round->subjects[i]);
        cf_future_unref(round->subjects[i].f);
    }
}

/* --- callbacks that use the pool ------------------------------------------ */

struct user {
    cf_executor *ex;
    atomic_int begun, over;
    int waits;      /* children that the callback waits for */
    bool stands_by; /* for a task that another worker has to take */
};

static int
begin(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    struct user *user = (struct user *)(uintptr_t)arg;
    atomic_fetch_add(&user->begun, 1);
    return 0;
}

static void
use_pool(cf_future *f, void *data)
{
    struct user *user = data;
    (void)f;
    for (int i = 0; i < user->waits; i++) {
        cf_future *child;
        CHECK_EQ(cf_submit(user->ex, begin, user, 0, &child), CF_OK);
        CHECK_EQ(cf_future_result(child, CF_FOREVER, NULL), CF_OK);
        cf_future_unref(child);
    }
    if (user->stands_by) {
        CHECK_EQ(cf_submit(user->ex, begin, user, 0, NULL), CF_OK);
        while (atomic_load(&user->begun) <= user->waits)
            sched_yield();
    }
    atomic_store(&user->over, 1);
}

/* One task at a time, so that most workers have not been started yet: then a
 * worker counts as searching before its task is done. */
static void
users_round(uint64_t number)
{
    struct random r = random_stream(number * STRESS_THREADS_MAX);
    cf_executor *ex = stress_pool(2 + (int)random_below(&r, 3));
    uint64_t stream = random_next(&r);
    for (unsigned i = 1 + random_below(&r, 8); i > 0; i--) {
        struct user user = {.ex = ex,
                            .waits = (int)random_below(&r, CHILDREN),
                            .stands_by = random_percent(&r, 50)};
        cf_future *f;
        CHECK_EQ(cf_submit(ex, run, &stream, sizeof stream, &f), CF_OK);
        CHECK_EQ(cf_future_on_done(f, use_pool, &user), CF_OK);
        while (!atomic_load(&user.over))
            sched_yield();
        cf_future_unref(f);
        random_delay(&r, 20000);
    }
    /* The pool is as it should be: it still wakes whom it has to wake. */
    CHECK_EQ(cf_executor_wait_idle(ex, CF_FOREVER), CF_OK);
    stress_pool_destroy(ex);
    atomic_fetch_add(&nested_rounds, 1);
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    struct round *round = malloc(sizeof *round);
    CHECK(round);
    for (uint64_t number = 1; stress_goes_on(); number++) {
        adders_round(round, number);
        users_round(number);
    }
    free(round);
    return stress_end("%llu callbacks at once, %llu later, %llu pools used",
                      (unsigned long long)called_at_once,
                      (unsigned long long)called_later,
                      (unsigned long long)nested_rounds);
}
