/* SPDX-License-Identifier: MIT */
/*
 * Filling the outbox and grants: see parcel.h. A worker has one packer and one
 * thread; cf__packer_alloc finds it through a static.
 */
#include "process_pool/parcel.h"

#include "lib/failure.h"
#include "lib/fence.h"
#include "lib/futex.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NO_GRANT = CF__GRANTS };

static struct cf__packer *the_packer; /* this process's */

void
cf__packer_init(struct cf__packer *packer,
                const struct cf__worker_setup *setup,
                struct cf__lane_in *in,
                struct cf__lane_out *out,
                uint64_t start)
{
    memset(packer, 0, sizeof *packer);
    packer->setup = setup;
    packer->in = in;
    packer->out = out;
    packer->position = packer->freed_position = start;
    the_packer = packer;
}

static void
ring_always(struct cf__packer *packer)
{
    uint64_t one = 1;
    if (write(packer->setup->doorbell, &one, sizeof one) < 0 &&
        errno != EAGAIN)         /* it has been rung often enough */
        _exit(CF__EXIT_CORRUPT); /* a task has closed it */
}

void
cf__packer_ring(struct cf__packer *packer)
{
    /* pairs with the manager's nap: it sleeps, or it will see what we did */
    uint32_t sleeps = cf_load_seq_cst(&packer->setup->shared->board->sleeps);
    if (sleeps % 2 == 1 && sleeps != packer->rung) {
        packer->rung = sleeps;
        ring_always(packer);
    }
}

void
cf__packer_sleep(struct cf__packer *packer,
                 bool (*must_rise)(void *data),
                 void *data)
{
    while (!must_rise(data)) {
        uint32_t bell =
            cf_load_acquire(&packer->in->bell); /* pairs with nudge */
        /* pairs with nudge: it sees us asleep, or we see what it did */
        cf_store_seq_cst(&packer->out->asleep, 1);
        cf__fence_full();
        if (!must_rise(data))
            cf__futex_wait_shared(&packer->in->bell, bell);
        cf_store_relaxed(&packer->out->asleep, 0); /* a hint */
    }
}

/* Frees what the program has collected from the outbox. */
static void
free_collected(struct cf__packer *packer)
{
    /* pairs with collect: it has read what was there */
    uint64_t collected = cf_load_acquire(&packer->in->collected);
    if (collected <= packer->freed_position)
        return;
    packer->freed_position = collected;
    packer->freed = packer->filled_after[(collected - 1) % CF__LANE];
}

static bool
answered(void *packer)
{
    const struct cf__packer *p = packer;
    /* pairs with answer_request: it has been done, or cannot be */
    return cf_load_acquire(&p->in->answers) ==
           cf_load_relaxed(&p->out->requests); /* our own */
}

/* Asks the program for a grant of so many bytes in place of grant i, or with 0
 * to collect everything; waits for it. */
static void
request(struct cf__packer *packer, unsigned i, size_t size)
{
    cf_store_relaxed(&packer->out->wanted_index, i);
    cf_store_relaxed(&packer->out->wanted_size, size);
    uint32_t requests = cf_load_relaxed(&packer->out->requests); /* our own */
    /* pairs with answer_request: what is wanted */
    cf_store_release(&packer->out->requests, requests + 1);
    ring_always(packer);
    cf__packer_sleep(packer, answered, packer);
}

/* size bytes of the outbox; NULL: no room. */
static unsigned char *
try_outbox(struct cf__packer *packer, size_t size)
{
    size_t at = packer->filled % CF__OUTBOX;
    size_t skip = at + size > CF__OUTBOX ? CF__OUTBOX - at : 0;
    if (packer->filled + skip + size - packer->freed > CF__OUTBOX)
        return NULL;
    at = (at + skip) % CF__OUTBOX;
    packer->filled += skip + size;
    packer->result = CF__IN_OUTBOX;
    packer->offset = at;
    return packer->out->outbox + at;
}

static unsigned char *
take_outbox(struct cf__packer *packer, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    unsigned char *room = try_outbox(packer, size);
    if (room)
        return room;
    free_collected(packer);
    room = try_outbox(packer, size);
    if (room)
        return room;
    /* What this task itself has used before is the rest. */
    request(packer, 0, 0);
    free_collected(packer);
    return try_outbox(packer, size);
}

/* Makes a grant writable. */
static bool
open_grant(struct cf__packer *packer, unsigned i, uint64_t number)
{
    const struct cf__grant *grant = &packer->in->grants[i];
    if (packer->opened[i] == number)
        return true;
    if (mprotect(grant->block, grant->size, PROT_READ | PROT_WRITE) != 0)
        return false;
    packer->opened[i] = number;
    return true;
}

/* A grant of at least size bytes that is there; NO_GRANT: none. */
static unsigned
find_grant(struct cf__packer *packer, size_t size)
{
    for (unsigned i = 0; i < CF__GRANTS; i++) {
        const struct cf__grant *grant = &packer->in->grants[i];
        uint64_t number =
            cf_load_acquire(&grant->number); /* pairs with grant */
        if (number && number != packer->used[i] && size <= grant->size &&
            open_grant(packer, i, number))
            return i;
    }
    return NO_GRANT;
}

/* Asks the program for a grant of so many bytes, and waits. */
static void
request_grant(struct cf__packer *packer, size_t size)
{
    unsigned i = 0; /* one that is used up, or was never there; or too small */
    while (i + 1 < CF__GRANTS &&
           cf_load_relaxed(&packer->in->grants[i].number) != packer->used[i])
        i++;
    if (packer->result == CF__IN_GRANT && packer->offset == i)
        i = (i + 1) % CF__GRANTS; /* the task still has that one */
    request(packer, i, size);
}

static void *
take_grant(struct cf__packer *packer, size_t size)
{
    unsigned i = find_grant(packer, size);
    if (i == NO_GRANT) {
        request_grant(packer, size);
        i = find_grant(packer, size);
    }
    if (i == NO_GRANT)
        return NULL;
    packer->result = CF__IN_GRANT;
    packer->offset = i;
    return packer->in->grants[i].block;
}

void *
cf__packer_alloc(struct cf_call *call, size_t size)
{
    void *room = NULL;
    (void)call;
    if (size <= CF__OUTBOX_LARGEST)
        room = take_outbox(the_packer, size);
    return room ? room : take_grant(the_packer, size);
}

/* A failure and its texts in the outbox, at packer->offset; without room for
 * the texts, without them. */
static void
pack_failure(struct cf__packer *packer, const cf_call *call, int rc, void *bare)
{
    const cf_error *failure = call->failure;
    struct cf__wire_failure wire = {.code = rc};
    packer->result = CF__AS_BARE_FAILURE;
    if (failure) {
        size_t message = strlen(failure->message);
        size_t file = failure->file ? strnlen(failure->file, 4096) : 0;
        wire.code = failure->code;
        wire.line = failure->line;
        unsigned char *room = take_outbox(packer, sizeof wire + message + file);
        if (room) {
            wire.message_size = (uint32_t)message;
            wire.file_size = (uint32_t)file;
            memcpy(room, &wire, sizeof wire);
            memcpy(room + sizeof wire, failure->message, message);
            if (file)
                memcpy(room + sizeof wire + message, failure->file, file);
            packer->result = CF__AS_FAILURE;
            return;
        }
    }
    memcpy(bare, &wire, sizeof wire);
}

void
cf__packer_settle(struct cf__packer *packer,
                  struct cf_call *call,
                  int rc,
                  struct cf__outcome *outcome)
{
    if (rc) {
        pack_failure(packer, call, rc, outcome->data);
    } else if (!call->heap) {
        packer->result = CF__IN_PLACE; /* an earlier, larger one was given up */
    } else if (packer->result == CF__IN_GRANT) {
        /* The result is the program's now: a later task that goes astray
         * must not change it. */
        unsigned i = (unsigned)packer->offset;
        (void)mprotect(
            packer->in->grants[i].block, packer->in->grants[i].size, PROT_READ);
        packer->used[i] = packer->opened[i];
    }
    cf__failure_free(call->failure);
    /* published by the state */
    cf_store_relaxed(&outcome->size, call->result_size);
    cf_store_relaxed(&outcome->offset, packer->offset);
    cf_store_relaxed(&outcome->kind, packer->result);
}

void
cf__packer_init_failure(struct cf__packer *packer, struct cf_call *call, int rc)
{
    unsigned char bare[CF__INLINE_SIZE];
    pack_failure(packer, call, rc, bare);
    if (packer->result == CF__AS_BARE_FAILURE) { /* a new outbox has room */
        unsigned char *room = take_outbox(packer, sizeof bare);
        if (room)
            memcpy(room, bare, sizeof bare);
    }
    /* read when the worker is dead */
    cf_store_release(&packer->out->init_failure, packer->offset + 1);
}
