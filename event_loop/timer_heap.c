/* SPDX-License-Identifier: MIT */
/* Timers by deadline: see timer_heap.h. */
#include "event_loop/timer_heap.h"

#include "lib/base/size.h"

#include <stdlib.h>

enum { BELOW = 4, FIRST_ROOM = 64 };

bool
cf__timer_heap_reserve(struct cf__timer_heap *heap, size_t capacity)
{
    if (capacity <= heap->capacity)
        return true;
    size_t room = heap->capacity ? 2 * heap->capacity : FIRST_ROOM, bytes;
    if (room < capacity)
        room = capacity;
    if (!cf__size_add(0, room, sizeof *heap->entries, &bytes))
        return false;
    struct cf__timer_entry *entries = realloc(heap->entries, bytes);
    if (!entries)
        return false;
    heap->entries = entries;
    heap->capacity = room;
    return true;
}

void
cf__timer_heap_fini(struct cf__timer_heap *heap)
{
    free(heap->entries);
}

static void
put(struct cf__timer_heap *heap, size_t i, struct cf__timer_entry entry)
{
    heap->entries[i] = entry;
    entry.timer->place = i + 1;
}

/* Puts an entry where it belongs, at the free place i or above it. */
static void
sift_up(struct cf__timer_heap *heap, size_t i, struct cf__timer_entry entry)
{
    while (i > 0) {
        size_t above = (i - 1) / BELOW;
        if (heap->entries[above].at <= entry.at)
            break;
        put(heap, i, heap->entries[above]);
        i = above;
    }
    put(heap, i, entry);
}

static size_t
earliest_below(const struct cf__timer_heap *heap, size_t i)
{
    size_t first = BELOW * i + 1;
    size_t end = first + BELOW < heap->count ? first + BELOW : heap->count;
    size_t earliest = first;
    for (size_t at = first + 1; at < end; at++)
        if (heap->entries[at].at < heap->entries[earliest].at)
            earliest = at;
    return earliest;
}

/* ... or below it. */
static void
sift_down(struct cf__timer_heap *heap, size_t i, struct cf__timer_entry entry)
{
    while (BELOW * i + 1 < heap->count) {
        size_t below = earliest_below(heap, i);
        if (heap->entries[below].at >= entry.at)
            break;
        put(heap, i, heap->entries[below]);
        i = below;
    }
    put(heap, i, entry);
}

void
cf__timer_heap_set(struct cf__timer_heap *heap,
                   struct cf__loop_timer *timer,
                   int64_t at_ns)
{
    sift_up(heap, heap->count++, (struct cf__timer_entry){at_ns, timer});
}

void
cf__timer_heap_clear(struct cf__timer_heap *heap, struct cf__loop_timer *timer)
{
    if (!timer->place)
        return;
    size_t i = timer->place - 1;
    timer->place = 0;
    struct cf__timer_entry last = heap->entries[--heap->count];
    if (i == heap->count)
        return;
    if (i > 0 && heap->entries[(i - 1) / BELOW].at > last.at)
        sift_up(heap, i, last);
    else
        sift_down(heap, i, last);
}
