/* SPDX-License-Identifier: MIT */
/*
 * The public functions of a group: it is made, takes children, is waited for,
 * cancelled, destroyed. README.md, "Groups". The children: group_children.c.
 */
#include "lib/many/group.h"

#include "lib/base/cancel.h"
#include "lib/base/clock.h"
#include "lib/base/einval.h"
#include "lib/base/forked.h"
#include "lib/base/options.h"
#include "lib/executor/argument.h"
#include "lib/executor/submit.h"
#include "lib/executor/wait_one.h"
#include "lib/future/waiter.h"

#include <stdlib.h>

/* false: it is the parent's. Its lock may be held for ever. */
static bool
is_ours(const cf_group *group)
{
    return group->generation == cf__generation_now();
}

cf_err
cf_group_create(cf_executor *ex, const cf_group_options *opts, cf_group **out)
{
    cf_group_options options;
    if (!ex || !out)
        return cf__einval(__func__, !ex ? "ex is NULL" : "out is NULL");
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (err)
        return err;
    if ((unsigned)options.on_error > CF_ON_ERROR_KEEP_GOING)
        return cf__einval("cf_group_options", "on_error has no such value");
    cf_group *group = calloc(1, sizeof *group);
    if (!group)
        return CF_ENOMEM;
    group->ex = ex;
    group->options = options;
    group->generation = cf__generation_now();
    group->uses = 1;
    cf__list_init(&group->children);
    cf__list_init(&group->held);
    pthread_mutex_init(&group->lock, NULL); /* cannot fail on Linux */
    *out = group;
    return CF_OK;
}

/* --- submitting ----------------------------------------------------------- */

static void
child_done(cf_future *f, void *data)
{
    struct cf__child *child = data;
    (void)f;
    cf__group_ended(child);
    cf__group_release(child);
}

/* Makes a child of f, with a callback that frees it. NULL: no memory. */
static struct cf__child *
new_child(cf_group *group, cf_future *f)
{
    struct cf__child *child = calloc(1, sizeof *child);
    struct cf__callback *callback = malloc(sizeof *callback);
    if (!child || !callback) {
        free(child);
        free(callback);
        return NULL;
    }
    child->group = group;
    child->f = f;
    child->submitter = cf__group_self();
    child->uses = 2; /* the callback, and the submit */
    *callback = (struct cf__callback){.fn = child_done, .data = child};
    /* f is pending: no thread knows it yet */
    (void)cf__waiters_add_callback(f, callback);
    return child;
}

/* The submit has taken the child, or the thread has ended in it. */
static void
entered(void *data)
{
    struct cf__child *child = data;
    cf__group_entered(child, CF_OK);
    cf__group_release(child);
}

/* Submits a child that is entering. */
static cf_err
submit_entering(struct cf__child *child, cf_future **out)
{
    cf_err err;
    pthread_cleanup_push(entered, child);
    err = cf__submit_prepared(child->f, out);
    pthread_cleanup_pop(0);
    if (!err) {
        entered(child);
        return CF_OK;
    }
    cf_group *group = child->group;
    cf__group_entered(child, err);
    free(child); /* f, and the callback, are gone */
    cf__group_unref(group);
    return err;
}

static cf_err
submit_child(cf_group *group, cf_future *f, cf_future **out)
{
    struct cf__child *child = new_child(group, f);
    cf_err err = child ? cf__group_enter(group, child) : CF_ENOMEM;
    if (err) {
        cf__future_discard(f);
        free(child);
        return err;
    }
    if (child->entering)
        return submit_entering(child, out);
    if (out) /* it is held back */
        *out = f;
    cf__group_release(child);
    return CF_OK;
}

cf_err
cf_group_submit_task(cf_group *group, const cf_task *task, cf_future **out)
{
    cf_future *f;
    if (!group || !task)
        return cf__einval(__func__, !group ? "group is NULL" : "task is NULL");
    if (!is_ours(group))
        return CF_EFORKED;
    /* The queue's handle, the group's, and the user's. */
    cf_err err =
        cf__submit_prepare(group->ex, task, out ? 3 : 2, false, NULL, &f);
    if (err)
        return err;
    int former = cf__cancel_disable(); /* the submit may wait for room */
    err = submit_child(group, f, out);
    cf__cancel_restore(former);
    return err;
}

cf_err
cf_group_submit(cf_group *group,
                cf_task_fn *fn,
                const void *arg,
                size_t arg_size,
                cf_future **out)
{
    cf_task task = CF_TASK_INIT;
    task.fn = fn;
    task.arg = arg;
    task.arg_size = arg_size;
    return cf_group_submit_task(group, &task, out);
}

/* --- waiting -------------------------------------------------------------- */

/* Waits for one child after the other. firmly: also if the caller has been told
 * to stop. */
static cf_err
wait_for_all(cf_group *group, int64_t deadline_ns, bool firmly)
{
    struct cf__child *child;
    cf_err err = CF_OK;
    while (!err && (child = cf__group_first(group)) != NULL) {
        err = firmly ? cf__future_wait_firmly(child->f)
                     : cf_future_wait(child->f, cf__time_left(deadline_ns));
        if (!err)
            cf__group_ended(child); /* its callback may come later */
        cf__group_release(child);
    }
    return err;
}

static cf_err
outcome(cf_group *group)
{
    cf_err err = CF_OK;
    pthread_mutex_lock(&group->lock);
    if (group->failed)
        err = cf_future_error(group->failed)->kind;
    else if (group->canceled && group->unfinished)
        err = CF_ECANCELED;
    pthread_mutex_unlock(&group->lock);
    return err;
}

cf_err
cf_group_wait(cf_group *group, int64_t timeout_ns)
{
    if (!group || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !group ? "group is NULL" : CF__BAD_TIMEOUT);
    if (!is_ours(group))
        return CF_EFORKED;
    cf_err err = wait_for_all(group, cf__deadline(timeout_ns), false);
    if (err == CF_EINTERRUPTED) {
        cf__group_tell(group, true);
        cf_err waited = wait_for_all(group, CF__NEVER, true);
        return waited ? waited : err;
    }
    return err ? err : outcome(group);
}

const cf_error *
cf_group_error(cf_group *group)
{
    if (!group)
        return NULL;
    if (!is_ours(group)) /* one thread, and perhaps nobody to unlock */
        return group->failed ? cf_future_error(group->failed) : NULL;
    pthread_mutex_lock(&group->lock);
    cf_future *failed = group->failed;
    pthread_mutex_unlock(&group->lock);
    return failed ? cf_future_error(failed) : NULL;
}

void
cf_group_cancel(cf_group *group)
{
    if (group && is_ours(group))
        cf__group_tell(group, true);
}

void
cf_group_destroy(cf_group *group)
{
    if (!group || !is_ours(group))
        return;
    cf__group_tell(group, true);
    /* CF_EDEADLK: it is called in a child, which frees the group at its end. */
    (void)wait_for_all(group, CF__NEVER, true);
    cf__group_unref(group);
}
