/* SPDX-License-Identifier: MIT */
/*
 * A chunk of a map: one task that calls the user's function for several items.
 * It packs their results and failures into one block of bytes, the pack, which
 * is the task's result and can come from another process. README.md, "Chunks".
 */
#ifndef CF_LIB_CHUNK_H
#define CF_LIB_CHUNK_H

#include <cfutures/map.h>

/* The argument of a chunk's task is this head, then the items. */
struct cf__chunk_head {
    cf_task_fn *fn;
    size_t id; /* the chunk's number, for the map */
    size_t count, item_size;
    void *context; /* for cf_call_context() */
};

/* Where the items begin. They are as aligned as the argument itself. */
#define CF__CHUNK_ITEMS ((sizeof(struct cf__chunk_head) + 15) & ~(size_t)15)

/* How many items make a chunk. count: the items of the map; means nothing if
 * they are pulled. workers: of the executor. */
size_t
cf__chunk_size(const cf_map_options *options, size_t count, size_t workers);

/* Stores the size of the argument of a chunk of count items. false: it, or the
 * pack, is larger than an object can be. */
bool cf__chunk_arg_size(size_t count, size_t item_size, size_t *out);

/* The task. Its result is the pack, for cf__chunk_id() and cf__chunk_item(). */
int cf__chunk_run(cf_call *call, const void *arg, size_t arg_size);

/* The number that the pack says. A worker process may have written over it. */
size_t cf__chunk_id(cf_bytes packed);

/*
 * Item i of a pack: CF_OK and its bytes, or its failure, which is copied to
 * *error with pointers into packed. If the pack makes no sense, that is a
 * failure of the item.
 */
cf_err
cf__chunk_item(cf_bytes packed, size_t i, cf_bytes *out, cf_error *error);

#endif
