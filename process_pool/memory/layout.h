/* SPDX-License-Identifier: MIT */
/*
 * What the program and its worker processes share, byte by byte, and which of
 * them may write it. README.md has the protocol.
 *
 * Each worker has a lane: a ring of tasks that only the program writes, and a
 * ring of outcomes that only this worker writes (and the program, to take a
 * task back). A position is a task's number in its lane, and never comes again.
 * Entry i of both rings belongs to the positions i, i + CF__LANE, i + 2 *
 * CF__LANE ... What a worker has no reason to write, it cannot write: its
 * mapping is read-only there.
 */
#ifndef CF_PROCESS_POOL_LAYOUT_H
#define CF_PROCESS_POOL_LAYOUT_H

#include <cfutures/task.h>

#include "lib/base/atomic.h"
#include "lib/executor/call.h"
#include "lib/future/future.h"

enum {
    CF__LANE = 2048,           /* entries of each ring: memory comes with their
                                  first use */
    CF__AHEAD = 8,             /* so many positions ahead entries are fetched
                                  into the cache: a line is there by then */
    CF__SMALL_RESULT = 4 << 10 /* bytes: larger results go to the vault when
                                  they are collected */
};

/* The first position: a pattern that memory is not likely to hold. */
#define CF__FIRST_POSITION (UINT64_C(0x5eed) << 32)

/* --- written by the program ------------------------------------------- */

/* Bits of cf__order.flags. */
enum {
    CF__ORDER_STOP = CF__CALL_STOP, /* interrupted, or past its deadline */
    CF__ORDER_NOTIFY = 1 << 1,      /* ring when the task has ended */
    CF__ORDER_TIMED = 1 << 2        /* note when the task begins */
};

/* A task, as it travels. */
struct cf__order {
    cf_task_fn *fn;
    const void *data; /* the argument, if it is not in arg; else NULL */
    size_t size;      /* bytes of the argument; 0: data itself is the
                         argument */
    /* Atomic. Set before the order is published; bits are added until it
     * ends. */
    _Atomic uint32_t flags;
    _Alignas(16) unsigned char arg[CF__INLINE_SIZE];
};

_Static_assert(sizeof(struct cf__order) == CF_CACHE_LINE, "one line");

struct cf__lane_in {
    /* Atomic. Orders at positions below it are whole. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t published;
    /* Atomic. The worker sleeps on it; it changes when the worker is woken. */
    _Atomic uint32_t bell;
    _Atomic int64_t rung_at; /* Atomic. When (lib/base/clock.h). */
    /* Atomic. Not 0: the worker must end when its lane is empty. */
    _Atomic uint32_t quit;
    /* Atomic. Positions below it have been collected. */
    _Alignas(CF_CACHE_LINE) _Atomic uint64_t collected;
    /* Atomic. How many requests have been answered. */
    _Atomic uint32_t answers;
    _Alignas(CF_CACHE_LINE) struct cf__order orders[CF__LANE];
};

/* One for all lanes. */
struct cf__board {
    /* Atomic. Odd: the manager sleeps, for the (n / 2)-th time. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t sleeps;
    /* Atomic. Not 0: there is work that a lane with nothing to do could get, so
     * a worker rings before it sleeps. */
    _Atomic uint32_t backlog;
    /* Atomic. Not 0: workers ring at the end of each task. */
    _Atomic uint32_t notify_all;
};

/* --- written by the worker -------------------------------------------- */

/* How far a position has come: the low bits of cf__outcome.state. The other
 * bits are the position. */
enum {
    CF__FREE,   /* written by the program with an order, in a worker's first
                   lap of the ring */
    CF__TAKEN,  /* the worker runs its task */
    CF__DONE,   /* ended, or skipped */
    CF__REVOKED /* written by the program: the worker skips it */
};

static inline uint64_t
cf__position_state(uint64_t position, unsigned what)
{
    return position << 2 | what;
}

/* state is that of a position to which the worker has not come. */
static inline bool
cf__is_untaken(uint64_t state, uint64_t position)
{
    return state == cf__position_state(position - CF__LANE, CF__DONE) ||
           state == cf__position_state(position, CF__FREE);
}

/* How a task ended, and where its result is. */
enum {
    CF__IN_PLACE,       /* size bytes, in data */
    CF__IN_OUTBOX,      /* size bytes, at offset in the outbox */
    CF__AS_FAILURE,     /* a struct cf__wire_failure at offset in the outbox */
    CF__AS_BARE_FAILURE /* the same without texts, in data */
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

/* A failure in the outbox. Its texts follow it, without terminators. */
struct cf__wire_failure {
    int32_t code;
    int32_t line;
    int32_t pid;           /* of the worker; for people to read */
    uint32_t message_size; /* bytes */
    uint32_t file_size;    /* bytes; 0: none */
};

struct cf__lane_out {
    /* Atomic. Not 0: the worker sleeps, or is about to. The program clears it,
     * and wakes. */
    _Alignas(CF_CACHE_LINE) _Atomic uint32_t asleep;
    /* Atomic. How often the worker has asked for everything to be collected. */
    _Atomic uint32_t requests;
    _Atomic int32_t pid; /* of the worker; for error records only */
    /* Atomic. How long the last wake-up took (lib/base/wake_cost.h); 0: nothing
     * new. The program clears it. */
    _Atomic int64_t woke_within_ns;
    /* Atomic. A hint: how many bytes of the outbox have been used since the
     * program last gave its memory back and set this to 0. */
    _Atomic uint64_t outbox_used;
    /* Atomic. Not 0: the initializer has returned 0. */
    _Atomic uint32_t ready;
    /* Atomic. If the initializer has failed: 1 + the offset of a struct
     * cf__wire_failure in the outbox. */
    _Atomic uint64_t init_failure;
    /* Atomic. The signal of a crash, written last. 0: none so far. */
    _Atomic uint32_t crash_signal;
    _Atomic uint32_t crash_kind; /* CF__CRASH_UNKNOWN ... */
    _Atomic uint64_t crash_address;
    _Alignas(CF_CACHE_LINE) struct cf__outcome outcomes[CF__LANE];
};

/* What a worker that crashes says of the address. */
enum {
    CF__CRASH_UNKNOWN,  /* nothing: the signal was sent, or the processor does
                           not say */
    CF__CRASH_UNMAPPED, /* there is no memory */
    CF__CRASH_ELSEWHERE,
    CF__CRASH_STACK /* in the guard below the stack */
};

/* --- how a worker ends ------------------------------------------------- */

/* Exit statuses, from the worker to the program. If a task calls exit() with
 * one of them, the status looks the same; but then its position is TAKEN. */
enum {
    CF__EXIT_DONE = 0,          /* it was told to end, or has run its number of
                                   tasks */
    CF__EXIT_INITIALIZER = 113, /* the initializer failed */
    CF__EXIT_CORRUPT = 114      /* it found its lane overwritten */
};

#endif
