/* SPDX-License-Identifier: MIT */
/*
 * A worker process: see worker.h, and README.md for the protocol of its lane.
 * It believes what the program has written. It checks its own side of the lane,
 * which a task may have overwritten.
 */
#include "process_pool/worker/worker.h"

#include "lib/base/clock.h"
#include "lib/base/prefetch.h"
#include "lib/base/spin.h"
#include "lib/executor/inline.h"
#include "lib/future/failure.h"
#include "process_pool/worker/home.h"
#include "process_pool/worker/limits.h"
#include "process_pool/worker/outbox.h"
#include "process_pool/worker/output.h"
#include "process_pool/worker/rseq.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* As long as a wake-up takes on a quick machine. More orders may come
 * meanwhile: the program hands out several together (submit.c). */
enum { SEARCH_NS = CF__US(50) };

void (*cf__worker_probe)(enum cf__moment moment, int lane);

struct worker {
    const struct cf__worker_setup *setup;
    int lane;
    pid_t pid, zygote; /* this process, and its parent */
    uint64_t position; /* of the next order */
    struct cf__lane_in *in;
    struct cf__lane_out *out;
    void *data;                   /* what the initializer left */
    const _Atomic uint32_t *home; /* 0: this process is a child of a task
                                     (home.h) */
    struct cf__bells bells;
    struct cf__outbox outbox;
};

static inline void
probe(const struct worker *w, enum cf__moment moment)
{
    if (__builtin_expect(cf__worker_probe != NULL, 0))
        cf__worker_probe(moment, w->lane);
}

void
cf__worker_name(const struct cf__worker_setup *setup, const char *suffix)
{
    char name[CF__PROCESS_NAME_SIZE];
    size_t room = sizeof name - 2 - strnlen(suffix, sizeof name - 3);
    size_t length = strnlen(setup->name_prefix, room);
    memcpy(name, setup->name_prefix, length);
    name[length] = '_';
    memcpy(name + length + 1, suffix, sizeof name - 2 - room + 1);
    name[sizeof name - 1] = '\0';
    (void)prctl(PR_SET_NAME, name);
}

static void
name_worker(const struct worker *w)
{
    char digits[8], *at = digits + sizeof digits - 1;
    int n = w->lane;
    *at = '\0';
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    cf__worker_name(w->setup, at);
}

/* Keeps the worker tied to the zygote, whose child it is and with which it
 * dies: a change of user, in a task or the initializer, takes the death signal
 * away. If this is a child of vfork() that has returned from a task, in its
 * parent's memory, ends both. */
static void
stay_tied(const struct worker *w)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == w->zygote)
        return;
    if (getpid() != w->pid)
        (void)kill(w->pid, SIGKILL);
    _exit(CF__EXIT_DONE);
}

/* Looks for a while whether the order at w->position is there. */
static bool
look(const struct worker *w)
{
    struct cf__search so_far = {0};
    /* pairs with cf__lane_publish: the order is whole */
    while (cf_load_acquire(&w->in->published) == w->position)
        if (!cf__search_on(&so_far, SEARCH_NS))
            return false;
    return true;
}

/* There is something to do, or nothing more will come. */
static bool
must_rise(void *worker)
{
    const struct worker *w = worker;
    return cf_load_acquire(&w->in->published) != w->position || /* as in look */
           cf_load_acquire(&w->in->quit); /* pairs with cf__lane_quit */
}

/* Waits for the order at w->position; false: the worker must end. */
static bool
await_order(struct worker *w)
{
    while (!look(w)) {
        /* A hint: the manager looks for itself. */
        if (cf_load_relaxed(&w->in->collected) != w->position)
            cf__bells_ring(&w->bells);
        stay_tied(w);
        cf__output_flush();
        probe(w, CF__BEFORE_SLEEP);
        cf__bells_sleep(&w->bells, must_rise, w);
        /* as in look */
        if (cf_load_acquire(&w->in->published) == w->position &&
            cf_load_acquire(&w->in->quit)) /* pairs with cf__lane_quit */
            return false;
    }
    return true;
}

/* Takes the order at this position for this worker; false: it has been revoked,
 * and is skipped. */
static inline bool
take(const struct worker *w, struct cf__outcome *outcome)
{
    uint64_t p = w->position;
    uint64_t state = cf_load_relaxed(&outcome->state); /* the swap checks it */
    /* pairs with cf__lane_revoke: one of both gets the task */
    if (cf__is_untaken(state, p) &&
        cf_cas_acq_rel(
            &outcome->state, &state, cf__position_state(p, CF__TAKEN)))
        return true;
    if (state != cf__position_state(p, CF__REVOKED))
        _exit(CF__EXIT_CORRUPT);
    cf_store_release(&outcome->state, cf__position_state(p, CF__DONE));
    return false;
}

/* A result in place is written to `result` first. A child of the task, which
 * may have a result too, has a copy of that, but shares the lane. */
static inline void
run(struct worker *w, const struct cf__order *order, struct cf__outcome *out)
{
    _Alignas(16) unsigned char result[CF__INLINE_SIZE];
    struct cf_call call = {.executor = w->setup->nested,
                           .worker = w->lane,
                           .worker_data = w->data,
                           .stop = &order->flags,
                           .alloc = cf__outbox_alloc,
                           .home = w->home};
    cf__call_begin(&call, result, sizeof result);
    w->outbox.kind = CF__IN_PLACE;
    const void *arg = order->data || !order->size ? order->data : order->arg;
    int rc = order->fn(&call, arg, order->size);
    cf__scopes_expect_none();
    cf__call_returned(&call, rc);
    memcpy(out->data, result, sizeof result);
    if (__builtin_expect(rc || call.failure || call.heap, 0)) {
        cf__outbox_write_outcome(&w->outbox, &call, rc, out);
    } else {
        /* published by the state */
        cf_store_relaxed(&out->size, call.result_size);
        cf_store_relaxed(&out->kind, CF__IN_PLACE);
    }
}

/* Runs the order at w->position; false: it has been revoked. */
static inline bool
run_next(struct worker *w)
{
    size_t slot = w->position % CF__LANE, soon = (slot + CF__AHEAD) % CF__LANE;
    struct cf__outcome *outcome = &w->out->outcomes[slot];
    const struct cf__order *order = &w->in->orders[slot];
    /* A hint. An order that the program has still to write stays with it. */
    if (cf_load_relaxed(&w->in->published) - w->position > CF__AHEAD)
        __builtin_prefetch(&w->in->orders[soon]);
    cf__prefetch_to_write(&w->out->outcomes[soon]);
    probe(w, CF__BEFORE_TAKING);
    if (__builtin_expect(cf_load_relaxed(&order->flags) & CF__ORDER_TIMED, 0))
        /* published by take */
        cf_store_relaxed(&outcome->offset, (uint64_t)cf__now_ns());
    if (!take(w, outcome))
        return false;
    probe(w, CF__AFTER_TAKING);
    run(w, order, outcome);
    probe(w, CF__BEFORE_DONE);
    /* pairs with cf__processes_collect: publishes the outcome. It comes before
     * the flags are read, as cf__lane_expect sets them before it reads the
     * state. */
    cf_store_seq_cst(&outcome->state,
                     cf__position_state(w->position, CF__DONE));
    probe(w, CF__AFTER_DONE);
    if (__builtin_expect(
            cf_load_seq_cst(&order->flags) & CF__ORDER_NOTIFY ||
                cf_load_seq_cst(&w->setup->shared->board->notify_all),
            0))
        cf__bells_ring(&w->bells);
    return true;
}

/* Calls the initializer; if that fails, ends the worker. */
static void
initialize(struct worker *w)
{
    const cf_process_pool_options *options = &w->setup->options;
    if (options->initializer) {
        struct cf_call call = {.worker = w->lane, .home = w->home};
        int rc = cf__call_initializer(
            &call, options->initializer, options->init_data, &w->data);
        cf__call_returned(&call, rc);
        if (rc) {
            cf__outbox_write_init_failure(&w->outbox, &call, rc);
            cf__output_flush();
            _exit(CF__EXIT_INITIALIZER);
        }
        cf__failure_free(call.failure);
    }
    cf__inline_enter_worker(w->setup->nested, w->lane, w->data, w->home);
}

_Noreturn static void
finish(struct worker *w)
{
    const cf_process_pool_options *options = &w->setup->options;
    stay_tied(w);
    if (options->finalizer)
        options->finalizer(options->init_data, w->data);
    if (cf_load_relaxed(w->home)) /* not in a child of the finalizer */
        cf__output_flush();
    _exit(CF__EXIT_DONE);
}

/* Runs orders until the worker must end, or has run its number of tasks. */
static void
work(struct worker *w)
{
    size_t left = w->setup->options.max_tasks_per_worker;
    while (await_order(w)) {
        bool ran = run_next(w);
        w->position++;
        cf__outbox_next(&w->outbox);
        if (ran && left && --left == 0)
            break;
    }
}

/* Called by pthread_exit() in a task: ends the process, whatever threads it
 * has. */
static void
end_with_thread(void *worker)
{
    const struct worker *w = worker;
    if (cf_load_relaxed(w->home)) /* not in a child of the task */
        cf__output_flush();
    _exit(CF__EXIT_DONE); /* its position says that a task ran */
}

_Noreturn void
cf__worker_main(const struct cf__worker_setup *setup, int lane, uint64_t start)
{
    struct worker w = {.setup = setup,
                       .lane = lane,
                       .pid = getpid(),
                       .zygote = getppid(),
                       .position = start};
    cf__rseq_renew();
    name_worker(&w);
    w.home = cf__home_enter();
    if (!cf__shared_enter_lane(setup->shared, lane) ||
        !cf__limit_memory(setup->options.memory_limit))
        _exit(CF__EXIT_CORRUPT);
    w.in = cf__shared_lane_in(setup->shared, lane);
    w.out = cf__shared_lane_out(setup->shared, lane);
    w.bells = (struct cf__bells){setup->shared, w.in, w.out, 0};
    cf__outbox_init(&w.outbox, &w.bells, w.home, lane, start);
    cf_store_relaxed(&w.out->pid, w.pid); /* for error records */
    /* What the worker before has left. The program reads it when this one is
     * dead. */
    cf_store_relaxed(&w.out->asleep, 0);
    cf_store_relaxed(&w.out->ready, 0);
    cf_store_relaxed(&w.out->init_failure, 0);
    cf_store_relaxed(&w.out->crash_signal, 0);
    pthread_cleanup_push(end_with_thread, &w);
    initialize(&w);
    stay_tied(&w);
    /* the program reads it when this worker is dead */
    cf_store_relaxed(&w.out->ready, 1);
    work(&w);
    finish(&w);
    pthread_cleanup_pop(0);
}
