/* SPDX-License-Identifier: MIT */
/*
 * What the program and its worker processes share, byte by byte, and who may
 * write it. README.md has the protocol.
 *
 * Each worker has a lane: a ring of tasks that only the program writes, and a
 * ring of outcomes that only this worker writes (and the program, to take a
 * task back). Entry i of both rings belongs to the positions i, i + CF__LANE,
 * i + 2 * CF__LANE ...: a position is a task's number in its lane, and never
 * comes again. What a worker has no reason to write, it cannot: its mapping
 * says so.
 */
#ifndef CF_PROCESS_POOL_LAYOUT_H
#define CF_PROCESS_POOL_LAYOUT_H

#include <cfutures/task.h>

#include "lib/base/atomic.h"
#include "lib/executor/call.h"
#include "lib/future/future.h"

enum {
    CF__LANE = 256,            /* tasks in a lane, handed ahead */
    CF__SMALL_RESULT = 4 << 10 /* bytes: to malloc'ed memory, if collected */
};

/* Positions begin here: no pattern that memory is likely to hold is one. */
#define CF__FIRST_POSITION (UINT64_C(0x5eed) << 32)

/* --- written by the program ------------------------------------------- */

/* Bits of cf__order.flags. */
enum {
    CF__ORDER_STOP = CF__CALL_STOP, /* interrupted, or past its deadline */
    CF__ORDER_NOTIFY = 1 << 1,      /* ring when it has ended */
    CF__ORDER_TIMED = 1 << 2        /* note when it begins */
};

/* A task, as it travels. */
struct cf__order {
    cf_task_fn *fn;
    const void *data; /* not NULL: the argument, instead of arg */
    size_t size;      /* bytes of the argument; 0: data is all of it */
    /* Atomic. Set before it is published; bits are added until it ends. */
    _Atomic uint32_t flags;
    _Alignas(16) unsigned char arg[CF__INLINE_SIZE];
};

_Static_assert(sizeof(struct cf__order) == CF_CACHE_LINE, "one line");

struct cf__lane_in {
    /* Atomic. Positions below it have been filled in. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t published;
    /* Atomic. What the worker sleeps on; changes when it is woken. */
    _Atomic uint32_t bell;
    _Atomic int64_t rung_at; /* Atomic. When (lib/base/clock.h). */
    /* Atomic. Not 0: end when there is nothing more in the lane. */
    _Atomic uint32_t quit;
    /* Atomic. Positions below it have been collected. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t collected;
    /* Atomic. How many requests have been answered. */
    _Atomic uint32_t answers;
    _Alignas(CF_CACHE_LINE) struct cf__order orders[CF__LANE];
};

/* For all lanes. */
struct cf__board {
    /* Atomic. Odd: the manager sleeps, for the (n / 2)-th time. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t sleeps;
    /* Atomic. Not 0: there is work that a lane with nothing to do could get; a
     * worker rings before it sleeps. */
    _Atomic uint32_t backlog;
    /* Atomic. Not 0: each task's end is to be noticed. */
    _Atomic uint32_t notify_all;
};

/* --- written by the worker -------------------------------------------- */

/* What a position has come to: the low bits of cf__outcome.state, which
 * otherwise is the position. */
enum {
    CF__FREE,   /* written by the program when a worker starts */
    CF__TAKEN,  /* the worker runs it */
    CF__DONE,   /* ended, or skipped */
    CF__REVOKED /* written by the program: the worker skips it */
};

static inline uint64_t
cf__position_state(uint64_t position, unsigned what)
{
    return position << 2 | what;
}

/* What the state of a position is that the worker has not come to. */
static inline bool
cf__is_untaken(uint64_t state, uint64_t position)
{
    return state == cf__position_state(position - CF__LANE, CF__DONE) ||
           state == cf__position_state(position, CF__FREE);
}

/* How a task ended, and where its result is. */
enum {
    CF__IN_PLACE,       /* size bytes in data */
    CF__IN_OUTBOX,      /* size bytes at offset in the outbox */
    CF__AS_FAILURE,     /* a struct cf__wire_failure at offset in the outbox */
    CF__AS_BARE_FAILURE /* one without texts, in data */
};

struct cf__outcome {
    _Atomic uint64_t state;
    _Atomic uint64_t size;
    _Atomic uint64_t offset; /* of a timed task that runs: when it began, in
                                monotonic nanoseconds */
    _Atomic uint32_t kind;
    _Alignas(16) unsigned char data[CF__INLINE_SIZE];
};

_Static_assert(sizeof(struct cf__outcome) == CF_CACHE_LINE, "one line");

/* A failure in the outbox, followed by its texts, without terminators. */
struct cf__wire_failure {
    int32_t code;
    int32_t line;
    int32_t pid;           /* of the worker; for people to read */
    uint32_t message_size; /* bytes */
    uint32_t file_size;    /* bytes; 0: none */
};

struct cf__lane_out {
    /* Atomic. Not 0: the worker sleeps, or is about to. The program takes it
     * away and wakes. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t asleep;
    /* Atomic. How often it has asked for everything to be collected. */
    _Atomic uint32_t requests;
    _Atomic int32_t pid; /* of the worker; for error records only */
    /* Atomic. How long it took to wake it (lib/base/wake_cost.h); 0: nothing new. The
     * program takes it away. */
    _Atomic int64_t woke_within_ns;
    /* Atomic. A hint: bytes of the outbox that have been used since the program
     * gave its memory back, and set this to 0. */
    _Atomic uint64_t outbox_used;
    /* Atomic. Not 0: the initializer has returned well. */
    _Atomic uint32_t ready;
    /* Atomic. When the initializer failed: offset + 1 of a
     * struct cf__wire_failure in the outbox. */
    _Atomic uint64_t init_failure;
    _Alignas(CF_CACHE_LINE) struct cf__outcome outcomes[CF__LANE];
};

/* --- how a worker ends ------------------------------------------------- */

/* Exit statuses between the worker and the program. A task that calls exit()
 * with one of them looks alike, but has left its position TAKEN. */
enum {
    CF__EXIT_DONE = 0,          /* it was told to, or has run its number */
    CF__EXIT_INITIALIZER = 113, /* the initializer failed */
    CF__EXIT_CORRUPT = 114      /* it found its lane overwritten */
};

#endif
