/* SPDX-License-Identifier: MIT */
/*
 * The iterator while its futures complete: its user adds to it, sleeps on it,
 * polls its descriptor and destroys it at random times. Attacks
 * lib/many/as_completed*.c (after its push the completer touches nothing; with
 * an eventfd the user waits for it), take and push of `ready`, the reuse of
 * nodes, and lib/future/waiter.c's removal.
 *
 * Each future comes out once, done; the descriptor is readable when next would
 * not block.
 */
#include "common.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { FUTURES = 200, USERS = 2, ROUNDS_PER_POOL = 20 };

static atomic_uint_fast64_t handed_out, destroyed_early;

/* A future, and what its user knows of it. */
struct entry {
    cf_future *f;
    bool by_hand, added, out;
};

struct user {
    struct random r, helper_r;
    cf_executor *ex;
    cf_as_completed *it;
    struct entry entries[FUTURES];
    unsigned made, added, out;
    atomic_uint published; /* entries that the user's helper may complete */
};

struct shared {
    cf_executor *ex;
    uint64_t stream;
};

static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    uint64_t stream;
    CHECK_EQ(arg_size, sizeof stream);
    memcpy(&stream, arg, sizeof stream);
    struct random r = random_stream(stream);
    random_delay(&r, 5000);
    return (int)(stream % 2); /* failed ones count as done too */
}

static void
make_entries(struct user *u, unsigned count)
{
    for (; count > 0 && u->made < FUTURES; count--) {
        struct entry *entry = &u->entries[u->made++];
        uint64_t stream = random_next(&u->r);
        entry->by_hand = random_percent(&u->r, 30);
        if (entry->by_hand)
            CHECK_EQ(cf_future_create(&entry->f), CF_OK);
        else
            CHECK_EQ(cf_submit(u->ex, run, &stream, sizeof stream, &entry->f),
                     CF_OK);
    }
    atomic_store(&u->published, u->made);
}

static void
add_entries(struct user *u, unsigned count)
{
    for (; count > 0 && u->added < u->made; count--) {
        struct entry *entry = &u->entries[u->added++];
        entry->added = true;
        CHECK_EQ(cf_as_completed_add(u->it, entry->f), CF_OK);
        if (random_percent(&u->r, 10)) /* twice is once, while it is inside */
            CHECK_EQ(cf_as_completed_add(u->it, entry->f), CF_OK);
        if (random_percent(&u->r, 5))
            (void)cf_future_cancel(entry->f);
    }
}

/* Completes by hand, in another thread. */
static void *
help(void *arg)
{
    struct user *u = arg;
    struct random *r = &u->helper_r;
    for (unsigned done = 0; done < FUTURES;) {
        if (done == atomic_load(&u->published)) {
            random_delay(r, 3000);
            continue;
        }
        struct entry *entry = &u->entries[done++];
        if (entry->by_hand) {
            cf_err err = cf_future_set_result(entry->f, NULL, 0);
            CHECK(err == CF_OK || err == CF_ESTATE);
            random_delay(r, 3000);
        }
    }
    return NULL;
}

static void
take_out(struct user *u, cf_future *f)
{
    CHECK(cf_future_done(f));
    for (unsigned i = 0; i < u->added; i++) {
        struct entry *entry = &u->entries[i];
        if (entry->f != f)
            continue;
        CHECK(entry->added);
        CHECK(!entry->out);
        entry->out = true;
        u->out++;
        atomic_fetch_add(&handed_out, 1);
        return;
    }
    FAIL("a future came out that was never added");
}

static bool
readable(int fd, int timeout_ms)
{
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, timeout_ms);
    CHECK(n >= 0);
    return n > 0;
}

/* One next; false: nothing is left or nothing came in time. */
static bool
take_next(struct user *u, bool with_fd)
{
    cf_future *f;
    int64_t timeout_ns = random_percent(&u->r, 50)
                             ? CF_FOREVER
                             : (int64_t)random_below(&u->r, 30000);
    bool polled = with_fd && random_percent(&u->r, 70);
    if (polled) {
        CHECK(readable(cf_as_completed_fd(u->it), -1));
        timeout_ns = 0;
    }
    cf_err err = cf_as_completed_next(u->it, timeout_ns, &f);
    switch (err) {
    case CF_OK:
        take_out(u, f);
        return true;
    case CF_EDONE:
        CHECK_EQ(u->out, u->added);
        CHECK_EQ(cf_as_completed_remaining(u->it), 0);
        return false;
    case CF_ETIMEDOUT:
        /* A poll may find it readable for a push under way, at most. */
        CHECK(timeout_ns != CF_FOREVER);
        return false;
    default:
        FAIL("cf_as_completed_next(): %s", cf_err_name(err));
    }
}

static void
iterate(struct user *u)
{
    cf_future *first[FUTURES];
    bool early = random_percent(&u->r, 30);
    bool with_fd = random_percent(&u->r, 50);
    make_entries(u, random_below(&u->r, FUTURES / 2));
    for (; u->added < u->made; u->added++) {
        u->entries[u->added].added = true;
        first[u->added] = u->entries[u->added].f;
    }
    CHECK_EQ(cf_as_completed_create(first, u->added, &u->it), CF_OK);
    while (u->out < FUTURES) {
        if (early && random_percent(&u->r, 2))
            break;
        if (with_fd && random_percent(&u->r, 20))
            CHECK(cf_as_completed_fd(u->it) >= 0);
        if (random_percent(&u->r, 30))
            make_entries(u, random_below(&u->r, 20));
        if (random_percent(&u->r, 50))
            add_entries(u, random_below(&u->r, 20));
        CHECK_EQ(cf_as_completed_remaining(u->it), u->added - u->out);
        for (unsigned n = random_below(&u->r, 20); n > 0; n--)
            if (!take_next(u, with_fd))
                break;
    }
    if (early)
        atomic_fetch_add(&destroyed_early, 1);
    cf_as_completed_destroy(u->it);
}

static void
use(unsigned index, void *data)
{
    struct shared *shared = data;
    struct user *u = calloc(1, sizeof *u);
    CHECK(u);
    u->r = random_stream(shared->stream + index);
    u->helper_r = random_stream(~shared->stream - index);
    u->ex = shared->ex;
    pthread_t helper;
    CHECK_EQ(pthread_create(&helper, NULL, help, u), 0);
    iterate(u);
    make_entries(u, FUTURES); /* the helper waits for all */
    pthread_join(helper, NULL);
    for (unsigned i = 0; i < u->made; i++) {
        CHECK_EQ(cf_future_wait(u->entries[i].f, CF_FOREVER), CF_OK);
        cf_future_unref(u->entries[i].f);
    }
    free(u);
    stress_alive();
}

/* In a task: the iterator runs what is pending itself. */
static int
iterate_inside(cf_call *call, const void *arg, size_t arg_size)
{
    enum { CHILDREN = 12 };
    uint64_t stream;
    cf_future *children[CHILDREN], *f;
    cf_as_completed *it;
    CHECK_EQ(arg_size, sizeof stream);
    memcpy(&stream, arg, sizeof stream);
    for (unsigned i = 0; i < CHILDREN; i++) {
        stream++;
        CHECK_EQ(cf_submit(cf_call_executor(call),
                           run,
                           &stream,
                           sizeof stream,
                           &children[i]),
                 CF_OK);
    }
    CHECK_EQ(cf_as_completed_create(children, CHILDREN, &it), CF_OK);
    unsigned out = 0;
    while (cf_as_completed_next(it, CF_FOREVER, &f) == CF_OK) {
        CHECK(cf_future_done(f));
        out++;
    }
    CHECK_EQ(out, CHILDREN);
    cf_as_completed_destroy(it);
    for (unsigned i = 0; i < CHILDREN; i++)
        cf_future_unref(children[i]);
    return 0;
}

static void
inside(cf_executor *ex, struct random *r)
{
    enum { PARENTS = 4 };
    cf_future *parents[PARENTS];
    for (unsigned i = 0; i < PARENTS; i++) {
        uint64_t stream = random_next(r);
        CHECK_EQ(
            cf_submit(ex, iterate_inside, &stream, sizeof stream, &parents[i]),
            CF_OK);
    }
    for (unsigned i = 0; i < PARENTS; i++) {
        CHECK_EQ(cf_future_result(parents[i], CF_FOREVER, NULL), CF_OK);
        cf_future_unref(parents[i]);
    }
    stress_alive();
}

int
main(int argc, char **argv)
{
    stress_begin(argc, argv);
    for (uint64_t round = 1; stress_goes_on(); round++) {
        struct random r = random_stream(round);
        struct shared shared = {stress_random_pool(&r), 0};
        for (int i = 0; i < ROUNDS_PER_POOL; i++) {
            shared.stream = random_next(&r);
            in_threads(USERS, use, &shared);
            inside(shared.ex, &r);
        }
        stress_pool_destroy(shared.ex);
    }
    return stress_end("%llu futures handed out, %llu iterators left early",
                      (unsigned long long)handed_out,
                      (unsigned long long)destroyed_early);
}
