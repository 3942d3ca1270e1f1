/* SPDX-License-Identifier: MIT */
/* The end of a deferred task's wait: see settle.h. No locks: of several threads
 * that end one wait, the one whose swap of the word succeeds does it. */
#include "lib/executor/settle.h"

#include "lib/executor/argument.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/pending.h"
#include "lib/executor/remote.h"
#include "lib/future/failure.h"
#include "lib/future/life.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

/* --- what a task says that failed because of an input --------------------- */

struct text {
    char bytes[CF__MESSAGE_MAX + 1];
    size_t length;
};

static void append(struct text *text, const char *format, ...) CF_PRINTF(2, 3);

static void
append(struct text *text, const char *format, ...)
{
    const size_t room = sizeof text->bytes - text->length;
    va_list args;
    va_start(args, format);
    int more = vsnprintf(text->bytes + text->length, room, format, args);
    va_end(args);
    if (more > 0)
        text->length += (size_t)more < room ? (size_t)more : room - 1;
}

/* "input 'compile'", or "input 3", as d counts them from 0. */
static void
append_input(struct text *text,
             const struct cf__deferred *d,
             const struct cf__input *input)
{
    const struct cf__attributes *attributes = input->f->attributes;
    if (attributes && attributes->name)
        append(text, "input '%s'", attributes->name);
    else
        append(text, "input %zu", (size_t)(input - d->inputs));
}

/* The input's error, but for the message. Returns where the cause begins in
 * text: if the input did not run either, it is that one's cause, so that the
 * text does not grow along a chain. */
static size_t
describe(const struct cf__deferred *d,
         const struct cf__input *input,
         struct text *text,
         cf_error *error)
{
    const cf_error *its = cf_future_error(input->f);
    const struct cf__attributes *attributes = input->f->attributes;
    const char *cause = attributes && its ? attributes->skipped : NULL;
    text->length = 0;
    if (its)
        *error = *its;
    else
        error->kind = CF_ECANCELED;
    error->message = text->bytes;
    append(text, "not run%s ", cause ? ", as" : ":");
    size_t begin = text->length;
    append_input(text, d, input);
    if (!its) {
        append(text, " was cancelled");
    } else if (!cause) {
        append(text, " failed: %s", cf_future_message(input->f));
    } else {
        append(text, " was not: ");
        begin = text->length;
        append(text, "%s", cause);
    }
    return begin;
}

/* --- the end of the wait -------------------------------------------------- */

/*
 * Fails the task, unless it has been cancelled, or runs. queued: it waits no
 * more, but the executor did not take it. d is pinned. Callbacks, and the
 * user's arg_free(), come last: they may destroy the executor, which waits for
 * the unpin.
 */
static void
fail(struct cf__deferred *d, const cf_error *error, size_t cause, bool queued)
{
    cf_future *f = d->f;
    cf_executor *ex = f->executor;
    bool mine = queued ? cf__future_claim_word(f, -1)
                       : cf__deferred_take(f, CF_RUNNING);
    /* Before that, another thread may end the wait, and write to f. */
    const bool users = mine && cf__future_arg_is_users(f);
    if (mine) {
        const cf_error *record = cf__failure_new(error);
        (void)cf__executor_never_ran(ex, f, queued);
        if (!users) /* perhaps the executor's memory */
            cf__future_release_arg(f);
        if (cause && *record->message)
            f->attributes->skipped = record->message + cause;
        cf__future_store_error(f, record);
    }
    if (queued)
        cf__drop_put_off(ex, f);
    if (mine || queued)
        cf__deferred_end(d, queued);
    cf__deferred_unpin(d);
    if (mine) {
        if (users)
            cf__future_release_arg(f);
        (void)cf__future_finish(f, CF__FAILED, 0, false);
    }
}

/* The executor refuses the task. */
static void
fail_refused(struct cf__deferred *d, cf_err kind, bool queued)
{
    cf_error error = CF_ERROR_INIT;
    error.kind = kind;
    error.message = kind == CF_ESHUTDOWN
                        ? "the executor was shut down before it could begin"
                        : "the executor did not take it when it could begin";
    fail(d, &error, 0, queued);
}

static void
fail_skipped(struct cf__deferred *d, const struct cf__input *input)
{
    struct text text;
    cf_error error = CF_ERROR_INIT;
    size_t cause = describe(d, input, &text, &error);
    fail(d, &error, cause, false);
}

static void
leave(void *deferred)
{
    struct cf__deferred *d = deferred;
    cf__deferred_end(d, true);
    cf__deferred_unpin(d);
    cf__deferred_unref(d);
}

/* Gives the task to the executor, over the bound: it was accepted long ago. */
static void
submit(struct cf__deferred *d)
{
    cf_future *f = d->f;
    cf_executor *ex = f->executor;
    cf_err err = CF_OK;
    if (ex->bound && cf__bound_acquire(ex->bound, 1, CF__ENTRY_OVER, &err) ==
                         CF__BOUND_REFUSED) {
        fail_refused(d, err, false);
        cf__deferred_unref(d);
        return;
    }
    if (!cf__deferred_take(f, CF_PENDING)) {
        if (ex->bound)
            cf__bound_release(ex->bound, 1);
        cf__deferred_unpin(d);
        cf__deferred_unref(d);
        return;
    }
    /* On the inline executor the task runs here, and may end the thread. */
    pthread_cleanup_push(leave, d);
    err = ex->ops->submit(ex, f, f, 1);
    pthread_cleanup_pop(0);
    if (err) {
        fail_refused(d, err, true);
        cf__deferred_unref(d);
    } else {
        cf__remote_expect(f);
        leave(d);
    }
}

void
cf__settle(struct cf__deferred *d)
{
    /* A callback may be due in a fork's child, too. */
    if (d->f->generation != cf__generation_now() ||
        !cf__deferred_pin(d, true)) {
        cf__deferred_unref(d);
        return;
    }
    struct cf__input *input = cf_load_acquire(&d->failed); /* input_done */
    if (!input) {
        submit(d);
        return;
    }
    fail_skipped(d, input);
    cf__deferred_unref(d);
}

void
cf__settle_closed(struct cf__deferred *d, bool cancel)
{
    if (cancel)
        (void)cf__future_cancel_now(d->f);
    else if (cf__deferred_pin(d, false))
        fail_refused(d, CF_ESHUTDOWN, false);
    cf__deferred_unref(d);
}
