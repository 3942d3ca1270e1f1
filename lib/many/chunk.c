/* SPDX-License-Identifier: MIT */
/*
 * Running a chunk and reading its pack: see chunk.h. A pack is
 *
 *   struct pack_head | struct entry [count] | item 0 | item 1 ...
 *
 * Each item begins on a multiple of 16 bytes. A failed item is its cf_error,
 * followed by the message and, if it has one, the name of the file. A pack has
 * offsets and no pointers, as it may come from another process.
 */
#include "lib/many/chunk.h"

#include "lib/base/cancel.h"
#include "lib/base/size.h"
#include "lib/executor/call.h"
#include "lib/future/failure.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    CHUNK_MAX = 1024,      /* items; a larger chunk gains nothing */
    CHUNKS_PER_WORKER = 16 /* then items that take longer even out */
};

struct pack_head {
    size_t id, count;
};

struct entry {
    size_t offset; /* from the beginning of the pack */
    size_t size;   /* bytes */
    int failed;    /* not 0: a cf_error */
};

struct pack {
    unsigned char *bytes;
    size_t used, capacity;
};

enum { ITEM_ROOM = 64 }; /* bytes of an item, as guessed at first */

static size_t
align16(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static struct entry *
entries_of(unsigned char *bytes)
{
    return (struct entry *)(void *)(bytes + sizeof(struct pack_head));
}

/* Makes room for size more bytes; false: no memory. */
static bool
make_room(struct pack *pack, size_t size)
{
    if (size <= pack->capacity - pack->used)
        return true;
    size_t capacity, least;
    if (!cf__size_add(pack->used, 1, size, &least))
        return false;
    if (!cf__size_add(0, pack->capacity, 2, &capacity) || capacity < least)
        capacity = least;
    unsigned char *bytes = realloc(pack->bytes, capacity);
    if (!bytes)
        return false;
    pack->bytes = bytes;
    pack->capacity = capacity;
    return true;
}

static bool
begin_pack(struct pack *pack, const struct cf__chunk_head *head)
{
    /* No overflow: cf__chunk_arg_size() has checked. */
    pack->used =
        align16(sizeof(struct pack_head) + head->count * sizeof(struct entry));
    pack->capacity = pack->used + head->count * ITEM_ROOM;
    pack->bytes = malloc(pack->capacity);
    if (!pack->bytes)
        return false;
    struct pack_head mine = {head->id, head->count};
    memcpy(pack->bytes, &mine, sizeof mine);
    return true;
}

/* Notes that item i is the size bytes at pack->used, which are written. */
static void
note_item(struct pack *pack, size_t i, size_t size, bool failed)
{
    entries_of(pack->bytes)[i] = (struct entry){pack->used, size, failed};
    pack->used += align16(size); /* all capacities are multiples of 16 */
}

static bool
pack_failure(struct pack *pack, size_t i, const cf_error *failure)
{
    size_t length = strlen(failure->message) + 1;
    size_t file_length = failure->file ? strlen(failure->file) + 1 : 0;
    size_t size = sizeof *failure + length + file_length;
    if (!make_room(pack, align16(size)))
        return false;
    unsigned char *to = pack->bytes + pack->used;
    memcpy(to, failure, sizeof *failure);
    memcpy(to + sizeof *failure, failure->message, length);
    if (file_length)
        memcpy(to + sizeof *failure + length, failure->file, file_length);
    note_item(pack, i, size, true);
    return true;
}

/* Packs the result of an item that did not fit into the room of the pack. */
static bool
pack_heap(struct pack *pack, size_t i, const struct cf_call *item)
{
    if (!make_room(pack, align16(item->result_size)))
        return false;
    memcpy(pack->bytes + pack->used, item->heap, item->result_size);
    note_item(pack, i, item->result_size, false);
    return true;
}

/* Runs item i and packs its outcome; false: no memory. */
static bool
run_item(const struct cf__chunk_head *head,
         struct pack *pack,
         struct cf_call *item,
         const unsigned char *arg,
         size_t i)
{
    bool ok = true;
    cf__call_begin(item, pack->bytes + pack->used, pack->capacity - pack->used);
    int rc = head->fn(item, arg, head->item_size);
    cf__call_returned(item, rc);
    const cf_error *failure = NULL;
    if (rc || item->failure)
        failure = cf__call_end(item, rc);
    if (failure) {
        ok = pack_failure(pack, i, failure);
        cf__failure_free(failure);
    } else if (item->heap) {
        ok = pack_heap(pack, i, item);
        free(item->heap);
    } else {
        note_item(pack, i, item->result_size, false);
    }
    return ok;
}

/* A chunk that runs. */
struct run {
    const struct cf__chunk_head *head;
    struct pack pack;
    struct cf_call item;
};

/* An item has ended the thread: frees what its chunk has. */
static void
drop_run(void *chunk_run)
{
    struct run *run = chunk_run;
    free(run->pack.bytes);
    free(run->item.heap);
    cf__failure_free(run->item.failure);
}

static int
run_items(cf_call *call, struct run *run, const unsigned char *arg)
{
    for (size_t i = 0; i < run->head->count; i++) {
        if (cf_call_canceled(call))
            return cf_fail(call, 0, "given up");
        if (!run_item(run->head, &run->pack, &run->item, arg, i))
            return cf_fail(call, CF_ENOMEM, "no memory for a map's results");
        arg += run->head->item_size;
    }
    return 0;
}

int
cf__chunk_run(cf_call *call, const void *arg, size_t arg_size)
{
    struct cf__chunk_head head;
    (void)arg_size;
    memcpy(&head, arg, sizeof head);
    struct run run = {&head, {NULL, 0, 0}, *call};
    run.item.alloc = NULL;
    run.item.context = head.context;
    if (!begin_pack(&run.pack, &head))
        return cf_fail(call, CF_ENOMEM, "no memory for a map's results");
    int rc;
    cf__cleanup_reads(&run);
    pthread_cleanup_push(drop_run, &run);
    rc = run_items(call, &run, (const unsigned char *)arg + CF__CHUNK_ITEMS);
    pthread_cleanup_pop(0);
    if (rc == 0 && !cf__call_adopt(call, run.pack.bytes, run.pack.used))
        rc = cf_fail(call, CF_ENOMEM, "no memory for a map's results");
    else if (rc != 0)
        free(run.pack.bytes);
    return rc;
}

bool
cf__chunk_arg_size(size_t count, size_t item_size, size_t *out)
{
    const size_t each = sizeof(struct entry) + ITEM_ROOM;
    return cf__size_add(sizeof(struct pack_head) + 16, count, each, out) &&
           cf__size_add(CF__CHUNK_ITEMS, count, item_size, out);
}

size_t
cf__chunk_id(cf_bytes packed)
{
    struct pack_head head;
    if (packed.size < sizeof head)
        return SIZE_MAX;
    memcpy(&head, packed.data, sizeof head);
    return head.id;
}

/* Reads the entry of item i. false: it, or its item, is not all inside. */
static bool
read_entry(cf_bytes packed, size_t i, struct entry *out)
{
    const size_t head = sizeof(struct pack_head);
    if (packed.size < head || (packed.size - head) / sizeof *out <= i)
        return false;
    const unsigned char *bytes = packed.data;
    memcpy(out, bytes + head + i * sizeof *out, sizeof *out);
    return out->offset <= packed.size && out->size <= packed.size - out->offset;
}

/* Copies a packed failure of size bytes, with pointers into it. false: its
 * texts are not all inside. */
static bool
read_failure(const unsigned char *bytes, size_t size, cf_error *out)
{
    if (size <= sizeof *out || bytes[size - 1] != '\0')
        return false;
    memcpy(out, bytes, sizeof *out);
    out->size = sizeof *out;
    out->object = NULL; /* it is freed where the item ran */
    out->object_free = NULL;
    out->name = NULL; /* a chunk has none */
    out->address = NULL;
    out->message = (const char *)bytes + sizeof *out;
    const char *file = out->message + strlen(out->message) + 1;
    if (out->file && file == (const char *)bytes + size)
        return false;
    if (out->file)
        out->file = file;
    return out->kind == CF_ETASK || out->kind == CF_ECANCELED;
}

cf_err
cf__chunk_item(cf_bytes packed, size_t i, cf_bytes *out, cf_error *error)
{
    const unsigned char *bytes = packed.data;
    struct entry entry;
    *out = (cf_bytes){NULL, 0};
    bool sound = read_entry(packed, i, &entry);
    if (sound && !entry.failed) {
        *out = (cf_bytes){bytes + entry.offset, entry.size};
        return CF_OK;
    }
    if (!sound || !read_failure(bytes + entry.offset, entry.size, error)) {
        *error = (cf_error)CF_ERROR_INIT;
        error->message =
            "a worker process went astray: no sense in its results";
    }
    return error->kind;
}

size_t
cf__chunk_size(const cf_map_options *options, size_t count, size_t workers)
{
    size_t size = options->chunk_size;
    if (!size) {
        size_t items = options->pull ? options->buffer_size : count;
        if (options->buffer_size && options->buffer_size < items)
            items = options->buffer_size;
        size = items / (workers * CHUNKS_PER_WORKER);
        if (options->pull && !options->buffer_size)
            size = CHUNKS_PER_WORKER; /* the length of the input is unknown */
        if (size > CHUNK_MAX)
            size = CHUNK_MAX;
        if (size == 0)
            size = 1;
    }
    if (options->buffer_size && size > options->buffer_size)
        size = options->buffer_size;
    if (!options->pull && size > count)
        size = count;
    return size;
}
