/* SPDX-License-Identifier: MIT */
/*
 * Timers by deadline: a heap in an array, in which each entry has up to four
 * below it. A timer knows its place, so that it can be moved or taken out at
 * once. No locks: the loop's thread's own.
 */
#ifndef CF_EVENT_LOOP_TIMER_HEAP_H
#define CF_EVENT_LOOP_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cf__loop_timer {
    size_t place; /* in the heap, from 1 on; 0: it is not set */
};

struct cf__timer_entry {
    int64_t at;
    struct cf__loop_timer *timer;
};

struct cf__timer_heap {
    struct cf__timer_entry *entries; /* count of them, room for capacity */
    size_t count, capacity;
};

/* There is room for that many timers at once. false: no memory. */
bool cf__timer_heap_reserve(struct cf__timer_heap *heap, size_t capacity);
void cf__timer_heap_fini(struct cf__timer_heap *heap);

/* Sets a timer that is not set; there is room. */
void cf__timer_heap_set(struct cf__timer_heap *heap,
                        struct cf__loop_timer *timer,
                        int64_t at_ns);

/* Takes a timer out, if it is set. */
void cf__timer_heap_clear(struct cf__timer_heap *heap,
                          struct cf__loop_timer *timer);

/* The next deadline; INT64_MAX: no timer is set. */
static inline int64_t
cf__timer_heap_next(const struct cf__timer_heap *heap)
{
    return heap->count ? heap->entries[0].at : INT64_MAX;
}

#endif
