/* SPDX-License-Identifier: MIT */
/*
 * The iterator's public functions: it is made, added to, hands out futures and
 * is destroyed. README.md, "How a completion reaches the iterator", has the
 * protocol. Completers use `ready`, `fd` and their own nodes. All else is the
 * user's: one thread at a time uses an iterator, so there is no lock.
 */
#include "lib/many/as_completed.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/large.h"
#include "lib/base/size.h"
#include "lib/executor/ask.h"
#include "lib/executor/budget.h"
#include "lib/executor/remote.h"
#include "lib/future/callback.h"
#include "lib/future/observed.h"
#include "lib/many/as_completed_iterator.h"
#include "lib/many/as_completed_ring.h"

#include <stdlib.h>

enum { SLAB_MIN = 8 };

static void
free_slab(struct cf__node_slab *slab)
{
    cf__large_free(slab, sizeof *slab + slab->count * sizeof slab->nodes[0]);
}

static bool
add_slab(cf_as_completed *it, size_t count)
{
    size_t size;
    struct cf__node_slab *slab = NULL;
    if (cf__size_add(sizeof *slab, count, sizeof *slab->nodes, &size))
        slab = cf__large_malloc(size);
    if (!slab)
        return false;
    slab->count = count;
    slab->next = it->slabs;
    it->slabs = slab;
    for (size_t i = count; i-- > 0;) {
        struct cf__node *node = &slab->nodes[i];
        node->it = it;
        node->awaited.f = NULL;
        node->waiter.notify = cf__as_completed_push;
        node->waiter.next = it->free_nodes;
        it->free_nodes = &node->waiter;
    }
    return true;
}

/* Adds f, for which there are a free node and a place in members. CF_EFORKED: f
 * is not done and belongs to the process that forked this one. */
static cf_err
add_reserved(cf_as_completed *it, cf_future *f)
{
    if (__builtin_expect(cf__forked(f), 0))
        return CF_EFORKED;
    if (!cf__future_set_add(&it->members, f))
        return CF_OK;
    struct cf__node *node = (struct cf__node *)it->free_nodes;
    it->free_nodes = node->waiter.next;
    node->awaited.f = cf_future_ref(f);
    cf__as_completed_enter_ring(it, &node->awaited);
    it->remaining++;
    if (!cf__remote_listen(f, &node->waiter))
        (void)cf__as_completed_push(&node->waiter, f); /* f is done already */
    return CF_OK;
}

cf_err
cf_as_completed_create(cf_future *const *futures,
                       size_t count,
                       cf_as_completed **out)
{
    if (!out || (!futures && count))
        return cf__einval(__func__, !out ? "out is NULL" : "futures is NULL");
    if (!cf__array_fits(count, sizeof(struct cf__node)))
        return CF_ETOOBIG;
    for (size_t i = 0; i < count; i++)
        if (!futures[i])
            return cf__einval(__func__, "one of the futures is NULL");
    cf_as_completed *it = aligned_alloc(CF_CACHE_LINE, sizeof *it);
    if (!it)
        return CF_ENOMEM;
    memset(it, 0, sizeof *it);
    cf_store_relaxed(&it->fd, -1); /* no other thread knows it yet */
    it->generation = cf__generation_now();
    cf_err err = CF_OK;
    if (count &&
        (cf__future_set_reserve(&it->members, count) || !add_slab(it, count)))
        err = CF_ENOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = add_reserved(it, futures[i]);
    cf__as_completed_check(it);
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
    size_t more = it->remaining > SLAB_MIN ? it->remaining : SLAB_MIN;
    return cf__future_set_reserve(&it->members, 1) ||
                   (!it->free_nodes && !add_slab(it, more))
               ? CF_ENOMEM
               : CF_OK;
}

cf_err
cf_as_completed_add(cf_as_completed *it, cf_future *f)
{
    if (!it || !f)
        return cf__einval(__func__, !it ? "it is NULL" : "f is NULL");
    if (!cf__as_completed_is_ours(it))
        return CF_EFORKED;
    bool was_over = it->remaining == 0;
    cf_err err = cf__as_completed_reserve(it);
    if (!err)
        err = add_reserved(it, f);
    if (!err && was_over)
        cf__as_completed_clear_fd(it);
    cf__as_completed_check(it);
    return err;
}

/* Hands out the oldest of the taken nodes, of which there is one. */
static cf_future *
hand_out(cf_as_completed *it)
{
    struct cf__node *node = (struct cf__node *)it->taken;
    cf_future *f = node->awaited.f;
    it->taken = node->waiter.next;
    if ((it->called || cf_load_relaxed(&it->fd) >= 0) &&
        cf__as_completed_is_ours(it))
        cf__waiter_remove(f, &node->waiter); /* then the completer has left */
    it->called = false;
    cf__future_set_remove(&it->members, f);
    cf__as_completed_leave_ring(it, &node->awaited);
    node->awaited.f = NULL;
    node->waiter.next = it->free_nodes;
    it->free_nodes = &node->waiter;
    it->remaining--;
    cf_future_unref(it->lent); /* lent in a callback, during this call's wait */
    it->lent = f;
    if (!it->taken)
        cf__as_completed_clear_fd(it);
    return f;
}

cf_err
cf_as_completed_next(cf_as_completed *it, int64_t timeout_ns, cf_future **out)
{
    const char *why = !it                              ? "it is NULL"
                      : !out                           ? "out is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_future_unref(it->lent);
    it->lent = NULL;
    /* Callbacks that are due may use the iterator too. They run now, not in the
     * wait. */
    bool ready = cf__as_completed_take_ready(it);
    struct cf__due *due = ready ? NULL : cf__callbacks_pause();
    cf_err err = CF_OK;
    if (it->remaining == 0) {
        err = CF_EDONE;
    } else if (!cf__as_completed_take_ready(it)) {
        if (!cf__as_completed_is_ours(it)) {
            err = CF_EFORKED;
        } else if (timeout_ns == 0) {
            cf__as_completed_clear_fd(it);
            err = CF_ETIMEDOUT;
        } else {
            err = cf__as_completed_wait(it, cf__deadline(timeout_ns));
        }
    }
    cf__callbacks_resume(due);
    if (err)
        return err;
    *out = hand_out(it);
    cf__observed_seen(*out);
    cf__as_completed_check(it);
    if (ready && timeout_ns != 0)
        cf__budget_spend();
    return CF_OK;
}

size_t
cf_as_completed_remaining(const cf_as_completed *it)
{
    return it ? it->remaining : 0;
}

void
cf_as_completed_destroy(cf_as_completed *it)
{
    if (!it)
        return;
    cf__as_completed_check(it);
    for (struct cf__node_slab *slab = it->slabs, *next; slab; slab = next) {
        next = slab->next;
        for (size_t i = 0; i < slab->count; i++) {
            struct cf__node *node = &slab->nodes[i];
            cf_future *f = node->awaited.f;
            if (f && cf__as_completed_is_ours(it))
                cf__waiter_remove(f, &node->waiter);
            cf_future_unref(f);
        }
        free_slab(slab);
    }
    cf_future_unref(it->lent);
    int fd = cf_load_relaxed(&it->fd);
    if (fd >= 0 && cf__as_completed_is_ours(it))
        cf__close(fd);
    cf__future_set_fini(&it->members);
    free(it);
}
