/* SPDX-License-Identifier: MIT */
/*
 * The iterator over futures as they complete.
 *
 * Each future not handed out has a node, a waiter on the future. The completer
 * pushes the node onto it->ready, newest first; the user takes all of it at
 * once and turns it round: one compare-and-swap a future on either side.
 *
 * The user sleeps on the low half of ready itself, where it left SLEEPING: the
 * completer's push changes the word, and what it replaced says whether to
 * wake. So the completer touches nothing of the iterator after its push, and
 * the user may destroy it at once. Only the eventfd is written to after the
 * push; then the user takes the future's lock before it lets go of the node
 * (cf__waiter_remove), which waits for the completer.
 */
#include "lib/many/as_completed.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/forked.h"
#include "lib/base/size.h"
#include "lib/base/spin.h"
#include "lib/executor/ask.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/executor.h"
#include "lib/executor/in_task.h"
#include "lib/executor/remote.h"
#include "lib/executor/server.h"
#include "lib/executor/wait_graph.h"
#include "lib/future/callback.h"
#include "lib/future/waiter.h"
#include "lib/many/future_set.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

struct node {
    struct cf__waiter waiter;   /* its next also links ready, local and free */
    struct cf__awaited awaited; /* f is NULL: the node is free. Else it is in
                                   the ring of all that are not handed out */
    cf_as_completed *it;
};

enum { CHUNK_MIN = 8 };

struct chunk {
    struct chunk *next;
    size_t count;
    struct node nodes[];
};

#define SLEEPING ((struct cf__waiter *)1)

struct cf_as_completed {
    /* Atomic. Writers: completers (push), the user (takes all, SLEEPING). */
    _Alignas(CF_CACHE_LINE) _Atomic(struct cf__waiter *) ready;
    atomic_int fd; /* -1: not asked for. Writer: the user */

    /* The user's. */
    _Alignas(CF_CACHE_LINE) struct cf__waiter *local; /* oldest first */
    struct cf__waiter *free;
    struct chunk *chunks;
    struct cf__awaited *first;   /* of the ring, the oldest; NULL: none */
    struct cf__awaited *untried; /* in a task: those before it are not pending
                                    any more; NULL: none is */
    uintptr_t tried_by;          /* whose tasks have tried them */
    struct cf__awaited
        *likely; /* in a task: where the wait graph looks first */
    struct cf__future_set members;
    size_t remaining; /* not handed out */
    cf_future *lent;
    uint16_t generation; /* of the process */
};

/* In a fork's child it is not: it yields what was ready, and is freed. The nodes
 * in the futures' lists, and the descriptor, are the parent's. */
static bool
is_ours(const cf_as_completed *it)
{
    return it->generation == cf__generation_now();
}

static void
enter_ring(cf_as_completed *it, struct cf__awaited *awaited)
{
    if (!it->first)
        it->first = it->likely = awaited->next = awaited->prev = awaited;
    else
        cf__awaited_link(awaited, it->first);
    if (!it->untried)
        it->untried = awaited;
}

/* The next one to be tried. */
static void
pass_untried(cf_as_completed *it)
{
    struct cf__awaited *next = it->untried->next;
    it->untried = next == it->first ? NULL : next;
}

static void
leave_ring(cf_as_completed *it, struct cf__awaited *awaited)
{
    if (it->untried == awaited)
        pass_untried(it);
    if (it->likely == awaited)
        it->likely = awaited->next;
    if (it->first == awaited)
        it->first = awaited->next;
    if (it->first == awaited)
        it->first = it->likely = it->untried = NULL;
    cf__awaited_unlink(awaited);
}

static void
signal_fd(int fd)
{
    uint64_t one = 1;
    int saved_errno = errno;
    /* Fails only if the counter is full: then it is readable anyway. */
    ssize_t written = cf__write(fd, &one, sizeof one);
    (void)written;
    errno = saved_errno;
}

/* Called by the completer, with the future's lock. */
static void
completed(struct cf__waiter *waiter, cf_future *f)
{
    cf_as_completed *it = ((struct node *)waiter)->it;
    (void)f;
    int fd = cf_load_acquire(&it->fd); /* pairs with cf_as_completed_fd */
    struct cf__waiter *former = cf_load_relaxed(&it->ready);
    do {
        waiter->next = former == SLEEPING ? NULL : former;
        /* pairs with take_ready. After it, without an fd, the iterator must
         * not be touched. */
    } while (!cf_cas_weak_acq_rel(&it->ready, &former, waiter));
    if (former == SLEEPING)
        cf__futex_wake(cf__as_completed_word(&it->ready), 1);
    if (fd >= 0)
        signal_fd(fd);
}

/* Takes what is ready into local; false: nothing is. */
static bool
take_ready(cf_as_completed *it)
{
    if (it->local)
        return true;
    if (!cf_load_relaxed(&it->ready)) /* the exchange acquires */
        return false;
    /* pairs with completed */
    struct cf__waiter *newest = cf_exchange_acquire(&it->ready, NULL);
    if (newest == SLEEPING)
        return false;
    for (struct cf__waiter *next; newest; newest = next) {
        next = newest->next;
        newest->next = it->local;
        it->local = newest;
    }
    return true;
}

static bool
add_chunk(cf_as_completed *it, size_t count)
{
    size_t size;
    struct chunk *chunk = NULL;
    if (cf__size_add(sizeof *chunk, count, sizeof *chunk->nodes, &size))
        chunk = malloc(size);
    if (!chunk)
        return false;
    chunk->count = count;
    chunk->next = it->chunks;
    it->chunks = chunk;
    for (size_t i = count; i-- > 0;) {
        struct node *node = &chunk->nodes[i];
        node->it = it;
        node->awaited.f = NULL;
        node->waiter.notify = completed;
        node->waiter.next = it->free;
        it->free = &node->waiter;
    }
    return true;
}

/* There are a node and a place in the set for f. CF_EFORKED. */
static cf_err
add_reserved(cf_as_completed *it, cf_future *f)
{
    if (__builtin_expect(cf__forked(f), 0))
        return CF_EFORKED;
    if (!cf__future_set_add(&it->members, f))
        return CF_OK;
    struct node *node = (struct node *)it->free;
    it->free = node->waiter.next;
    node->awaited.f = cf_future_ref(f);
    enter_ring(it, &node->awaited);
    it->remaining++;
    if (!cf__remote_listen(f, &node->waiter))
        completed(&node->waiter, f); /* it is done already */
    return CF_OK;
}

static void
clear_fd(cf_as_completed *it)
{
    int fd = cf_load_relaxed(&it->fd); /* the user's own */
    if (fd < 0 || !is_ours(it))
        return;
    uint64_t count;
    ssize_t got = cf__read(fd, &count, sizeof count);
    (void)got; /* EAGAIN: it was clear */
    /* What came in between has been cleared too: say so again. */
    if (it->local || cf_load_acquire(&it->ready) || it->remaining == 0)
        signal_fd(fd);
}

cf_err
cf_as_completed_create(cf_future *const *futures,
                       size_t count,
                       cf_as_completed **out)
{
    if (!out || (!futures && count))
        return CF_EINVAL;
    if (!cf__array_fits(count, sizeof(struct node)))
        return CF_ETOOBIG;
    for (size_t i = 0; i < count; i++)
        if (!futures[i])
            return CF_EINVAL;
    cf_as_completed *it = aligned_alloc(CF_CACHE_LINE, sizeof *it);
    if (!it)
        return CF_ENOMEM;
    memset(it, 0, sizeof *it);
    cf_store_relaxed(&it->fd, -1); /* nobody else knows it yet */
    it->generation = cf__generation_now();
    cf_err err = CF_OK;
    if (count &&
        (cf__future_set_reserve(&it->members, count) || !add_chunk(it, count)))
        err = CF_ENOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = add_reserved(it, futures[i]);
    if (err) {
        cf_as_completed_destroy(it);
        return err;
    }
    *out = it;
    return CF_OK;
}

cf_err
cf__as_completed_reserve(cf_as_completed *it)
{
    size_t more = it->remaining > CHUNK_MIN ? it->remaining : CHUNK_MIN;
    return cf__future_set_reserve(&it->members, 1) ||
                   (!it->free && !add_chunk(it, more))
               ? CF_ENOMEM
               : CF_OK;
}

cf_err
cf_as_completed_add(cf_as_completed *it, cf_future *f)
{
    if (!it || !f)
        return CF_EINVAL;
    if (!is_ours(it))
        return CF_EFORKED;
    bool was_over = it->remaining == 0;
    cf_err err = cf__as_completed_reserve(it);
    if (!err)
        err = add_reserved(it, f);
    if (!err && was_over)
        clear_fd(it);
    return err;
}

/* Hands out the oldest that is ready. */
static cf_future *
hand_out(cf_as_completed *it)
{
    struct node *node = (struct node *)it->local;
    cf_future *f = node->awaited.f;
    it->local = node->waiter.next;
    if (cf_load_relaxed(&it->fd) >= 0 && is_ours(it))
        cf__waiter_remove(f, &node->waiter); /* the completer is through */
    cf__future_set_remove(&it->members, f);
    leave_ring(it, &node->awaited);
    node->awaited.f = NULL;
    node->waiter.next = it->free;
    it->free = &node->waiter;
    it->remaining--;
    cf_future_unref(it->lent); /* of a callback that ran in this call's wait */
    it->lent = f;
    if (!it->local)
        clear_fd(it);
    return f;
}

/* Sleeps once on ready; false: the deadline has passed. */
static bool
sleep_on_ready(cf_as_completed *it, int64_t deadline_ns)
{
    struct cf__waiter *empty = NULL;
    /* pairs with completed: it sees SLEEPING, or we see what it pushed */
    if (!cf_cas_acq_rel(&it->ready, &empty, SLEEPING) && empty != SLEEPING)
        return true;
    return cf__sleep(cf__as_completed_word(&it->ready),
                     (uint32_t)(uintptr_t)SLEEPING,
                     deadline_ns);
}

static cf_err
wait_outside(cf_as_completed *it, int64_t deadline_ns)
{
    struct cf__spin spin = cf__spin_begin();
    bool ready = false;
    while (!ready && cf__spin_on(&spin, deadline_ns))
        ready = take_ready(it);
    while (!ready && is_ours(it) && sleep_on_ready(it, deadline_ns))
        ready = take_ready(it);
    cf__spin_learn(&spin);
    if (ready || take_ready(it))
        return CF_OK;
    return is_ours(it) ? CF_ETIMEDOUT : CF_EFORKED; /* by a callback */
}

/* Whose tasks this thread can run: no two have the same in their time. */
static uintptr_t
who_tries(const struct cf__worker *worker)
{
    if (cf__thread.caller_run)
        return cf__thread.caller_run->id;
    return worker ? (uintptr_t)worker->executor : 0;
}

/* Runs one pending future here; false: there is none, or, if untried is left, no
 * memory to run it. worker may be NULL. */
static bool
run_one(struct cf__worker *worker, cf_as_completed *it)
{
    if (it->tried_by != who_tries(worker))
        it->untried = it->first;
    it->tried_by = who_tries(worker);
    while (it->untried) {
        cf_future *f = it->untried->f;
        bool ran =
            cf__caller_run_pending(f) || (worker && cf__in_task_run(worker, f));
        if (!ran && worker && cf__in_task_must_retry(worker, f))
            return false;
        pass_untried(it);
        if (ran)
            return true;
    }
    return false;
}

/* Sleeps in a task, unless that could never end. */
static cf_err
sleep_in_task(struct cf__worker *worker,
              cf_as_completed *it,
              int64_t deadline_ns,
              bool forever)
{
    if (!worker)
        return wait_outside(it, deadline_ns);
    if (cf__wait_graph_enter(worker, it->likely, forever))
        return CF_EDEADLK;
    cf_err err = wait_outside(it, deadline_ns);
    cf__wait_graph_leave(worker);
    it->likely = worker->awaited;
    return err;
}

/* In a task, of a worker or of one that submits: runs pending futures here
 * before it sleeps. */
static cf_err
wait_in_task(struct cf__worker *worker,
             cf_as_completed *it,
             int64_t deadline_ns)
{
    for (;;) {
        bool ready = take_ready(it);
        while (!ready && run_one(worker, it))
            ready = take_ready(it);
        if (ready)
            return CF_OK;
        if (!is_ours(it))
            return CF_EFORKED; /* by a task that ran here */
        int64_t until = deadline_ns;
        if (it->untried)
            until = cf__in_task_retry_at(deadline_ns);
        cf_err err = sleep_in_task(worker, it, until, deadline_ns == CF__NEVER);
        if (err != CF_ETIMEDOUT || until == deadline_ns)
            return err;
    }
}

static cf_err
wait_for_ready(cf_as_completed *it, int64_t deadline_ns)
{
    struct cf__worker *worker = cf__thread.worker;
    return worker || cf__thread.caller_run
               ? wait_in_task(worker, it, deadline_ns)
               : wait_outside(it, deadline_ns);
}

cf_err
cf_as_completed_next(cf_as_completed *it, int64_t timeout_ns, cf_future **out)
{
    if (!it || !out || !cf__timeout_valid(timeout_ns))
        return CF_EINVAL;
    cf_future_unref(it->lent);
    it->lent = NULL;
    /* Other callbacks may use the iterator, too: now, not in the wait. */
    struct cf__due *due = take_ready(it) ? NULL : cf__callbacks_pause();
    cf_err err = CF_OK;
    if (it->remaining == 0) {
        err = CF_EDONE;
    } else if (!take_ready(it)) {
        if (!is_ours(it)) {
            err = CF_EFORKED;
        } else if (timeout_ns == 0) {
            clear_fd(it);
            err = CF_ETIMEDOUT;
        } else {
            err = wait_for_ready(it, cf__deadline(timeout_ns));
        }
    }
    cf__callbacks_resume(due);
    if (err)
        return err;
    *out = hand_out(it);
    return CF_OK;
}

size_t
cf_as_completed_remaining(const cf_as_completed *it)
{
    return it ? it->remaining : 0;
}

int
cf_as_completed_fd(cf_as_completed *it)
{
    if (!it) {
        errno = EINVAL;
        return -1;
    }
    if (!is_ours(it)) {
        errno = EPERM;
        return -1;
    }
    int fd = cf_load_relaxed(&it->fd); /* the user's own */
    if (fd >= 0)
        return fd;
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return -1;
    cf_store_release(&it->fd, fd); /* pairs with completed */
    /* A completer that did not see it has pushed when its lock is free. */
    for (struct chunk *chunk = it->chunks; chunk; chunk = chunk->next) {
        for (size_t i = 0; i < chunk->count; i++) {
            if (chunk->nodes[i].awaited.f)
                cf__waiters_sync(chunk->nodes[i].awaited.f);
        }
    }
    clear_fd(it);
    return fd;
}

void
cf_as_completed_destroy(cf_as_completed *it)
{
    if (!it)
        return;
    for (struct chunk *chunk = it->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        for (size_t i = 0; i < chunk->count; i++) {
            struct node *node = &chunk->nodes[i];
            cf_future *f = node->awaited.f;
            if (f && is_ours(it))
                cf__waiter_remove(f, &node->waiter);
            cf_future_unref(f);
        }
        free(chunk);
    }
    cf_future_unref(it->lent);
    int fd = cf_load_relaxed(&it->fd);
    if (fd >= 0 && is_ours(it))
        cf__close(fd);
    cf__future_set_fini(&it->members);
    free(it);
}
