/* SPDX-License-Identifier: MIT */
/*
 * Filling the outbox: see outbox.h. A worker has one outbox and one thread;
 * cf__outbox_alloc finds the outbox through a static.
 */
#include "process_pool/worker/outbox.h"

#include "lib/future/failure.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LIMIT_MIN = 1 << 20, /* bytes: the first limit; */
    LIMIT_RESULTS = 4    /* it grows to so many of the largest results */
};

static struct cf__outbox *the_outbox; /* this process's */
static size_t the_begins[CF__LANE];   /* its begins: too large for a stack */

void
cf__outbox_init(struct cf__outbox *box,
                struct cf__bells *bells,
                const _Atomic uint32_t *home,
                int lane,
                uint64_t start)
{
    const struct cf__shared *shared = bells->shared;
    memset(box, 0, sizeof *box);
    box->bells = bells;
    box->home = home;
    box->in = bells->in;
    box->out = bells->out;
    box->memory = cf__shared_outbox(shared, lane);
    box->size = shared->outbox_size;
    box->limit = LIMIT_MIN < box->size ? LIMIT_MIN : box->size;
    box->position = box->freed = start;
    box->begins = the_begins;
    the_outbox = box;
}

/* Frees what the program has collected from the outbox. */
static void
free_collected(struct cf__outbox *box)
{
    /* pairs with cf__processes_collect: the program has read what was there */
    uint64_t collected = cf_load_acquire(&box->in->collected);
    if (collected <= box->freed)
        return;
    size_t *begin = &box->begins[collected % CF__LANE];
    box->freed = collected;
    box->tail = *begin;
    if (collected == box->position && *begin == box->at)
        box->at = box->tail = *begin = 0; /* empty */
}

static bool
answered(void *box)
{
    const struct cf__outbox *b = box;
    /* pairs with answer_requests in collect.c: what could be collected has
     * been */
    return cf_load_acquire(&b->in->answers) ==
           cf_load_relaxed(&b->out->requests); /* our own */
}

/* Asks the program to collect everything, and waits for it. */
static void
request(struct cf__outbox *box)
{
    uint32_t requests = cf_load_relaxed(&box->out->requests); /* our own */
    /* pairs with cf__processes_collect. The ring makes the program look. */
    cf_store_release(&box->out->requests, requests + 1);
    cf__bell_ring(box->bells->shared->bell);
    cf__bells_sleep(box->bells, answered, box);
}

/* Takes size bytes of the outbox, whose limit may grow to `most`; NULL: no
 * room. */
static unsigned char *
try_outbox(struct cf__outbox *box, size_t size, size_t most)
{
    size_t at = box->at;
    if (at < box->tail) {
        if (box->tail - at <= size)
            return NULL;
    } else if (at > box->limit || box->limit - at < size) {
        if (size < box->tail)
            at = 0;
        else if (at <= most && size <= most - at)
            box->limit = at + size;
        else
            return NULL;
    }
    box->at = at + size;
    if (at + size > cf_load_relaxed(&box->out->outbox_used))
        cf_store_relaxed(&box->out->outbox_used, at + size); /* a hint */
    box->kind = CF__IN_OUTBOX;
    box->offset = at;
    return box->memory + at;
}

/* Waits until the program has collected what the worker before left in the
 * outbox; false: it never will. */
static bool
inherit_outbox(struct cf__outbox *box)
{
    /* pairs with cf__processes_collect: the program has read what was there */
    if (cf_load_acquire(&box->in->collected) < box->freed)
        request(box);
    return cf_load_acquire(&box->in->collected) >= box->freed; /* as above */
}

static unsigned char *
take_outbox(struct cf__outbox *box, size_t size)
{
    if (size > box->size || !inherit_outbox(box))
        return NULL;
    size = (size + 15) & ~(size_t)15;
    size_t most =
        size < box->size / LIMIT_RESULTS ? LIMIT_RESULTS * size : box->size;
    free_collected(box);
    unsigned char *room = try_outbox(box, size, most);
    if (room)
        return room;
    request(box);
    free_collected(box);
    /* What this task itself has taken before is all that is still in use. */
    return try_outbox(box, size, box->size);
}

void *
cf__outbox_alloc(struct cf_call *call, size_t size)
{
    (void)call;
    /* a child of the task: the outbox is not its own */
    if (!cf_load_relaxed(the_outbox->home))
        return malloc(size);
    return take_outbox(the_outbox, size);
}

/* Writes a failure and its texts to the outbox, at box->offset. If there is no
 * room for the texts, writes it to bare, without them. */
static void
pack_failure(struct cf__outbox *box, const cf_call *call, int rc, void *bare)
{
    const cf_error *failure = call->failure;
    struct cf__wire_failure wire = {.code = rc, .pid = getpid()};
    box->kind = CF__AS_BARE_FAILURE;
    if (failure) {
        size_t message = strlen(failure->message);
        size_t file = failure->file ? strnlen(failure->file, 4096) : 0;
        wire.code = failure->code;
        wire.line = failure->line;
        unsigned char *room = take_outbox(box, sizeof wire + message + file);
        if (room) {
            wire.message_size = (uint32_t)message;
            wire.file_size = (uint32_t)file;
            memcpy(room, &wire, sizeof wire);
            memcpy(room + sizeof wire, failure->message, message);
            if (file)
                memcpy(room + sizeof wire + message, failure->file, file);
            box->kind = CF__AS_FAILURE;
            return;
        }
    }
    memcpy(bare, &wire, sizeof wire);
}

void
cf__outbox_write_outcome(struct cf__outbox *box,
                         struct cf_call *call,
                         int rc,
                         struct cf__outcome *outcome)
{
    if (rc) {
        pack_failure(box, call, rc, outcome->data);
    } else if (!call->heap) {
        box->kind = CF__IN_PLACE; /* a larger result before it was given up */
    }
    cf__failure_free(call->failure);
    /* published by the state */
    cf_store_relaxed(&outcome->size, call->result_size);
    cf_store_relaxed(&outcome->offset, box->offset);
    cf_store_relaxed(&outcome->kind, box->kind);
}

void
cf__outbox_write_init_failure(struct cf__outbox *box,
                              struct cf_call *call,
                              int rc)
{
    unsigned char bare[CF__INLINE_SIZE];
    pack_failure(box, call, rc, bare);
    if (box->kind == CF__AS_BARE_FAILURE) {
        unsigned char *room = take_outbox(box, sizeof bare);
        if (!room)
            return;
        memcpy(room, bare, sizeof bare);
    }
    /* the program reads it when this worker is dead */
    cf_store_release(&box->out->init_failure, box->offset + 1);
}
