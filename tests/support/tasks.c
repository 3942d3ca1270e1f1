/* SPDX-License-Identifier: MIT */
/*
 * The task functions shared by the tests; see tasks.h.
 */
#include "tests/support/tasks.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
int_of(const void *arg)
{
    int n;
    memcpy(&n, arg, sizeof n);
    return n;
}

int
task_nothing(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg;
    (void)arg_size;
    return 0;
}

int
task_echo(cf_call *call, const void *arg, size_t arg_size)
{
    if (cf_return(call, arg, arg_size) != CF_OK)
        return cf_fail(call, 1, "cannot return %zu bytes", arg_size);
    return 0;
}

int
task_square(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int n = int_of(arg);
    n *= n;
    return cf_return(call, &n, sizeof n) != CF_OK;
}

int
task_fail(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int code = int_of(arg);
    return cf_fail(call, code, "code %d", code);
}

int
task_fail_thirds(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    int n = int_of(arg);
    if (n % 3 == 0)
        return cf_fail(call, n, "%d is a multiple of 3", n);
    n *= 2;
    return cf_return(call, &n, sizeof n) != CF_OK;
}

int
task_hold(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    gate_pass((gate *)arg);
    return 0;
}

int
task_until_canceled(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    gate_arrive((gate *)arg);
    while (!cf_call_canceled(call))
        if (!gate_suspend || !gate_suspend())
            sched_yield();
    return 1;
}

int
task_count(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    atomic_fetch_add((atomic_int *)arg, 1);
    return 0;
}

int
task_count_pointer(cf_call *call, const void *arg, size_t arg_size)
{
    (void)arg_size;
    atomic_int *counter;
    memcpy(&counter, arg, sizeof counter);
    return task_count(call, counter, 0);
}

void
count_free(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

journal *
journal_new(void)
{
    return shared_new(sizeof(journal));
}

void
journal_add(journal *j, int entry)
{
    int at = atomic_fetch_add(&j->length, 1);
    if (at >= (int)(sizeof j->entries / sizeof j->entries[0])) {
        fprintf(stderr, "journal_add: full\n");
        abort();
    }
    j->entries[at] = entry;
}

int
task_journal(cf_call *call, const void *arg, size_t arg_size)
{
    (void)call;
    (void)arg_size;
    journal_entry e;
    memcpy(&e, arg, sizeof e);
    journal_add(e.journal, e.entry);
    return 0;
}

void
occupy(cf_executor *ex, gate *g, int count, cf_future **held)
{
    for (int i = 0; i < count; i++) {
        cf_err err = cf_submit(ex, task_hold, g, 0, &held[i]);
        if (err != CF_OK) {
            fprintf(stderr, "occupy: cf_submit: %s\n", cf_err_name(err));
            abort();
        }
    }
    gate_await(g, count);
}

void
count_done(cf_future *f, void *data)
{
    (void)f;
    atomic_fetch_add((atomic_int *)data, 1);
}

void
hold_done(cf_future *f, void *data)
{
    (void)f;
    gate_pass(data);
}
