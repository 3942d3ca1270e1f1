/* SPDX-License-Identifier: MIT */
/* Whether a map under way is whole: lib/base/assert.h. */
#include "lib/many/results.h"

#include "lib/base/assert.h"
#include "lib/base/forked.h"

#ifdef CF_ASSERTIONS

/* So many chunks are looked at in one call. */
enum { LOOKS_MAX = 100 };

/* Each chunk begins where the one before it ends; returns how many items are in
 * chunks that have not been handed out. */
static size_t
check_chunks(const cf_results *r, size_t end_id)
{
    size_t items = 0, chunks = 0;
    for (size_t id = r->oldest_id; id != end_id; id++) {
        const struct cf__submitted *chunk = cf__results_chunk(r, id);
        size_t end = chunk->first + chunk->count;
        cf__assert(chunk->count >= 1 && chunk->count <= r->chunk_size);
        cf__assert(id + 1 == r->next_id
                       ? end <= r->taken
                       : end == cf__results_chunk(r, id + 1)->first);
        items += chunk->f ? chunk->count : 0;
        chunks += chunk->f != NULL;
    }
    if (r->order && end_id == r->next_id)
        cf__assert(cf_as_completed_remaining(r->order) == chunks);
    return items;
}

/* whole: items are those of all chunks. */
static void
check_items(const cf_results *r, size_t items, bool whole)
{
    if (r->options.buffer_size)
        cf__assert(r->in_window <= r->options.buffer_size);
    if (!r->options.pull)
        cf__assert(r->taken <= r->item_count);
    cf__assert(r->in_window <= r->taken);
    cf__assert(r->position <= r->count);
    if (r->current) {
        cf__assert(r->first + r->count <= r->taken);
        items += r->count - r->position;
    }
    cf__assert(whole ? items == r->in_window : items <= r->in_window);
}

void
cf__results_check(const cf_results *r)
{
    if (r->generation != cf__generation_now())
        return;
    size_t chunks = r->next_id - r->oldest_id;
    cf__assert((r->slot_count & (r->slot_count - 1)) == 0);
    cf__assert(chunks <= r->slot_count);
    cf__assert(chunks == 0 || cf__results_chunk(r, r->oldest_id)->f != NULL);
    cf__assert(!r->end_error || r->input_ended);
    size_t looks = chunks < LOOKS_MAX ? chunks : LOOKS_MAX;
    check_items(r, check_chunks(r, r->oldest_id + looks), looks == chunks);
}

#endif
