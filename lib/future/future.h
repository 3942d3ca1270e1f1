/* SPDX-License-Identifier: MIT */
/*
 * The future's layout, the bits of its word, and the claim. README.md, "The
 * future", has the protocol.
 *
 * A future is one recycled block of 128 bytes. Several threads may decide about
 * it at once. All that they decide is in one atomic word, so that each decision
 * is one compare-and-swap:
 *
 *   bits 0-1    cf_state
 *   bit  2      CF__SLEEPER     a thread sleeps on the low half (futex)
 *   bit  3      CF__WAITERS     the completer looks at the list of waiters
 *   bit  4      CF__INTERRUPT   cf_future_interrupt() came while it ran
 *   bit  5      CF__FAILED      it finished with an error
 *   bit  6      CF__COMPLETING  a completer other than the runner has won; on a
 *                               cancelled task: the canceller still needs the
 *                               executor
 *   bit  7      CF__REMOTE      the task runs in another process: it may have
 *                               ended, or while RUNNING not have begun, and
 *                               this word does not tell (executor/remote.h).
 *                               Set for life
 *   bits 8-23   1 + index of the worker that runs it; 0: none
 *   bit  24     CF__SOLE        it has a sole waiter (sole.h), and no list of
 *                               waiters. If it is done, it had one until then
 *   bit  25     CF__WAITING     pending, but not to be claimed yet: it waits
 *                               for its inputs or its time: see
 *                               executor/deferred.h
 *   bits 32-63  handles: the user's, and one for the queue that holds it
 */
#ifndef CF_LIB_FUTURE_FUTURE_H
#define CF_LIB_FUTURE_FUTURE_H

#include <cfutures/future.h>
#include <cfutures/task.h>

#include "lib/base/atomic.h"
#include "lib/base/contract.h"
#include "lib/base/futex.h"
#include "lib/base/lock.h"

#include <string.h>

#define CF__PHASE UINT64_C(3)
#define CF__SLEEPER (UINT64_C(1) << 2)
#define CF__WAITERS (UINT64_C(1) << 3)
#define CF__INTERRUPT (UINT64_C(1) << 4)
#define CF__FAILED (UINT64_C(1) << 5)
#define CF__COMPLETING (UINT64_C(1) << 6)
#define CF__REMOTE (UINT64_C(1) << 7)
#define CF__WORKER_SHIFT 8
#define CF__WORKER_MASK UINT64_C(0xffff)
#define CF__SOLE (UINT64_C(1) << 24)
#define CF__WAITING (UINT64_C(1) << 25)
#define CF__HANDLE (UINT64_C(1) << 32)

/* What a future owns besides its block: bits of cf_future.owned. */
enum {
    CF__ARG_POINTER = 1 << 0,  /* arg holds the user's pointer */
    CF__ARG_HEAP = 1 << 1,     /* arg holds a struct cf__heap */
    CF__RESULT_HEAP = 1 << 2,  /* result holds a struct cf__heap */
    CF__RESULT_ERROR = 1 << 3, /* result holds a const cf_error * */
    CF__RESULT_LENT = 1 << 4,  /* result holds a struct cf__lent */
    CF__JOB = 1 << 5,          /* nothing: it is a job, not a task of the user's
                                  (lib/executor/job.h) */
    CF__ARG_OBJECT = 1 << 6,   /* the argument is an object: its ops are at
                                  CF__ARG_OPS. With CF__ARG_HEAP it is there */
    CF__RESULT_OBJECT = 1 << 7, /* the result is an object, inside or on the
                                  heap. arg holds its destructor */
    CF__RESULT_USERS = 1 << 8,  /* the heap of the result is the user's memory,
                                  which the destructor frees */
    CF__OBSERVED = 1 << 9       /* nothing: see observed.h */
};

#define CF__SOLE_TAG ((uintptr_t)2) /* in cf_future.waiters */

enum {
    CF__INLINE_SIZE = 32, /* bytes of argument, and of result, inside */
    CF__ARG_OPS = CF__INLINE_SIZE - (int)sizeof(void *) /* where an object of
                                                            this size ends */
};

struct cf__heap {
    void *data;
    size_t size;
};

/* A result in memory of another owner. Begins like a struct cf__heap. */
struct cf__lent {
    void *data;
    size_t size;
    void (*give_back)(void *owner, void *data); /* called once, at the end */
    void *owner;
};

struct cf__waiter; /* lib/future/waiter.h */

/* Attributes, which few tasks set. They are in the block of a future: the cache
 * of the thread has memory for them. The submitter writes name to timeout_ns
 * before it publishes the task. */
struct cf__attributes {
    uint64_t word; /* 0: that of a free block, left as it is */
    const char *name;
    void (*arg_free)(void *arg);
    void *user_data;
    int priority;
    int64_t timeout_ns; /* 0: none */
    int64_t begun_at;   /* when a remote task began, as first known; 0: not
                                   known. Guarded by the pool's lock */
    const cf_error *late_error; /* the error of a task that outran its timeout.
                                   The thread that set CF__COMPLETING writes
                                   it, before it finishes the future */
    size_t timer_index;         /* in the timers' heap; 0: not there. Guarded
                                   by the timers' lock */
    int64_t timer_at;           /* deadline. Guarded by the timers' lock */
    void (*due)(cf_future *f);  /* the deadline is that of a delay: called in
                                   place of expired(). Guarded by that lock */
    struct cf__deferred *deferred; /* while the word has CF__WAITING */
    const char *skipped; /* of a task that failed because an input had failed:
                            why that was, in its error's message; else NULL */
};

struct cf_future {
    _Atomic uint64_t word;
    /* The next one in the list that holds it: a queue's inbox, a submit's
     * chain, a cache of free blocks. One list at a time. Atomic for the
     * inbox. */
    _Atomic(cf_future *) next;
    cf_executor *executor; /* NULL: a promise. Set at creation */
    union {
        cf_task_fn *fn;        /* set at creation */
        cf_future *next_batch; /* of a batch of free blocks: depot.h */
    };
    /* Guarded by lock: waiter.c. With CF__SOLE in the word: the sole waiter and
     * CF__SOLE_TAG, once its thread has stored that (sole.c). */
    _Atomic uintptr_t waiters;
    struct cf__attributes *attributes; /* NULL: all default. Set at creation */
    /* Where in the runner's deque its own tasks began when it took this one; 0:
     * unknown. The runner writes it (release); a thread that helps the runner
     * reads it (acquire). Of a remote task: its position in its worker's lane;
     * guarded by the pool's lock. Of a batch of free blocks: its size
     * (depot.h). */
    _Atomic uint32_t base;
    uint16_t generation; /* of the process that made it. Set at creation */
    uint8_t arg_size;    /* bytes of an argument inside */
    uint8_t result_size; /* bytes of a result inside; written by the runner */
    uint16_t owned;      /* CF__ARG_POINTER ... */
    uint16_t list_generation; /* of the process that made the list of waiters,
                                 if there is one. Guarded by lock */
    struct cf__lock lock;     /* guards the list: waiter.c */
    /* When the task has run, the place of a result's destructor. */
    _Alignas(16) unsigned char arg[CF__INLINE_SIZE];
    unsigned char result[CF__INLINE_SIZE]; /* written by the runner */
};

_Static_assert(sizeof(cf_future) == 128, "a future is two cache lines");
_Static_assert(sizeof(struct cf__attributes) <= sizeof(cf_future),
               "they are in a block");

/* Writes a struct cf__heap into the area for an argument or a result. */
static inline void
cf__heap_store(unsigned char *area, void *data, size_t size)
{
    struct cf__heap heap = {data, size};
    memcpy(area, &heap, sizeof heap);
}

static inline struct cf__heap
cf__heap_load(const unsigned char *area)
{
    struct cf__heap heap;
    memcpy(&heap, area, sizeof heap);
    return heap;
}

/* See struct cf_object_ops. */
static inline void
cf__object_move(const cf_object_ops *ops, void *to, void *from)
{
    if (ops->move)
        ops->move(to, from);
    else
        memcpy(to, from, ops->size);
}

static inline cf_state
cf__state(uint64_t word)
{
    return (cf_state)(word & CF__PHASE);
}

static inline bool
cf__is_done(uint64_t word)
{
    return (word & CF__PHASE) >= CF_CANCELED;
}

/* The priority that f was submitted with. */
static inline int
cf__priority(const cf_future *f)
{
    return f->attributes ? f->attributes->priority : 0;
}

/* What the user calls the task of f, which may be NULL. NULL: nothing. */
static inline const char *
cf__name(const cf_future *f)
{
    return f && f->attributes ? f->attributes->name : NULL;
}

/* The half of the word that has the state: threads sleep on it. */
static inline void *
cf__futex_word(cf_future *f)
{
    return cf__low_half(&f->word);
}

/* The index of the worker that runs the task; -1: none. */
static inline int
cf__runner(uint64_t word)
{
    return (int)((word >> CF__WORKER_SHIFT) & CF__WORKER_MASK) - 1;
}

/*
 * Claims a pending task for running. Workers, waiters, cancels and refusals may
 * compete: the one whose compare-and-swap leaves PENDING has the task. If it
 * tries at all, it is a full barrier on x86: a deque's pop counts on that.
 */
static inline bool
cf__future_claim_word(cf_future *f, int worker)
{
    uint64_t word = cf_load_relaxed(&f->word); /* the swap checks it */
    while ((word & (CF__PHASE | CF__WAITING)) == CF_PENDING) {
        uint64_t running =
            word | CF_RUNNING | (uint64_t)(worker + 1) << CF__WORKER_SHIFT;
        /* pairs with the submit's publication, through the queue */
        if (cf_cas_seq_cst(&f->word, &word, running))
            return true;
    }
    return false;
}

#endif
