/* SPDX-License-Identifier: MIT */
/*
 * cf_map(): cuts the input into chunks (chunk.h), submits them within the
 * window, and hands out their items one by one, in order or as they come.
 */
#include <cfutures/executor.h>
#include <cfutures/wait.h>

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/forked.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/executor/argument.h"
#include "lib/executor/executor.h"
#include "lib/executor/remote.h"
#include "lib/executor/submit.h"
#include "lib/future/callback.h"
#include "lib/many/as_completed.h"
#include "lib/many/chunk.h"

#include <stdlib.h>

/* A chunk that has been submitted. */
struct submitted {
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

    /* The chunks oldest_id .. next_id-1, in a ring; ended ones in between
     * remain until the oldest has ended. */
    struct submitted *ring;
    size_t ring_size; /* a power of 2 */
    size_t oldest_id, next_id;
    cf_as_completed *order; /* unordered: as they complete */

    size_t taken;      /* items taken from the input */
    size_t in_window;  /* items submitted and not handed out */
    bool input_ended;  /* also after an error or the deadline */
    bool no_room;      /* in the queue, at the last submit */
    cf_err late_error; /* why the rest is not submitted; told once */

    /* The chunk being handed out. */
    cf_future *current;
    size_t first, count, position;
    size_t index; /* of the item handed out last */
    cf_error error;
    const cf_error *failure; /* of that item: NULL, &error, or the chunk's */
};

static struct submitted *
chunk_at(cf_results *r, size_t id)
{
    return &r->ring[id & (r->ring_size - 1)];
}

static cf_err
reserve_ring(cf_results *r)
{
    if (r->next_id - r->oldest_id < r->ring_size)
        return CF_OK;
    size_t size = r->ring_size ? 2 * r->ring_size : 16;
    struct submitted *ring = malloc(size * sizeof *ring);
    if (!ring)
        return CF_ENOMEM;
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        ring[id & (size - 1)] = *chunk_at(r, id);
    free(r->ring);
    r->ring = ring;
    r->ring_size = size;
    return CF_OK;
}

/* Takes up to count items from the input; returns how many. */
static size_t
take_items(cf_results *r, unsigned char *to, size_t count)
{
    size_t got = 0;
    if (r->options.pull) {
        int former = cf__cancel_disable(); /* the user's code, in a call */
        while (got < count && !r->input_ended) {
            if (r->options.pull(r->options.pull_data, to + got * r->item_size))
                got++;
            else
                r->input_ended = true;
        }
        cf__cancel_restore(former);
    } else {
        size_t left = r->item_count - r->taken;
        got = left < count ? left : count;
        if (got)
            memcpy(to, r->items + r->taken * r->item_size, got * r->item_size);
        r->input_ended = got == left;
    }
    r->taken += got;
    return got;
}

/* Submits the next chunk, of at most count items. Nothing if there is no
 * more input. */
static cf_err
submit_chunk(cf_results *r, size_t count, bool at_once)
{
    cf_err err = reserve_ring(r);
    if (!err && r->order) /* what is submitted will come out */
        err = cf__as_completed_reserve(r->order);
    if (err)
        return err;
    if (!r->options.pull && count > r->item_count - r->taken)
        count = r->item_count - r->taken;
    /* Not more than the first, whose size cf_map() has checked. */
    unsigned char *arg =
        cf__arg_alloc(r->ex, CF__CHUNK_ITEMS + count * r->item_size);
    if (!arg)
        return CF_ENOMEM;
    size_t first = r->taken;
    size_t got = take_items(r, arg + CF__CHUNK_ITEMS, count);
    if (got == 0) {
        cf__arg_free(r->ex, arg);
        return CF_OK;
    }
    struct cf__chunk_head head = {r->fn, r->next_id, got, r->item_size};
    memcpy(arg, &head, sizeof head);
    cf_future *f;
    err = cf__submit_block(r->ex,
                           cf__chunk_run,
                           arg,
                           CF__CHUNK_ITEMS + got * r->item_size,
                           at_once,
                           &f);
    if (err)
        return err;
    *chunk_at(r, r->next_id++) = (struct submitted){f, first, got};
    r->in_window += got;
    return r->order ? cf_as_completed_add(r->order, f) : CF_OK;
}

/* Submits until the window is full or the input has ended; at_once: or a submit
 * would wait. Room that goes to others while items are pulled is gone over. */
static cf_err
fill_window(cf_results *r, bool at_once)
{
    size_t buffer = r->options.buffer_size;
    cf_err err = CF_OK;
    while (!err && !r->input_ended && !r->no_room &&
           (!buffer || r->in_window + r->chunk_size <= buffer)) {
        r->no_room = at_once && cf__submit_would_wait(r->ex);
        if (!r->no_room)
            err = submit_chunk(r, r->chunk_size, at_once);
    }
    return err;
}

static cf_err
check(const cf_map_options *options,
      const cf_results *r,
      const cf_results *const *out)
{
    if (!r->ex || !r->fn || !out || r->item_size == 0 ||
        !cf__timeout_valid(options->timeout_ns) ||
        (options->pull ? r->items != NULL : !r->items && r->item_count))
        return CF_EINVAL;
    if (!options->pull && !cf__array_fits(r->item_count, r->item_size))
        return CF_ETOOBIG;
    return CF_OK;
}

cf_err
cf_map(cf_executor *ex,
       cf_task_fn *fn,
       const void *items,
       size_t item_size,
       size_t count,
       const cf_map_options *opts,
       cf_results **out)
{
    cf_results start = {.ex = ex,
                        .fn = fn,
                        .items = items,
                        .item_size = item_size,
                        .item_count = count,
                        .generation = cf__generation_now(),
                        .index = SIZE_MAX};
    cf_err err = cf__options_import(&start.options, sizeof start.options, opts);
    if (!err)
        err = check(&start.options, &start, (const cf_results *const *)out);
    if (err)
        return err;
    start.input_ended = !start.options.pull && count == 0;
    start.chunk_size =
        cf__chunk_size(&start.options, count, (size_t)ex->max_workers);
    size_t arg_size;
    if (!cf__chunk_arg_size(start.chunk_size, item_size, &arg_size))
        return CF_ETOOBIG;
    start.deadline_ns = start.options.timeout_ns > 0
                            ? cf__deadline(start.options.timeout_ns)
                            : CF__NEVER;
    cf_results *r = malloc(sizeof *r);
    if (!r)
        return CF_ENOMEM;
    *r = start;
    if (r->options.unordered)
        err = cf_as_completed_create(NULL, 0, &r->order);
    if (!err)
        err = fill_window(r, false);
    if (err) {
        cf_results_destroy(r, true);
        return err;
    }
    *out = r;
    return CF_OK;
}

/* In a fork's child it is not: nothing is pulled, submitted or cancelled. */
static bool
is_ours(const cf_results *r)
{
    return r->generation == cf__generation_now();
}

static bool
is_late(const cf_results *r)
{
    return r->deadline_ns != CF__NEVER && cf__now_ns() >= r->deadline_ns;
}

/* Takes more from the input, if in time. */
static void
go_on(cf_results *r, bool at_once)
{
    r->no_room = false;
    if (r->input_ended)
        return;
    if (!is_ours(r))
        r->late_error = CF_EFORKED;
    else
        r->late_error = is_late(r) ? CF_ETIMEDOUT : fill_window(r, at_once);
    r->input_ended |= r->late_error != CF_OK;
}

/* Makes a record for a failure that has none. */
static void
set_failure(cf_results *r, cf_err kind)
{
    r->error = (cf_error)CF_ERROR_INIT;
    r->error.kind = kind;
    r->failure = &r->error;
}

/* Everything that was submitted is out. */
static cf_err
tell_late_error(cf_results *r)
{
    cf_err err = r->late_error;
    r->late_error = CF_OK;
    if (err && err != CF_ETIMEDOUT)
        set_failure(r, err);
    return err ? err : CF_EDONE;
}

/* The chunk that f, which is done, belongs to. */
static size_t
id_of(cf_results *r, cf_future *f)
{
    cf_bytes packed;
    if (cf_future_result(f, 0, &packed) == CF_OK) {
        size_t told = cf__chunk_id(packed);
        if (told - r->oldest_id < r->next_id - r->oldest_id &&
            chunk_at(r, told)->f == f)
            return told;
    }
    size_t id = r->oldest_id; /* it failed as a whole, which is rare */
    while (chunk_at(r, id)->f != f)
        id++;
    return id;
}

/* Makes the chunk the current one. */
static void
take_chunk(cf_results *r, size_t id)
{
    struct submitted *chunk = chunk_at(r, id);
    r->current = chunk->f;
    r->first = chunk->first;
    r->count = chunk->count;
    r->position = 0;
    chunk->f = NULL;
    while (r->oldest_id != r->next_id && !chunk_at(r, r->oldest_id)->f)
        r->oldest_id++;
}

/* Waits for the next chunk. */
static cf_err
next_chunk(cf_results *r, int64_t timeout_ns)
{
    if (r->oldest_id == r->next_id)
        return r->no_room ? CF_ETIMEDOUT : CF_EDONE;
    cf_err err;
    cf_future *f = chunk_at(r, r->oldest_id)->f;
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

static void
cancel_all(cf_results *r)
{
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        (void)cf_future_interrupt(chunk_at(r, id)->f);
}

static void
drop_current(cf_results *r)
{
    cf_future_unref(r->current);
    r->current = NULL;
}

/* Nothing more comes out. */
static void
give_up(cf_results *r)
{
    cancel_all(r);
    for (; r->oldest_id != r->next_id; r->oldest_id++)
        cf_future_unref(chunk_at(r, r->oldest_id)->f);
    cf_as_completed_destroy(r->order);
    r->order = NULL;
    drop_current(r);
    r->input_ended = true;
    r->no_room = false;
    r->late_error = CF_OK; /* it is told now */
}

static cf_err
hand_out_item(cf_results *r, cf_bytes *out)
{
    cf_bytes packed, item = {NULL, 0};
    size_t i = r->position++;
    r->index = r->first + i;
    r->in_window--;
    cf_err err = cf_future_result(r->current, 0, &packed);
    if (err) { /* the chunk as a whole: each of its items */
        r->failure = cf_future_error(r->current);
        if (!r->failure) /* cancelled: that leaves no record */
            set_failure(r, err);
    } else {
        err = cf__chunk_item(packed, i, &item, &r->error);
        r->failure = err ? &r->error : NULL;
    }
    if (out)
        *out = item;
    return err;
}

cf_err
cf_results_next(cf_results *r, int64_t timeout_ns, cf_bytes *out)
{
    if (!r || !cf__timeout_valid(timeout_ns))
        return CF_EINVAL;
    /* Other callbacks may use r, too: now, not once this call has begun. */
    cf__callbacks_resume(cf__callbacks_pause());
    r->failure = NULL;
    if (r->current && r->position == r->count)
        drop_current(r);
    if (!r->current) {
        /* What the last call had no room for; with nothing else to wait for,
         * for room. */
        if (r->no_room)
            go_on(r, timeout_ns == 0 || r->oldest_id != r->next_id);
        int64_t wait_ns = timeout_ns;
        if (r->deadline_ns != CF__NEVER) {
            int64_t left = r->deadline_ns - cf__now_ns();
            left = left > 0 ? left : 0;
            if (timeout_ns == CF_FOREVER || left < timeout_ns)
                wait_ns = left;
        }
        cf_err err = next_chunk(r, wait_ns);
        if (err == CF_EDONE)
            return tell_late_error(r);
        if (err == CF_ETIMEDOUT && is_late(r))
            give_up(r);
        if (err)
            return err;
    }
    cf_err err = hand_out_item(r, out);
    /* What it submits runs while the caller uses the item, who has waited
     * enough: without room, it is the next call's. */
    go_on(r, true);
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
    if (cancel_rest && is_ours(r))
        cancel_all(r);
    cf_as_completed_destroy(r->order);
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        cf_future_unref(chunk_at(r, id)->f);
    drop_current(r);
    free(r->ring);
    free(r);
}
