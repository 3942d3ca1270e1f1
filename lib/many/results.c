/* SPDX-License-Identifier: MIT */
/*
 * The results of a map, handed out one by one, in the order of the items or as
 * they come. README.md, "The window of a map".
 */
#include "lib/many/results.h"

#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/forked.h"
#include "lib/future/callback.h"
#include "lib/many/chunk.h"
#include "lib/many/items.h"

#include <errno.h>
#include <stdlib.h>

/* false: this process is a fork's child, in which nothing is pulled, submitted
 * or cancelled. */
static bool
is_ours(const cf_results *r)
{
    return r->generation == cf__generation_now();
}

/* The map's deadline has passed. */
static bool
is_late(const cf_results *r)
{
    return cf__time_left(r->deadline_ns) == 0;
}

/* Submits what the window has room for, unless the deadline has passed. */
static void
submit_more(cf_results *r, bool at_once)
{
    r->no_room = false;
    if (r->input_ended)
        return;
    if (!is_ours(r))
        r->end_error = CF_EFORKED;
    else
        r->end_error =
            is_late(r) ? CF_ETIMEDOUT : cf__results_fill_window(r, at_once);
    if (!r->end_error)
        r->end_error = r->input_error;
    r->input_ended |= r->end_error != CF_OK;
}

/* Makes a record for a failure of that kind that has none. */
static void
set_failure(cf_results *r, cf_err kind)
{
    r->error = (cf_error)CF_ERROR_INIT;
    r->error.kind = kind;
    r->failure = &r->error;
}

/* All that was submitted has been handed out: CF_EDONE, but first, once, what
 * has kept the rest from being submitted. */
static cf_err
tell_end_error(cf_results *r)
{
    cf_err err = r->end_error;
    r->end_error = CF_OK;
    if (err && err != CF_ETIMEDOUT)
        set_failure(r, err);
    if (err && err == r->input_error)
        errno = r->input_errno;
    return err ? err : CF_EDONE;
}

/* The number of the chunk whose future is f, which is done. */
static size_t
id_of(cf_results *r, cf_future *f)
{
    cf_bytes packed;
    if (cf_future_result(f, 0, &packed) == CF_OK) {
        size_t told = cf__chunk_id(packed);
        if (told - r->oldest_id < r->next_id - r->oldest_id &&
            cf__results_chunk(r, told)->f == f)
            return told;
    }
    size_t id = r->oldest_id; /* the chunk failed as a whole: rare */
    while (cf__results_chunk(r, id)->f != f)
        id++;
    return id;
}

/* Makes the chunk the current one. */
static void
take_chunk(cf_results *r, size_t id)
{
    struct cf__submitted *chunk = cf__results_chunk(r, id);
    r->current = chunk->f;
    r->first = chunk->first;
    r->count = chunk->count;
    r->position = 0;
    chunk->f = NULL;
    while (r->oldest_id != r->next_id && !cf__results_chunk(r, r->oldest_id)->f)
        r->oldest_id++;
}

/* Waits for the next chunk and makes it the current one. CF_EDONE: there is
 * none. */
static cf_err
next_chunk(cf_results *r, int64_t timeout_ns)
{
    if (r->oldest_id == r->next_id)
        return r->no_room ? CF_ETIMEDOUT : CF_EDONE;
    cf_err err;
    cf_future *f = cf__results_chunk(r, r->oldest_id)->f;
    size_t id = r->oldest_id;
    if (r->order) {
        err = cf_as_completed_next(r->order, timeout_ns, &f);
        if (!err)
            id = id_of(r, f);
    } else {
        err = cf_future_wait(f, timeout_ns);
    }
    if (!err)
        take_chunk(r, id);
    return err;
}

/* Interrupts the chunks that have not been handed out. */
static void
cancel_all(cf_results *r)
{
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        (void)cf_future_interrupt(cf__results_chunk(r, id)->f);
}

static void
drop_current(cf_results *r)
{
    cf_future_unref(r->current);
    r->current = NULL;
}

/* The deadline has passed, and no chunk is ready: nothing more comes out. */
static void
give_up(cf_results *r)
{
    cancel_all(r);
    for (; r->oldest_id != r->next_id; r->oldest_id++)
        cf_future_unref(cf__results_chunk(r, r->oldest_id)->f);
    cf_as_completed_destroy(r->order);
    r->order = NULL;
    drop_current(r);
    r->in_window = 0;
    r->input_ended = true;
    r->no_room = false;
    r->end_error = CF_OK; /* the caller returns CF_ETIMEDOUT now */
}

/* Hands out the next item of the current chunk. */
static cf_err
hand_out_item(cf_results *r, cf_bytes *out)
{
    cf_bytes packed, item = {NULL, 0};
    size_t i = r->position++;
    r->index = r->first + i;
    r->in_window--;
    cf_err err = cf_future_result(r->current, 0, &packed);
    if (err) { /* the chunk failed as a whole, and so each of its items */
        r->failure = cf_future_error(r->current);
        if (!r->failure) /* the chunk was cancelled, which leaves no record */
            set_failure(r, err);
    } else {
        err = cf__chunk_item(packed, i, &item, &r->error);
        r->failure = err ? &r->error : NULL;
    }
    if (out)
        *out = item;
    return err;
}

/* The shorter of two timeouts. */
static int64_t
shorter(int64_t timeout_ns, int64_t other_ns)
{
    if (timeout_ns == CF_FOREVER)
        return other_ns;
    return other_ns != CF_FOREVER && other_ns < timeout_ns ? other_ns
                                                           : timeout_ns;
}

/* Hands out the next item, and waits for its chunk if need be. */
static cf_err
next_item(cf_results *r, int64_t timeout_ns, cf_bytes *out)
{
    r->failure = NULL;
    if (r->current && r->position == r->count)
        drop_current(r);
    if (!r->current) {
        /* The last call found no room in the queue. If no chunk is under way,
         * this one waits for room. */
        if (r->no_room)
            submit_more(r, timeout_ns == 0 || r->oldest_id != r->next_id);
        int64_t left_ns = cf__time_left(r->deadline_ns);
        cf_err err = next_chunk(r, shorter(timeout_ns, left_ns));
        if (err == CF_EDONE)
            return tell_end_error(r);
        if (err == CF_ETIMEDOUT && is_late(r))
            give_up(r);
        if (err)
            return err;
    }
    cf_err err = hand_out_item(r, out);
    /* The next chunk runs while the caller uses the item. If the queue has no
     * room, the next call submits it. */
    submit_more(r, true);
    return err;
}

cf_err
cf_results_next(cf_results *r, int64_t timeout_ns, cf_bytes *out)
{
    if (!r || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !r ? "r is NULL" : CF__BAD_TIMEOUT);
    /* Callbacks that are due may use r too: they run first. */
    cf__callbacks_resume(cf__callbacks_pause());
    cf_err err = next_item(r, timeout_ns, out);
    cf__results_check(r);
    return err;
}

const cf_error *
cf_results_error(cf_results *r)
{
    return r ? r->failure : NULL;
}

size_t
cf_results_index(cf_results *r)
{
    return r ? r->index : SIZE_MAX;
}

void
cf_results_destroy(cf_results *r, bool cancel_rest)
{
    if (!r)
        return;
    cf__results_check(r);
    if (cancel_rest && is_ours(r))
        cancel_all(r);
    cf_as_completed_destroy(r->order);
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        cf_future_unref(cf__results_chunk(r, id)->f);
    drop_current(r);
    /* The items that were not taken. Of none, items may be NULL. */
    if (!r->options.pull && is_ours(r) && r->taken < r->item_count) {
        cf__items_free_array(&r->options,
                             r->items + r->taken * r->item_size,
                             r->item_size,
                             r->item_count - r->taken);
    }
    free(r->slots);
    free(r);
}
