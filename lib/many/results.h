/* SPDX-License-Identifier: MIT */
/*
 * A map under way: what cf_results is made of. Only map.c, window.c and
 * results.c include this. README.md, "The window of a map", has the protocol.
 * One thread at a time uses it, so there is no lock.
 */
#ifndef CF_LIB_RESULTS_H
#define CF_LIB_RESULTS_H

#include <cfutures/map.h>
#include <cfutures/wait.h>

/* A chunk that has been submitted. */
struct cf__submitted {
    cf_future *f;        /* NULL: it is current, or has been handed out */
    size_t first, count; /* its items: first .. first + count - 1 */
};

struct cf_results {
    cf_executor *ex;
    cf_task_fn *fn;
    const unsigned char *items; /* NULL: options.pull gives the items */
    size_t item_size, item_count;
    cf_map_options options;
    size_t chunk_size; /* items of a chunk, at most */
    int64_t deadline_ns;
    uint16_t generation; /* of the process that called cf_map() */

    /* The chunks oldest_id .. next_id - 1, each in the slot of its number
     * modulo slot_count. The oldest has not been handed out; others, if
     * unordered, may have been. */
    struct cf__submitted *slots;
    size_t slot_count; /* a power of 2 */
    size_t oldest_id, next_id;
    cf_as_completed *order; /* if unordered: the chunks as they complete */

    size_t taken;     /* items taken from the input */
    size_t in_window; /* items submitted and not handed out */
    bool input_ended; /* no more is submitted: the input has ended, or end_error
                         says why */
    bool no_room;     /* the queue had no room for the next chunk */
    cf_err end_error; /* until it is told, once */
    cf_err input_error; /* what pull has returned instead of an item; CF_OK:
                           nothing, or CF_EDONE */
    int input_errno;    /* then */

    /* The chunk whose items are being handed out; its f is NULL in its slot. */
    cf_future *current;
    size_t first, count, position; /* its items, as in struct cf__submitted,
                                      and how many have been handed out */
    size_t index;   /* of the item handed out last; SIZE_MAX: none yet */
    cf_error error; /* room for a failure */
    const cf_error *failure; /* of the item handed out last: NULL, &error, or
                                the record of its chunk */
};

/* id: oldest_id .. next_id - 1, or the slot for next_id. */
static inline struct cf__submitted *
cf__results_chunk(const cf_results *r, size_t id)
{
    return &r->slots[id & (r->slot_count - 1)];
}

/* --- results_check.c ------------------------------------------------------ */

/* Asserts that the map is whole (lib/base/assert.h). Looks at its first chunks
 * only. The user. Does nothing in a fork's child. */
#ifdef CF_ASSERTIONS
void cf__results_check(const cf_results *r);
#else
static inline void
cf__results_check(const cf_results *r)
{
    (void)r;
}
#endif

/* --- window.c ------------------------------------------------------------- */

/* Submits chunks until the window is full or the input has ended. at_once: does
 * not wait for room in the queue. If there is none, it stops and sets no_room.
 * If other submits take the room while items are pulled, the chunk goes over
 * the queue's bound. */
cf_err cf__results_fill_window(cf_results *r, bool at_once);

#endif
