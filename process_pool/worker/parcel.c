/* SPDX-License-Identifier: MIT */
/*
 * Filling the outbox: see parcel.h. A worker has one packer and one thread;
 * cf__packer_alloc finds it through a static.
 */
#include "process_pool/worker/parcel.h"

#include "lib/base/clock.h"
#include "lib/base/fence.h"
#include "lib/base/futex.h"
#include "lib/future/failure.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LIMIT_MIN = 1 << 20, /* bytes of the outbox in use */
    LIMIT_RESULTS = 4    /* or so many of the largest */
};

static struct cf__packer *the_packer; /* this process's */

void
cf__packer_init(struct cf__packer *packer,
                const struct cf__worker_setup *setup,
                const _Atomic uint32_t *home,
                int lane,
                uint64_t start)
{
    const struct cf__shared *shared = setup->shared;
    memset(packer, 0, sizeof *packer);
    packer->setup = setup;
    packer->home = home;
    packer->in = cf__shared_lane_in(shared, lane);
    packer->out = cf__shared_lane_out(shared, lane);
    packer->outbox = cf__shared_outbox(shared, lane);
    packer->size = shared->outbox_size;
    packer->limit = LIMIT_MIN < packer->size ? LIMIT_MIN : packer->size;
    packer->position = packer->freed = start;
    the_packer = packer;
}

void
cf__packer_ring(struct cf__packer *packer)
{
    /* pairs with the manager's nap: it sleeps, or it will see what we did */
    uint32_t sleeps = cf_load_seq_cst(&packer->setup->shared->board->sleeps);
    if (sleeps % 2 == 1 && sleeps != packer->rung) {
        packer->rung = sleeps;
        cf__bell_ring(packer->setup->shared->bell);
    }
}

/* It has been woken: the program learns how long that took. */
static void
tell_wake_cost(struct cf__packer *packer)
{
    int64_t took = cf__now_ns() - cf_load_relaxed(&packer->in->rung_at);
    cf_store_relaxed(&packer->out->woke_within_ns, took); /* a hint */
}

void
cf__packer_sleep(struct cf__packer *packer,
                 bool (*must_rise)(void *data),
                 void *data)
{
    while (!must_rise(data)) {
        uint32_t bell =
            cf_load_acquire(&packer->in->bell); /* pairs with nudge */
        /* pairs with nudge, and with submit: it sees us asleep, or we see
         * what it did */
        cf_store_seq_cst(&packer->out->asleep, 1);
        cf__fence_full();
        if (!must_rise(data)) {
            if (cf_load_seq_cst(&packer->setup->shared->board->backlog))
                cf__packer_ring(packer);
            if (cf__futex_wait_shared(&packer->in->bell, bell))
                tell_wake_cost(packer);
        }
        cf_store_relaxed(&packer->out->asleep, 0); /* a hint */
    }
}

/* Frees what the program has collected from the outbox. */
static void
free_collected(struct cf__packer *packer)
{
    /* pairs with collect: it has read what was there */
    uint64_t collected = cf_load_acquire(&packer->in->collected);
    if (collected <= packer->freed)
        return;
    size_t *begin = &packer->begins[collected % CF__LANE];
    packer->freed = collected;
    packer->tail = *begin;
    if (collected == packer->position && *begin == packer->at)
        packer->at = packer->tail = *begin = 0; /* empty */
}

static bool
answered(void *packer)
{
    const struct cf__packer *p = packer;
    /* pairs with answer_request: it has been done, or cannot be */
    return cf_load_acquire(&p->in->answers) ==
           cf_load_relaxed(&p->out->requests); /* our own */
}

/* Asks the program to collect everything, and waits for it. */
static void
request(struct cf__packer *packer)
{
    uint32_t requests = cf_load_relaxed(&packer->out->requests); /* our own */
    /* pairs with collect; its bell rings */
    cf_store_release(&packer->out->requests, requests + 1);
    cf__bell_ring(packer->setup->shared->bell);
    cf__packer_sleep(packer, answered, packer);
}

/* size bytes of the outbox, which may grow to most bytes; NULL: no room. */
static unsigned char *
try_outbox(struct cf__packer *packer, size_t size, size_t most)
{
    size_t at = packer->at;
    if (at < packer->tail) {
        if (packer->tail - at <= size)
            return NULL;
    } else if (at > packer->limit || packer->limit - at < size) {
        if (size < packer->tail)
            at = 0;
        else if (at <= most && size <= most - at)
            packer->limit = at + size;
        else
            return NULL;
    }
    packer->at = at + size;
    if (at + size > cf_load_relaxed(&packer->out->outbox_used))
        cf_store_relaxed(&packer->out->outbox_used, at + size); /* a hint */
    packer->result = CF__IN_OUTBOX;
    packer->offset = at;
    return packer->outbox + at;
}

/* What the worker before had in the outbox has been collected; false: it will
 * not be. */
static bool
inherit_outbox(struct cf__packer *packer)
{
    /* pairs with collect: it has read what was there */
    if (cf_load_acquire(&packer->in->collected) < packer->freed)
        request(packer);
    return cf_load_acquire(&packer->in->collected) >= packer->freed; /* so */
}

static unsigned char *
take_outbox(struct cf__packer *packer, size_t size)
{
    if (size > packer->size || !inherit_outbox(packer))
        return NULL;
    size = (size + 15) & ~(size_t)15;
    size_t most = size < packer->size / LIMIT_RESULTS ? LIMIT_RESULTS * size
                                                      : packer->size;
    free_collected(packer);
    unsigned char *room = try_outbox(packer, size, most);
    if (room)
        return room;
    request(packer);
    free_collected(packer);
    /* What this task itself has used before is the rest. */
    return try_outbox(packer, size, packer->size);
}

void *
cf__packer_alloc(struct cf_call *call, size_t size)
{
    (void)call;
    if (!cf_load_relaxed(the_packer->home)) /* it is the task's, not ours */
        return malloc(size);
    return take_outbox(the_packer, size);
}

/* A failure and its texts in the outbox, at packer->offset; without room for
 * the texts, without them. */
static void
pack_failure(struct cf__packer *packer, const cf_call *call, int rc, void *bare)
{
    const cf_error *failure = call->failure;
    struct cf__wire_failure wire = {.code = rc, .pid = getpid()};
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
    if (packer->result == CF__AS_BARE_FAILURE) {
        unsigned char *room = take_outbox(packer, sizeof bare);
        if (!room)
            return;
        memcpy(room, bare, sizeof bare);
    }
    /* read when the worker is dead */
    cf_store_release(&packer->out->init_failure, packer->offset + 1);
}
