/* SPDX-License-Identifier: MIT */
/*
 * What cf_results is made of: a map that is under way. In lib/many/ only
 * window.c, results.c and map.c know.
 */
#ifndef CF_LIB_RESULTS_H
#define CF_LIB_RESULTS_H

#include <cfutures/map.h>
#include <cfutures/wait.h>

/* A chunk that has been submitted. */
struct cf__submitted {
    cf_future *f; /* NULL: handed out */
    size_t first, count;
};

struct cf_results {
    cf_executor *ex;
    cf_task_fn *fn;
    const unsigned char *items; /* NULL: pull gives them */
    size_t item_size, item_count;
    cf_map_options options;
    size_t chunk_size;
    int64_t deadline_ns;
    uint16_t generation; /* of the process */

    /* The chunks oldest_id .. next_id-1, each in slots at its number modulo slot_count;
     * ended ones in between remain until the oldest has ended. */
    struct cf__submitted *slots;
    size_t slot_count; /* a power of 2 */
    size_t oldest_id, next_id;
    cf_as_completed *order; /* unordered: as they complete */

    size_t taken;     /* items taken from the input */
    size_t in_window; /* items submitted and not handed out */
    bool input_ended; /* also after an error or the deadline */
    bool no_room;     /* in the queue, at the last submit */
    cf_err end_error; /* why the rest is not submitted; told once */

    /* The chunk being handed out. */
    cf_future *current;
    size_t first, count, position;
    size_t index; /* of the item handed out last */
    cf_error error;
    const cf_error *failure; /* of that item: NULL, &error, or the chunk's */
};

static inline struct cf__submitted *
cf__results_chunk(cf_results *r, size_t id)
{
    return &r->slots[id & (r->slot_count - 1)];
}

/* --- window.c ------------------------------------------------------------- */

/* Submits until the window is full or the input has ended; at_once: or a submit
 * would wait. Room that goes to others while items are pulled is gone over. */
cf_err cf__results_fill_window(cf_results *r, bool at_once);

#endif
