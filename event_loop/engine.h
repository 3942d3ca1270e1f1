/* SPDX-License-Identifier: MIT */
/*
 * A loop's part of libuv: its uv_loop_t, a timer for the loop's own deadlines,
 * and what other threads wake it by. README.md, "Sleeping and waking". The
 * loop's thread's, but for cf__engine_send() (loop.h), which ends a sleep: the
 * loop then adds 1 to owed.
 */
#ifndef CF_EVENT_LOOP_ENGINE_H
#define CF_EVENT_LOOP_ENGINE_H

#include "event_loop/io.h"
#include "event_loop/spare.h"

struct cf__engine {
    struct cf__evloop *loop;
    uv_loop_t uv;
    uv_prepare_t prepare; /* looks whether libuv may sleep */
    uv_idle_t idle;       /* while it is active, libuv does not sleep */
    uv_async_t async;     /* other threads wake the loop by it */
    uv_poll_t timer;      /* reads timer_fd */
    int timer_fd;
    int64_t armed_at; /* when timer_fd fires; CF__NEVER: it does not */
    bool shown;       /* the program has the uv_loop_t */
    bool fresh;       /* uv has been looked at since the last turn */
    bool running;     /* inside of uv_run() */
    struct cf__io_object objects;  /* a circle */
    struct cf__watches *watches;   /* wait_fd.c. NULL: not used yet */
    struct cf__spares spares;      /* for streams */
    struct cf__extended *extended; /* what libraries have added (extend.c) */
    struct cf__signals *signals;   /* what tasks wait for (signals.c) */
    struct cf__resolver *resolver; /* NULL: no name was asked for */
    unsigned lingering; /* programs that are killed: the end waits for them */

    uint32_t owed; /* so many threads have sent or will */
    /* Atomic. Bit 0: the loop waits for senders. The rest, times 2: so many
     * have sent, and touch the engine no more. */
    _Atomic uint32_t sent;
};

/* On error *out is untouched. */
cf_err cf__engine_new(struct cf__evloop *loop, struct cf__engine **out);

/* Waits for senders, ends the objects, and closes all handles that are left,
 * the program's too. */
void cf__engine_free(struct cf__engine *engine);

/* There is something that only libuv would notice. */
bool cf__engine_is_busy(const struct cf__engine *engine);

/* Calls the callbacks that are due. */
void cf__engine_look(struct cf__engine *engine);

/* ... and if there are none, sleeps until there are, at most until deadline_ns,
 * which comes a little early if a former one was earlier. */
void cf__engine_sleep(struct cf__engine *engine, int64_t deadline_ns);

/* An event comes for libuv at that time, at the latest. */
void cf__engine_arm(struct cf__engine *engine, int64_t deadline_ns);

/* libuv has callbacks to call without an event. If it has timers, its next
 * event comes in time for them. */
bool cf__engine_is_due(struct cf__engine *engine);

#endif
