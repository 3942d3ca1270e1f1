/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that complete, cancel, submit or wait for what has callbacks: in
 * which order these run, and on how much stack.
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
    bool at_once; /* who looks at inner learns of it at once */
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

/* Three promises: the callback of the first one completes the second, whose
 * callback completes the third, for which the first one waits. */
typedef struct relay {
    cf_executor *ex;
    cf_future *second, *third;
    cf_err (*wait)(struct relay *r);
    cf_err err;
    gate *g;
} relay;

static void
complete_third(cf_future *f, void *data)
{
    relay *r = data;
    (void)f;
    (void)cf_future_set_result(r->third, NULL, 0);
    if (r->g)
        gate_open(r->g);
}

static void
complete_second_and_wait(cf_future *f, void *data)
{
    relay *r = data;
    (void)f;
    (void)cf_future_set_result(r->second, NULL, 0);
    r->err = r->wait(r);
}

static cf_err
wait_plainly(relay *r)
{
    return cf_future_wait(r->third, CF_FOREVER);
}

static cf_err
wait_for_the_result(relay *r)
{
    return cf_future_result(r->third, CF_FOREVER, NULL);
}

static cf_err
poll_once(relay *r)
{
    return cf_future_wait(r->third, 0);
}

static cf_err
wait_for_the_first(relay *r)
{
    return cf_wait(&r->third, 1, CF_FIRST_COMPLETED, CF_FOREVER, NULL);
}

static cf_err
wait_with_an_iterator(relay *r)
{
    cf_as_completed *it;
    cf_future *f;
    cf_err err = cf_as_completed_create(&r->third, 1, &it);
    if (err)
        return err;
    err = cf_as_completed_next(it, CF_FOREVER, &f);
    cf_as_completed_destroy(it);
    return err;
}

static void
run_relay(relay *r)
{
    cf_future *first = promise();
    r->second = promise();
    r->third = promise();
    assert_ok(cf_future_on_done(first, complete_second_and_wait, r));
    assert_ok(cf_future_on_done(r->second, complete_third, r));
    assert_ok(cf_future_set_result(first, NULL, 0));
    assert_ok(r->err);
    cf_future_unref(first);
    cf_future_unref(r->second);
    cf_future_unref(r->third);
}

CF_TEST(a_wait_in_a_callback_first_runs_what_is_due)
{
    cf_err (*const waits[])(relay *) = {wait_plainly,
                                        wait_for_the_result,
                                        poll_once,
                                        wait_for_the_first,
                                        wait_with_an_iterator};
    for (int i = 0; i < 5; i++)
        run_relay(&(relay){.wait = waits[i]});
}

/* What callbacks have read of a map. */
typedef struct reader {
    cf_results *r;
    size_t read;
    bool in_turn; /* each item once, in order, with its result */
} reader;

static void
read_one(cf_future *f, void *data)
{
    reader *reads = data;
    cf_bytes out;
    (void)f;
    assert_ok(cf_results_next(reads->r, CF_FOREVER, &out));
    size_t i = cf_results_index(reads->r);
    reads->in_turn = reads->in_turn && i == reads->read &&
                     out.size == sizeof(int) &&
                     *(const int *)out.data == (int)(i * i);
    reads->read++;
}

CF_TEST(callbacks_that_are_due_may_read_the_same_map)
{
    enum { ITEMS = 8, CALLBACKS = 3 };
    int items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    cf_executor *ex = test_executor(1);
    cf_map_options opts = CF_MAP_OPTIONS_INIT;
    opts.chunk_size = 1;
    reader reads = {.in_turn = true};
    assert_ok(cf_map(
        ex, task_square, items, sizeof items[0], ITEMS, &opts, &reads.r));
    read_one(NULL, &reads);
    cf_future *f = promise();
    for (int i = 0; i < CALLBACKS; i++)
        assert_ok(cf_future_on_done(f, read_one, &reads));
    assert_ok(cf_future_set_result(f, NULL, 0));
    while (reads.read < ITEMS)
        read_one(NULL, &reads);
    cr_assert(reads.in_turn);
    assert_err(cf_results_next(reads.r, CF_FOREVER, NULL), CF_EDONE);
    cf_results_destroy(reads.r, false);
    cf_future_unref(f);
    cf_executor_destroy(ex);
}

static cf_err
wait_until_idle(relay *r)
{
    return cf_executor_wait_idle(r->ex, CF_FOREVER);
}

static cf_err
shut_down(relay *r)
{
    return cf_executor_shutdown(r->ex, CF_SHUTDOWN_CANCEL, CF_FOREVER);
}

/* The task ends only when the callback that is due has opened the gate. */
CF_CONCURRENT_TEST(so_does_a_wait_for_an_executor)
{
    cf_err (*const waits[])(relay *) = {wait_until_idle, shut_down};
    for (int i = 0; i < 2; i++) {
        relay r = {.wait = waits[i], .ex = test_executor(1), .g = gate_new()};
        cf_future *held;
        occupy(r.ex, r.g, 1, &held);
        run_relay(&r);
        cf_future_unref(held);
        cf_executor_destroy(r.ex);
    }
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

static void
end_thread(cf_future *f, void *data)
{
    (void)f;
    (void)data;
    pthread_exit(NULL);
}

static void *
complete_and_end(void *data)
{
    (void)cf_future_set_result(data, NULL, 0);
    return NULL;
}

/* It must not; but the others do not pay for it. */
CF_TEST(a_callback_that_ends_its_thread_takes_no_other_along)
{
    cf_future *f = promise();
    atomic_int *calls = counter_new();
    pthread_t thread;
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_on_done(f, end_thread, NULL));
    assert_ok(cf_future_on_done(f, count_done, calls));
    assert_ok(cf_future_on_done(f, end_thread, NULL));
    assert_ok(cf_future_on_done(f, count_done, calls));
    cr_assert(pthread_create(&thread, NULL, complete_and_end, f) == 0);
    pthread_join(thread, NULL);
    cr_assert(*calls == 3, "%d", *calls);
    cf_future_unref(f);
}
