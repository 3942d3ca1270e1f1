/* SPDX-License-Identifier: MIT */
/*
 * The window of a map: takes items from the input, and submits them as chunks.
 * README.md, "The window of a map".
 */
#include "lib/many/results.h"

#include "lib/base/cancel.h"
#include "lib/executor/argument.h"
#include "lib/executor/submit.h"
#include "lib/many/as_completed.h"
#include "lib/many/chunk.h"
#include "lib/many/items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes sure that there is a slot for next_id. */
static cf_err
reserve_slot(cf_results *r)
{
    if (r->next_id - r->oldest_id < r->slot_count)
        return CF_OK;
    size_t size = r->slot_count ? 2 * r->slot_count : 16;
    struct cf__submitted *slots = malloc(size * sizeof *slots);
    if (!slots)
        return CF_ENOMEM;
    for (size_t id = r->oldest_id; id != r->next_id; id++)
        slots[id & (size - 1)] = *cf__results_chunk(r, id);
    free(r->slots);
    r->slots = slots;
    r->slot_count = size;
    return CF_OK;
}

static size_t
pull_items(cf_results *r, unsigned char *to, size_t count)
{
    size_t got = 0;
    int former = cf__cancel_disable(); /* pull is the user's code */
    while (got < count && !r->input_ended) {
        cf_err err =
            r->options.pull(r->options.pull_data, to + got * r->item_size);
        if (!err) {
            got++;
            continue;
        }
        r->input_ended = true;
        r->input_error = err == CF_EDONE ? CF_OK : err;
        r->input_errno = errno;
    }
    cf__cancel_restore(former);
    return got;
}

/* Takes at most count items from the input; returns how many. */
static size_t
take_items(cf_results *r, unsigned char *to, size_t count)
{
    size_t got = 0;
    if (r->options.pull) {
        got = pull_items(r, to, count);
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

/* Submits the next chunk, of at most count items, or nothing if the input has
 * no more. What needs memory comes first: items that were pulled cannot be
 * given back. */
static cf_err
submit_chunk(cf_results *r, size_t count, bool at_once)
{
    cf_err err = reserve_slot(r);
    if (!err && r->order) /* then the add at the end needs no memory */
        err = cf__as_completed_reserve(r->order);
    if (err)
        return err;
    if (!r->options.pull && count > r->item_count - r->taken)
        count = r->item_count - r->taken;
    /* No chunk is larger than the first, whose size cf_map() has checked. */
    unsigned char *arg =
        cf__arg_alloc(r->ex, CF__CHUNK_ITEMS + count * r->item_size);
    if (!arg)
        return CF_ENOMEM;
    struct cf__items *items = NULL;
    if (r->options.item_free) {
        items = cf__items_new(&r->options, r->item_size, count);
        if (!items) {
            cf__arg_free(r->ex, arg);
            return CF_ENOMEM;
        }
    }
    size_t first = r->taken;
    size_t got = take_items(r, arg + CF__CHUNK_ITEMS, count);
    if (items)
        cf__items_take(items, arg + CF__CHUNK_ITEMS, got);
    if (got == 0) {
        cf__arg_free(r->ex, arg);
        cf__items_free(items);
        return CF_OK;
    }
    struct cf__chunk_head head = {
        r->fn, r->next_id, got, r->item_size, r->options.context};
    memcpy(arg, &head, sizeof head);
    cf_future *f;
    err = cf__submit_block(r->ex,
                           cf__chunk_run,
                           arg,
                           CF__CHUNK_ITEMS + got * r->item_size,
                           at_once,
                           &f);
    if (err) {
        cf__items_free(items);
        return err;
    }
    if (items)
        cf__items_free_after(items, f);
    *cf__results_chunk(r, r->next_id++) = (struct cf__submitted){f, first, got};
    r->in_window += got;
    return r->order ? cf_as_completed_add(r->order, f) : CF_OK;
}

cf_err
cf__results_fill_window(cf_results *r, bool at_once)
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
