/* SPDX-License-Identifier: MIT */
/*
 * cf_submit_many(): many tasks, all or none; where it pays, in pieces, so that
 * workers start with the first ones. README.md, "Many tasks in pieces". No
 * locks.
 */
#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/base/thread.h"
#include "lib/executor/argument.h"
#include "lib/executor/batch.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/inbox.h"
#include "lib/executor/pending.h"
#include "lib/executor/server.h"
#include "lib/executor/submit.h"
#include "lib/future/life.h"

#include <cfutures/error.h>

#include <string.h>

enum {
    FIRST_PIECE = 64,           /* tasks; each piece is twice the one before */
    PIECE_MAX = CF__INBOX_SLOTS /* so a piece adds one block to an inbox */
};

/* The tasks of one submit. */
struct many {
    cf_executor *ex;
    cf_task_fn *fn;
    const unsigned char *args;
    size_t arg_size, count;
    cf_future **out; /* NULL: detached */
    size_t made;     /* so many are made */
};

/* Some of its tasks that no other thread knows, linked by next. */
struct chain {
    cf_future *oldest, *newest; /* NULL: none */
    size_t count;
};

/* Makes the next count tasks. On error the chain has those that could be made.
 * The handles go to out now, because after the submit the chain is the
 * backend's. */
static cf_err
make_chain(struct many *many, size_t count, struct chain *chain)
{
    cf_executor *ex = many->ex;
    const size_t arg_size = many->arg_size;
    const unsigned char *arg = many->args;
    cf_future **out = many->out ? many->out + many->made : NULL;
    if (arg_size)
        arg += many->made * arg_size;
    *chain = (struct chain){NULL, NULL, count};
    many->made += count;
    for (size_t i = 0; i < count; i++, arg = arg ? arg + arg_size : NULL) {
        cf_future *f = cf__block_alloc();
        if (!f)
            return CF_ENOMEM;
        cf__future_init(f, ex, many->fn, ex->future_bits, out ? 2 : 1);
        if (chain->newest) /* no other thread knows it yet */
            cf_store_relaxed(&chain->newest->next, f);
        else
            chain->oldest = f;
        chain->newest = f;
        if (arg_size == 8) { /* as cf_submit() */
            memcpy(f->arg, arg, 8);
            f->arg_size = 8;
        } else {
            cf_err err = cf__future_set_arg(f, arg, arg_size);
            if (err)
                return err;
        }
        if (out)
            out[i] = f;
    }
    return CF_OK;
}

/* All tasks at once. */
static cf_err
submit_whole(struct many *many)
{
    struct chain chain;
    cf_err err = make_chain(many, many->count, &chain);
    if (!err)
        err = cf__submit_chain(
            many->ex, chain.oldest, chain.newest, chain.count, many->out);
    if (err)
        cf__chain_discard(chain.oldest, chain.newest);
    return err;
}

/* --- in pieces ------------------------------------------------------------ */

static size_t
next_piece(size_t piece, size_t left)
{
    size_t next = piece == 0              ? FIRST_PIECE
                  : 2 * piece < PIECE_MAX ? 2 * piece
                                          : PIECE_MAX;
    return next < left ? next : left;
}

static size_t
count_pieces(size_t count)
{
    size_t pieces = 0;
    for (size_t piece = 0; count > 0 && piece < PIECE_MAX; count -= piece) {
        piece = next_piece(piece, count);
        pieces++;
    }
    return pieces + (count + PIECE_MAX - 1) / PIECE_MAX;
}

/* Some of the tasks are accepted, and then the executor refuses those of a
 * chain. What it does with its other pending tasks is done with these: if it
 * cancels them, they are cancelled; if it is broken, they fail. */
static void
end_refused(cf_executor *ex, const struct chain *chain, cf_err why)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = why;
    error.message = cf_strerror(why);
    for (cf_future *f = chain->oldest, *next; f; f = next) {
        next = f == chain->newest ? NULL : cf_load_relaxed(&f->next); /* ours */
        if (why == CF_ESHUTDOWN)
            (void)cf__future_cancel_unqueued(f);
        else
            (void)cf__future_refuse(f, &error);
        cf__drop_put_off(ex, f);
    }
}

/* All memory is there. On error nothing is queued. */
static cf_err
publish(struct many *many)
{
    cf_executor *ex = many->ex;
    cf_err refused = CF_OK;
    for (size_t piece = 0; many->made < many->count;) {
        struct chain chain;
        bool first = piece == 0;
        piece = next_piece(piece, many->count - many->made);
        (void)make_chain(many, piece, &chain);
        if (!refused)
            refused =
                ex->ops->submit(ex, chain.oldest, chain.newest, chain.count);
        if (!refused)
            continue;
        if (first) {
            cf__chain_discard(chain.oldest, chain.newest);
            return refused;
        }
        end_refused(ex, &chain, refused);
    }
    return CF_OK;
}

static cf_err
submit_in_pieces(struct many *many)
{
    cf_err err = CF_ENOMEM;
    if (cf__block_reserve(many->count) &&
        cf__inbox_reserve(count_pieces(many->count))) {
        int former = cf__cancel_disable();
        err = cf__batch_enter(many->ex) ? CF_OK : CF_ESHUTDOWN;
        if (!err) {
            err = publish(many);
            cf__batch_leave(many->ex);
        }
        cf__cancel_restore(former);
    }
    cf__inbox_unreserve();
    cf__block_unreserve();
    return err;
}

/* The pieces after the first find memory and a place in the queue for certain.
 * So there is no bound, and no argument needs memory of its own. */
static bool
pays_in_pieces(const struct many *many)
{
    cf_executor *ex = many->ex;
    return many->count > FIRST_PIECE && ex->ops->queues && !ex->bound &&
           many->arg_size <= CF__INLINE_SIZE && !cf__is_own_worker(ex) &&
           !cf__thread.forking && !cf__executor_forked(ex);
}

/* count tasks are possible: for the arguments, the handles and the queue. */
static cf_err
check_batch(const cf_executor *ex, size_t arg_size, size_t count, bool handles)
{
    size_t each = sizeof(cf_future);
    if (arg_size > CF__SIZE_MAX - each || !cf__array_fits(count, arg_size) ||
        (handles && !cf__array_fits(count, sizeof(cf_future *))))
        return CF_ETOOBIG;
    if (ex->bound && cf__entry_to(ex) != CF__ENTRY_OVER &&
        count > cf__bound_capacity(ex->bound))
        return CF_ETOOBIG;
    size_t bytes;
    if (arg_size > CF__INLINE_SIZE)
        each += arg_size;
    if (!cf__size_add(0, count, each, &bytes))
        return CF_ETOOBIG;
    return cf__machine_holds(bytes) ? CF_OK : CF_ENOMEM;
}

cf_err
cf_submit_many(cf_executor *ex,
               cf_task_fn *fn,
               const void *args,
               size_t arg_size,
               size_t count,
               cf_future **out)
{
    const char *why = !ex   ? "ex is NULL"
                      : !fn ? "fn is NULL"
                      : !args && arg_size && count
                          ? "args is NULL, but arg_size and count are not 0"
                          : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (count == 0)
        return CF_OK;
    cf_err err = check_batch(ex, arg_size, count, out != NULL);
    if (err == CF_ETOOBIG)
        return err; /* out cannot be so large either */
    struct many many = {ex, fn, args, arg_size, count, out, 0};
    if (!err)
        err = pays_in_pieces(&many) ? submit_in_pieces(&many)
                                    : submit_whole(&many);
    if (err && out)
        memset(out, 0, count * sizeof *out);
    return err;
}
