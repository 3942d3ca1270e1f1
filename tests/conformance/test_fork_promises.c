/* SPDX-License-Identifier: MIT */
/*
 * Futures that are completed by hand, and iterators over them, in a child that
 * the application forks: the child completes its own copies.
 */
#define _GNU_SOURCE
#include "tests/conformance/children.h"

#include <errno.h>
#include <poll.h>

CF_TEST(a_promise_made_before_the_fork_works_in_the_child)
{
    cf_future *f = promise();
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *own = NULL;
        child_check(cf_future_create(&own) == CF_OK);
        child_check(cf_future_set_result(own, "x", 1) == CF_OK);
        child_check(cf_future_result(own, CF_FOREVER, NULL) == CF_OK);
        cf_future_unref(own);
        cf_future_unref(f);
        _exit(0);
    }
    expect_clean_exit(child);
    assert_ok(cf_future_set_result(f, NULL, 0));
    cf_future_unref(f);
}

static void
note_call(cf_future *f, void *data)
{
    (void)f;
    ++*(int *)data;
}

CF_TEST(a_child_completes_its_copy_and_calls_back)
{
    cf_future *f = promise();
    int calls = 0;
    assert_ok(cf_future_on_done(f, note_call, &calls));
    cf_as_completed *it = NULL;
    assert_ok(cf_as_completed_create(&f, 1, &it));
    assert_ok(cf_future_on_done(f, note_call, &calls));
    pid_t child = fork_child();
    if (child == 0) {
        cf_as_completed *own = NULL;
        cf_future *out = NULL;
        child_check(cf_future_on_done(f, note_call, &calls) == CF_OK);
        child_check(cf_as_completed_create(&f, 1, &own) == CF_OK);
        child_check(cf_future_set_result(f, "x", 1) == CF_OK);
        child_check(calls == 3);
        child_check(cf_as_completed_next(own, CF_FOREVER, &out) == CF_OK);
        child_check(out == f);
        cf_as_completed_destroy(own);
        /* The parent's says so, and goes. */
        child_check(cf_as_completed_next(it, CF_FOREVER, &out) == CF_EFORKED);
        child_check(cf_as_completed_add(it, f) == CF_EFORKED);
        cf_as_completed_destroy(it);
        cf_future_unref(f);
        _exit(0);
    }
    expect_clean_exit(child);
    cr_assert(calls == 0);
    assert_ok(cf_future_set_result(f, "p", 1));
    cr_assert(calls == 2);
    cf_as_completed_destroy(it);
    cf_future_unref(f);
}

static bool
is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

CF_TEST(a_child_leaves_the_descriptor_of_an_iterator_alone)
{
    cf_future *fs[] = {promise(), promise_in(CF_FINISHED, false), promise()};
    cf_as_completed *idle = NULL, *ready = NULL;
    assert_ok(cf_as_completed_create(&fs[0], 1, &idle));
    assert_ok(cf_as_completed_create(&fs[1], 2, &ready));
    int idle_fd = cf_as_completed_fd(idle);
    int ready_fd = cf_as_completed_fd(ready);
    cr_assert(!is_readable(idle_fd) && is_readable(ready_fd));
    pid_t child = fork_child();
    if (child == 0) {
        cf_future *f = NULL;
        child_check(cf_future_set_result(fs[0], "x", 1) == CF_OK);
        /* What was done at the fork still comes out. */
        child_check(cf_as_completed_next(ready, 0, &f) == CF_OK);
        child_check(f == fs[1]);
        child_check(cf_as_completed_next(ready, 0, &f) == CF_EFORKED);
        child_check(cf_as_completed_fd(ready) == -1 && errno == EPERM);
        cf_as_completed_destroy(ready);
        cf_as_completed_destroy(idle);
        /* Not even its own number for it is closed: it may be another's. */
        child_check(is_readable(ready_fd));
        _exit(0);
    }
    expect_clean_exit(child);
    cr_assert(!is_readable(idle_fd) && is_readable(ready_fd));
    cf_future *f = NULL;
    assert_err(cf_as_completed_next(idle, 0, &f), CF_ETIMEDOUT);
    assert_ok(cf_as_completed_next(ready, 0, &f));
    cf_as_completed_destroy(idle);
    cf_as_completed_destroy(ready);
    unref_all(fs, 3);
}

/* Iterates over a promise and gives up, again and again. */
typedef struct churn {
    cf_future *f;
    atomic_bool over;
} churn;

static void *
iterate_in_vain(void *data)
{
    churn *c = data;
    while (!atomic_load(&c->over)) {
        cf_as_completed *it = NULL;
        assert_ok(cf_as_completed_create(&c->f, 1, &it));
        cf_as_completed_destroy(it);
    }
    return NULL;
}

static void *
wait_in_vain(void *data)
{
    churn *c = data;
    while (!atomic_load(&c->over))
        (void)cf_wait(&c->f, 1, CF_FIRST_COMPLETED, 1, NULL);
    return NULL;
}

CF_TEST(a_child_completes_its_copy_whatever_other_threads_were_at)
{
    enum { FORKS = 100 };
    churn c = {.f = promise()};
    pthread_t threads[2];
    cr_assert(pthread_create(&threads[0], NULL, iterate_in_vain, &c) == 0);
    cr_assert(pthread_create(&threads[1], NULL, wait_in_vain, &c) == 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork_child();
        if (child == 0) { /* and needs no memory for it */
            child_check(cf_future_set_result(c.f, "x", 1) == CF_OK);
            child_check(cf_future_wait(c.f, 0) == CF_OK);
            _exit(0);
        }
        expect_clean_exit(child);
    }
    atomic_store(&c.over, true);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    cf_future_unref(c.f);
}
