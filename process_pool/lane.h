/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. The program's side of one worker's lane:
 * which tasks the worker has in hand, handing it more, taking back, waking it.
 * What is here is private to the program, and the program believes it; what the
 * worker writes (layout.h) is checked against it. README.md has the protocol.
 */
#ifndef CF_PROCESS_POOL_LANE_H
#define CF_PROCESS_POOL_LANE_H

#include "lib/future/failure.h"
#include "process_pool/memory/shared.h"
#include "process_pool/returned.h"

#include <sys/types.h>

enum cf__lane_state {
    CF__LANE_ABSENT,  /* no worker */
    CF__LANE_STAFFED, /* a worker, or the zygote has been asked for one */
    CF__LANE_LOST     /* no worker, and none can be had */
};

struct cf__process_lane {
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    const unsigned char *outbox;
    size_t outbox_size; /* bytes */
    enum cf__lane_state state;
    /* In hand are the positions oldest .. next - 1; those below published, the
     * worker has been told of. */
    uint64_t oldest, next, published;
    size_t revoked;  /* positions in hand without a task */
    uint64_t ran;    /* tasks, since a worker was asked for */
    unsigned target; /* how many it should have in hand */
    struct cf__process_lane *next_in_turn; /* while tasks are dealt */
    int64_t lowest;   /* no priority in hand is below; INT64_MAX: nothing */
    bool doomed;      /* a signal is on its way: nothing more for it */
    bool quitting;    /* it has been told to end */
    bool condemned;   /* killed for what it has written */
    int64_t spawn_at; /* no worker could be forked: not again before; 0: none */
    int64_t pause;    /* the last one, of that kind */
    unsigned stillborn; /* workers in a row that died before they were ready */

    /* For the target: when the lane had so many in hand, all below mark; 0: not
     * measured. */
    uint64_t mark;
    int64_t marked_at;
    unsigned mark_count;
    int64_t progress_at; /* when it last took or ended something, as noticed */

    /* A signal that is due: at kill_at (0: none), if the task at kill_position
     * still runs, or CF__ANY_POSITION. */
    int64_t kill_at;
    int kill_signal;
    uint64_t kill_position;
    int64_t grace_ends_at; /* SIGKILL, after the first other one; 0: none yet */

    uint32_t answered; /* requests */

    uint64_t done, failed; /* tasks, of all its workers */

    cf_future *tasks[CF__LANE]; /* by position; NULL: taken back */
    uint64_t sequences[CF__LANE];
};

#define CF__ANY_POSITION UINT64_C(0)

void cf__lane_init(struct cf__process_lane *lane,
                   const struct cf__shared *shared,
                   int index);

/* Nothing is in hand: makes it ready for a new worker, which begins at
 * lane->next. */
void cf__lane_reset(struct cf__process_lane *lane);

static inline size_t
cf__lane_in_hand(const struct cf__process_lane *lane)
{
    return (size_t)(lane->next - lane->oldest);
}

/* What has not been taken back of it. */
static inline size_t
cf__lane_tasks(const struct cf__process_lane *lane)
{
    return cf__lane_in_hand(lane) - lane->revoked;
}

static inline struct cf__outcome *
cf__lane_outcome(const struct cf__process_lane *lane, uint64_t position)
{
    return &lane->out->outcomes[position % CF__LANE];
}

static inline struct cf__order *
cf__lane_order(const struct cf__process_lane *lane, uint64_t position)
{
    return &lane->in->orders[position % CF__LANE];
}

/* A failure as a worker has left it, its texts with terminators. */
struct cf__lane_failure {
    struct cf__wire_failure wire;
    char message[CF__MESSAGE_MAX + 1], file[CF__MESSAGE_MAX + 1];
};

/* Whether the outbox has size bytes at offset. */
static inline bool
cf__lane_has(const struct cf__process_lane *lane,
             uint64_t offset,
             uint64_t size)
{
    return size <= lane->outbox_size && offset <= lane->outbox_size - size;
}

/* The error record of a failure, which refers to it from now on. */
static inline void
cf__lane_describe(const struct cf__lane_failure *failure, cf_error *out)
{
    out->code = failure->wire.code;
    out->pid = failure->wire.pid;
    out->message = failure->message;
    if (failure->file[0]) {
        out->file = failure->file;
        out->line = failure->wire.line;
    }
}

/* Reads the failure at offset of the outbox. false: it makes no sense. */
bool cf__lane_read_failure(const struct cf__process_lane *lane,
                           uint64_t offset,
                           struct cf__lane_failure *out);

/* The position of a task of this lane, by what it remembers; UINT64_MAX: the
 * lane does not have it (any more). */
uint64_t cf__lane_find(const struct cf__process_lane *lane, const cf_future *f);

/* Adds a claimed task, which the worker learns of with cf__lane_publish(). */
void cf__lane_add(struct cf__process_lane *lane,
                  cf_future *f,
                  uint64_t sequence,
                  uint32_t flags);

/* Tells the worker of what was added. */
void cf__lane_publish(struct cf__process_lane *lane, int64_t now);

/* The worker has not started the task at this position, as far as can be
 * seen. */
bool cf__lane_is_untaken(const struct cf__process_lane *lane,
                         uint64_t position);

/* The oldest task in hand has been started. */
static inline bool
cf__lane_has_begun(const struct cf__process_lane *lane)
{
    uint64_t p = lane->oldest;
    while (p < lane->next && !lane->tasks[p % CF__LANE])
        p++; /* taken back: the worker may have skipped it since */
    return p < lane->next && !cf__lane_is_untaken(lane, p);
}

/* Takes the task at a position out of the worker's hands. NULL: it has been
 * started, or is not there. */
cf_future *cf__lane_revoke(struct cf__process_lane *lane, uint64_t position);

/* From now on the worker rings when the task at this position has ended, or
 * that can be seen already. */
void cf__lane_expect(const struct cf__process_lane *lane, uint64_t position);

/* Tells the worker to end when its lane is empty. */
void cf__lane_quit(struct cf__process_lane *lane);

/* Wakes the worker if it sleeps; always, if it may be wrong about that. */
void cf__lane_nudge(const struct cf__process_lane *lane, bool always);

#endif
