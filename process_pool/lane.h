/* SPDX-License-Identifier: MIT */
/*
 * Under the pool's lock, all of it. The program's side of one worker's lane:
 * which tasks the worker has in hand, handing it more, taking tasks back,
 * waking it. What is here is private to the program, so the program believes
 * it. What the worker writes (layout.h) is checked against it. README.md has
 * the protocol.
 */
#ifndef CF_PROCESS_POOL_LANE_H
#define CF_PROCESS_POOL_LANE_H

#include "lib/future/failure.h"
#include "process_pool/memory/shared.h"

#include <sys/types.h>

enum cf__lane_state {
    CF__LANE_ABSENT,  /* no worker */
    CF__LANE_STAFFED, /* a worker, or one that the zygote is to fork */
    CF__LANE_LOST     /* no worker, and none can be forked */
};

struct cf__process_lane {
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    const unsigned char *outbox;
    size_t outbox_size; /* bytes */
    enum cf__lane_state state;
    /* In hand are the positions oldest .. next - 1. The worker has been told of
     * those below published. */
    uint64_t oldest, next, published;
    /* Positions below it are the first for their entries since the lane was
     * made ready for a worker. What an entry then says is of another worker. */
    uint64_t first_lap_end;
    size_t revoked;  /* positions in hand without a task */
    uint64_t ran;    /* tasks, since a worker was asked for */
    unsigned target; /* how many tasks it should have in hand */
    struct cf__process_lane *next_in_turn; /* while tasks are dealt */
    int64_t lowest;     /* the lowest priority that may be in hand; INT64_MAX:
                         none is */
    bool doomed;        /* a signal is on its way: it gets no more tasks */
    bool quitting;      /* its worker has been told to end */
    bool condemned;     /* its worker is killed for what it wrote */
    int64_t spawn_at;   /* when another try to fork may come; 0: now */
    int64_t pause;      /* the last one before such a try */
    unsigned stillborn; /* workers in a row that died before they were ready */

    /* For the target: at marked_at the lane had mark_count positions in hand,
     * all below mark; 0: not measured. */
    uint64_t mark;
    int64_t marked_at;
    unsigned mark_count;
    int64_t progress_at; /* when the program last noticed that it took or ended
                            a task */

    /* A signal that is due at kill_at (0: none), if the task at kill_position
     * still runs, or for CF__ANY_POSITION in any case. */
    int64_t kill_at;
    int kill_signal;
    uint64_t kill_position;
    int64_t grace_ends_at; /* when SIGKILL follows the first other signal; 0:
                              none sent */

    uint32_t answered; /* how many requests have been answered */

    uint64_t done, failed; /* tasks, of all its workers */

    /* Last, because they are large, and only filled as far as they are used. */
    cf_future *tasks[CF__LANE]; /* by position; NULL: taken back */
    uint64_t sequences[CF__LANE];
};

#define CF__ANY_POSITION UINT64_C(0)

void cf__lane_init(struct cf__process_lane *lane,
                   const struct cf__shared *shared,
                   int index);

/* Makes a lane with nothing in hand ready for a new worker, which begins at
 * lane->next. */
void cf__lane_reset(struct cf__process_lane *lane);

static inline size_t
cf__lane_in_hand(const struct cf__process_lane *lane)
{
    return (size_t)(lane->next - lane->oldest);
}

/* Positions in hand whose task has not been taken back. */
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

/* A failure as a worker has left it; its texts are terminated here. */
struct cf__lane_failure {
    struct cf__wire_failure wire;
    char message[CF__MESSAGE_MAX + 1], file[CF__MESSAGE_MAX + 1];
};

/* The outbox has size bytes at offset. */
static inline bool
cf__lane_has(const struct cf__process_lane *lane,
             uint64_t offset,
             uint64_t size)
{
    return size <= lane->outbox_size && offset <= lane->outbox_size - size;
}

/* Fills in the error record of a failure; its texts are failure's, which must
 * outlive it. */
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

/* The position of f in this lane; UINT64_MAX: the lane does not have f, or no
 * longer. */
uint64_t cf__lane_find(const struct cf__process_lane *lane, const cf_future *f);

/* Adds a claimed task. The worker learns of it by cf__lane_publish(). */
void cf__lane_add(struct cf__process_lane *lane,
                  cf_future *f,
                  uint64_t sequence,
                  uint32_t flags);

/* Tells the worker of the tasks that were added. */
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

/* After this, the worker rings when the task at this position ends; or it has
 * ended, and that can be seen. */
void cf__lane_expect(const struct cf__process_lane *lane, uint64_t position);

/* Tells the worker to end when its lane is empty. */
void cf__lane_quit(struct cf__process_lane *lane);

/* Wakes the worker if it says that it sleeps. always: even if it does not say
 * so, because that word may be wrong. */
void cf__lane_nudge(const struct cf__process_lane *lane, bool always);

/* Asserts that the program's account of the lane is whole. */
void cf__lane_check(const struct cf__process_lane *lane);

#endif
