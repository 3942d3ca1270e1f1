/* SPDX-License-Identifier: MIT */
/*
 * A chunk of a map: one task that calls the user's function for several items,
 * and packs their results, or failures, into one block of bytes that can
 * travel to another process.
 */
#ifndef CF_LIB_CHUNK_H
#define CF_LIB_CHUNK_H

#include <cfutures/map.h>

/* Before the items, in the argument of a chunk's task. */
struct cf__chunk_head {
    cf_task_fn *fn;
    size_t id; /* of the chunk, for the map */
    size_t count, item_size;
};

/* Where the items begin, as aligned as the argument itself. */
#define CF__CHUNK_ITEMS ((sizeof(struct cf__chunk_head) + 15) & ~(size_t)15)

/* How many of a map's items make a task. count: of them, unless they are
 * pulled. */
size_t
cf__chunk_size(const cf_map_options *options, size_t count, size_t workers);

/* Stores the size of a chunk's argument, for count items. false: that, or the
 * room for the results, is larger than an object can be. */
bool cf__chunk_arg_size(size_t count, size_t item_size, size_t *out);

/* The task. Its result: for cf__chunk_id() and cf__chunk_item(). */
int cf__chunk_run(cf_call *call, const void *arg, size_t arg_size);

/* As the pack says, which another process may have written over. */
size_t cf__chunk_id(cf_bytes packed);

/*
 * Item i of a packed result: CF_OK and its bytes, or its failure, copied to
 * *error with pointers into packed. A pack that makes no sense is a failure.
 */
cf_err
cf__chunk_item(cf_bytes packed, size_t i, cf_bytes *out, cf_error *error);

#endif
