/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that complete, cancel or submit something that has callbacks too:
 * in which order these run, and on how much stack.
 */
#define _GNU_SOURCE
#include "tests/conformance/conformance.h"

#include <limits.h>

static void
note_entry(cf_future *f, void *data)
{
    (void)f;
    const journal_entry *e = data;
    journal_add(e->journal, e->entry);
}

/* Calls fn in a thread with the smallest stack that there is. */
static void
on_a_small_stack(void *(*fn)(void *), void *data)
{
    pthread_attr_t attr;
    pthread_t thread;
    /* Sanitizers take their part of it. */
    size_t size = (size_t)PTHREAD_STACK_MIN + (128 << 10);
    pthread_attr_init(&attr);
    cr_assert(pthread_attr_setstacksize(&attr, size) == 0);
    cr_assert(pthread_create(&thread, &attr, fn, data) == 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
}

enum { LINKS = 100000 };

/* A chain of futures, each of which does something to the next one. */
typedef struct chain {
    cf_executor *ex;
    cf_future **links;
    int at;
    cf_done_fn *step;
} chain;

static void
complete_next(cf_future *f, void *data)
{
    chain *c = data;
    (void)f;
    if (++c->at < LINKS)
        (void)cf_future_set_result(c->links[c->at], NULL, 0);
}

static void
cancel_next(cf_future *f, void *data)
{
    chain *c = data;
    (void)f;
    if (++c->at < LINKS)
        (void)cf_future_cancel(c->links[c->at]);
}

static void
call_back_for_next(cf_future *f, void *data)
{
    chain *c = data;
    (void)f;
    if (++c->at < LINKS)
        (void)cf_future_on_done(c->links[c->at], call_back_for_next, c);
}

static void
submit_next(cf_future *f, void *data)
{
    chain *c = data;
    cf_future *next;
    (void)f;
    if (++c->at < LINKS &&
        cf_submit(c->ex, task_nothing, NULL, 0, &next) == CF_OK) {
        (void)cf_future_on_done(next, submit_next, c);
        cf_future_unref(next);
    }
}

/* Each link has the step as its callback; the first one is made to run. */
static void *
run_chain(void *data)
{
    chain *c = data;
    for (int i = 0; i < LINKS; i++) {
        c->links[i] = promise();
        if (c->step == call_back_for_next)
            (void)cf_future_set_result(c->links[i], NULL, 0);
        else
            (void)cf_future_on_done(c->links[i], c->step, c);
    }
    if (c->step == call_back_for_next)
        (void)cf_future_on_done(c->links[0], c->step, c);
    else
        (void)cf_future_set_result(c->links[0], NULL, 0);
    unref_all(c->links, LINKS);
    return NULL;
}

CF_TEST(a_chain_of_callbacks_needs_no_stack)
{
    static cf_future *links[LINKS];
    static cf_done_fn *const steps[] = {
        complete_next, cancel_next, call_back_for_next};
    for (int i = 0; i < 3; i++) {
        chain c = {.links = links, .step = steps[i]};
        on_a_small_stack(run_chain, &c);
        cr_assert(c.at == LINKS, "chain %d ended at %d", i, c.at);
    }
}

static void *
run_submits(void *data)
{
    chain *c = data;
    c->at = -1;
    submit_next(NULL, c);
    return NULL;
}

CF_TEST(a_chain_of_callbacks_that_submit_needs_no_stack)
{
    chain c = {0};
    assert_ok(cf_inline_create(&c.ex));
    on_a_small_stack(run_submits, &c);
    cr_assert(c.at == LINKS, "the chain ended at %d", c.at);
    cf_executor_destroy(c.ex);
}

/* Completes a future, and writes down when that returned. */
typedef struct nested {
    journal *j;
    cf_future *inner;
    bool at_once; /* a look at inner shows it at once */
    journal_entry last;
} nested;

static void
complete_inner(cf_future *f, void *data)
{
    nested *n = data;
    (void)f;
    journal_add(n->j, 1);
    (void)cf_future_set_result(n->inner, NULL, 0);
    n->at_once = cf_future_done(n->inner);
    n->last = (journal_entry){n->j, 9}; /* for longer than this call */
    (void)cf_future_on_done(n->inner, note_entry, &n->last);
    journal_add(n->j, 2);
}

CF_TEST(callbacks_of_what_a_callback_completes_run_after_it)
{
    nested n = {.j = journal_new(), .inner = promise()};
    journal_entry entries[] = {{n.j, 3}, {n.j, 4}, {n.j, 5}};
    cf_future *f = promise();
    assert_ok(cf_future_on_done(f, complete_inner, &n));
    assert_ok(cf_future_on_done(f, note_entry, &entries[0]));
    assert_ok(cf_future_on_done(n.inner, note_entry, &entries[1]));
    assert_ok(cf_future_on_done(n.inner, note_entry, &entries[2]));
    assert_ok(cf_future_set_result(f, NULL, 0));
    cr_assert(n.at_once);
    cr_assert(n.j->length == 6);
    for (int i = 0; i < 5; i++)
        cr_assert(n.j->entries[i] == i + 1);
    cf_future_unref(f);
    cf_future_unref(n.inner);
}

/* Waits for the very first one on top of thousands that are due: they run one
 * after the other, only some of them inside of each other. */
static void
wait_a_little(cf_future *f, void *data)
{
    chain *c = data;
    (void)f;
    c->at++;
    (void)cf_future_wait(c->links[LINKS - 1], 0);
}

static void
complete_all_others(cf_future *f, void *data)
{
    chain *c = data;
    (void)f;
    for (int i = 1; i < LINKS - 1; i++)
        (void)cf_future_set_result(c->links[i], NULL, 0);
}

static void *
run_fan(void *data)
{
    chain *c = data;
    for (int i = 0; i < LINKS; i++) {
        c->links[i] = promise();
        (void)cf_future_on_done(
            c->links[i], i ? wait_a_little : complete_all_others, c);
    }
    (void)cf_future_set_result(c->links[0], NULL, 0);
    unref_all(c->links, LINKS);
    return NULL;
}

CF_TEST(many_callbacks_that_wait_need_no_stack)
{
    static cf_future *links[LINKS];
    chain c = {.links = links};
    on_a_small_stack(run_fan, &c);
    cr_assert(c.at == LINKS - 2, "%d", c.at);
}

static void
shut_down_again(cf_future *f, void *data)
{
    (void)f;
    (void)cf_executor_shutdown(
        data, CF_SHUTDOWN_CANCEL | CF_SHUTDOWN_NOWAIT, 0);
}

static void *
shut_down_by_hand(void *data)
{
    shut_down_again(NULL, data);
    return NULL;
}

CF_CONCURRENT_TEST(callbacks_that_shut_down_what_called_them_need_no_stack)
{
    enum { TASKS = 5000 };
    cf_executor *ex = test_executor(1);
    gate *g = gate_new();
    cf_future *held;
    occupy(ex, g, 1, &held);
    for (int i = 0; i < TASKS; i++) {
        cf_future *f = must_submit(ex, task_nothing, NULL, 0);
        assert_ok(cf_future_on_done(f, shut_down_again, ex));
        cf_future_unref(f);
    }
    on_a_small_stack(shut_down_by_hand, ex);
    gate_open(g);
    cf_future_unref(held);
    cf_executor_destroy(ex);
}
