/* SPDX-License-Identifier: MIT */
/*
 * The queue's tasks with a priority other than 0: a binary heap under a mutex.
 * The highest priority comes first, and among equals the one that was submitted
 * first.
 */
#include "lib/executor/queue.h"

#include "lib/base/assert.h"
#include "lib/base/fence.h"
#include "lib/base/forked.h"
#include "lib/executor/pending.h"

#include <stdlib.h>

static bool
before(const struct cf__prioritized *a, const struct cf__prioritized *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->order < b->order;
}

static void
set_top_locked(struct cf__queue *q)
{
    int64_t top = q->heap_count ? q->heap[0].priority : INT64_MIN;
    cf_store_relaxed(&q->heap_top, top); /* a hint: the lock gives the order */
}

static bool
make_room_locked(struct cf__queue *q)
{
    if (q->heap_count < q->heap_capacity)
        return true;
    size_t capacity = q->heap_capacity ? 2 * q->heap_capacity : 64;
    struct cf__prioritized *heap = realloc(q->heap, capacity * sizeof *heap);
    if (!heap)
        return false;
    q->heap = heap;
    q->heap_capacity = capacity;
    return true;
}

static void
insert_locked(struct cf__queue *q, struct cf__prioritized entry)
{
    size_t at = q->heap_count++;
    for (size_t up; at > 0; at = up) {
        up = (at - 1) / 2;
        if (!before(&entry, &q->heap[up]))
            break;
        q->heap[at] = q->heap[up];
    }
    q->heap[at] = entry;
}

static cf_future *
remove_first_locked(struct cf__queue *q)
{
    cf_future *first = q->heap[0].f;
    struct cf__prioritized last = q->heap[--q->heap_count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < q->heap_count; at = child) {
        if (child + 1 < q->heap_count &&
            before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!before(&q->heap[child], &last))
            break;
        q->heap[at] = q->heap[child];
    }
    q->heap[at] = last;
    return first;
}

cf_err
cf__queue_push_prioritized(struct cf__queue *q, cf_future *f)
{
    cf_err err = CF_OK;
    cf__notice_fork();
    pthread_mutex_lock(&q->heap_lock);
    /* Closing takes heap_lock, too. Opening does not: a push that still sees it
     * closed might as well have come a little earlier. */
    if (cf_load_relaxed(&q->inbox.closed))
        err = CF_ESHUTDOWN;
    else if (!make_room_locked(q))
        err = CF_ENOMEM;
    if (!err) {
        struct cf__prioritized entry = {f, cf__priority(f), q->heap_pushed++};
        insert_locked(q, entry);
        set_top_locked(q);
    }
    pthread_mutex_unlock(&q->heap_lock);
    cf__fence_full(); /* as cf__queue_push() says */
    return err;
}

cf_future *
cf__queue_take_prioritized(struct cf__queue *q, bool above)
{
    if (!cf__queue_has_prioritized(q, above))
        return NULL;
    cf_future *f = NULL;
    pthread_mutex_lock(&q->heap_lock);
    if (q->heap_count && (q->heap[0].priority > 0) == above) {
        f = remove_first_locked(q);
        set_top_locked(q);
    }
    pthread_mutex_unlock(&q->heap_lock);
    return f;
}

size_t
cf__queue_sweep_heap(struct cf__queue *q, cf_future **swept)
{
    size_t kept = 0, count = 0;
    *swept = NULL;
    pthread_mutex_lock(&q->heap_lock);
    for (size_t i = 0; i < q->heap_count; i++) {
        cf_future *f = q->heap[i].f;
        if (!cf__is_stale(f)) {
            q->heap[kept++] = q->heap[i];
            continue;
        }
        cf_store_relaxed(&f->next, *swept); /* it is out of the queue */
        *swept = f;
        count++;
    }
    q->heap_count = 0;
    for (size_t i = 0; i < kept; i++) /* those before i are a heap */
        insert_locked(q, q->heap[i]);
    set_top_locked(q);
    pthread_mutex_unlock(&q->heap_lock);
    return count;
}

#ifdef CF_ASSERTIONS
void
cf__queue_check_heap(struct cf__queue *q)
{
    pthread_mutex_lock(&q->heap_lock);
    int64_t top = q->heap_count ? q->heap[0].priority : INT64_MIN;
    cf__assert(cf_load_relaxed(&q->heap_top) == top); /* locked */
    cf__assert(q->heap_count <= q->heap_capacity);
    cf__assert(q->heap_count <= q->heap_pushed);
    for (size_t i = 0; i < q->heap_count; i++) {
        const struct cf__prioritized *entry = &q->heap[i];
        cf__assert(entry->f && entry->priority != 0);
        cf__assert(entry->order < q->heap_pushed);
        cf__assert(i == 0 || !before(entry, &q->heap[(i - 1) / 2]));
    }
    pthread_mutex_unlock(&q->heap_lock);
}
#endif
