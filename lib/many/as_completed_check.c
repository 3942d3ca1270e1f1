/* SPDX-License-Identifier: MIT */
/* Whether an iterator is whole: lib/base/assert.h. */
#include "lib/many/as_completed_iterator.h"

#include "lib/base/assert.h"

#ifdef CF_ASSERTIONS

/* So many nodes of each kind are looked at in one call. */
enum { LOOKS_MAX = 100 };

/* A future that has not been handed out. */
static void
check_awaited(const cf_as_completed *it, const struct cf__awaited *awaited)
{
    cf__assert(awaited->f != NULL);
    cf__assert(cf_load_relaxed(&awaited->f->word) >> 32 != 0); /* a handle */
    cf__assert(awaited->next->prev == awaited);
    cf__assert(cf__future_set_has(&it->members, awaited->f));
}

static void
check_ring(const cf_as_completed *it)
{
    const struct cf__awaited *at = it->first;
    bool found_untried = !it->untried, found_first_look = !at;
    size_t count = 0;
    cf__assert((at == NULL) == (it->remaining == 0));
    cf__assert((at == NULL) == (it->first_look == NULL));
    cf__assert(at || !it->untried);
    while (at && count < LOOKS_MAX) {
        check_awaited(it, at);
        found_untried |= at == it->untried;
        found_first_look |= at == it->first_look;
        count++;
        at = at->next == it->first ? NULL : at->next;
    }
    cf__assert(at ? count < it->remaining : count == it->remaining);
    cf__assert(at || (found_untried && found_first_look));
}

/* Nodes whose futures are done; returns how many. Their links do not change:
 * only the user takes them. */
static size_t
check_done(const cf_as_completed *it, const struct cf__waiter *waiter)
{
    size_t count = 0;
    for (; waiter && count < LOOKS_MAX; waiter = waiter->next) {
        const struct cf__node *node = (const struct cf__node *)waiter;
        cf__assert(node->it == it);
        cf__assert(node->awaited.f != NULL);
        cf__assert(cf_future_done(node->awaited.f));
        cf__assert(waiter->prev == waiter); /* in no list */
        count++;
    }
    return count;
}

/* Returns how many are free, if all were looked at, else fewer. */
static size_t
check_free_nodes(const cf_as_completed *it)
{
    size_t count = 0;
    const struct cf__waiter *waiter = it->free_nodes;
    for (; waiter && count < LOOKS_MAX; waiter = waiter->next) {
        const struct cf__node *node = (const struct cf__node *)waiter;
        cf__assert(node->it == it && !node->awaited.f);
        count++;
    }
    return count;
}

void
cf__as_completed_check(cf_as_completed *it)
{
    if (!cf__as_completed_is_ours(it))
        return;
    /* pairs with cf__as_completed_push */
    const struct cf__waiter *ready = cf_load_acquire(&it->ready);
    size_t done = check_done(it, it->taken);
    if (!cf__is_sleeper_mark(ready))
        done += check_done(it, ready);
    cf__assert(done <= it->remaining);
    cf__assert(it->members.count == it->remaining);
    check_ring(it);
    cf__future_set_check(&it->members);
    size_t nodes = 0, free_nodes = check_free_nodes(it);
    for (const struct cf__node_slab *slab = it->slabs; slab; slab = slab->next)
        nodes += slab->count;
    cf__assert(free_nodes == LOOKS_MAX || free_nodes + it->remaining == nodes);
}

#endif
