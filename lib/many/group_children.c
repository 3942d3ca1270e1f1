/* SPDX-License-Identifier: MIT */
/*
 * The children of a group: they enter, are held back, end, and are told to
 * stop. README.md, "Groups", has the protocol. group->lock guards what
 * group.h says.
 */
#include "lib/many/group.h"

#include "lib/base/thread.h"
#include "lib/executor/caller_run.h"
#include "lib/executor/pending.h"
#include "lib/executor/remote.h"
#include "lib/executor/submit.h"

#include <stdlib.h>

const void *
cf__group_self(void)
{
    struct cf__worker *worker = cf__thread.worker;
    return worker ? (const void *)worker : &cf__thread;
}

/* --- lists ---------------------------------------------------------------- */

static struct cf__child *
child_of(struct cf__link *link)
{
    return CF__LINK_OWNER(link, struct cf__child, link);
}

static void
unlink_locked(cf_group *group, struct cf__child *child)
{
    if (group->untold == &child->link)
        group->untold = child->link.next;
    cf__list_take_out(&child->link);
    child->ended = true;
}

static void
hold_locked(cf_group *group, struct cf__child *child)
{
    child->held = true;
    cf__list_append(&group->held, &child->held_link);
}

static void
let_go_locked(struct cf__child *child)
{
    child->held = false;
    cf__list_take_out(&child->held_link);
}

static bool
is_full_locked(const cf_group *group)
{
    const size_t most = group->options.max_running;
    return most && group->running >= most;
}

/* --- lives ---------------------------------------------------------------- */

void
cf__group_unref(cf_group *group)
{
    pthread_mutex_lock(&group->lock);
    bool last = --group->uses == 0;
    pthread_mutex_unlock(&group->lock);
    if (!last)
        return;
    cf_future_unref(group->failed);
    pthread_mutex_destroy(&group->lock);
    free(group);
}

void
cf__group_release(struct cf__child *child)
{
    cf_group *group = child->group;
    pthread_mutex_lock(&group->lock);
    bool last = --child->uses == 0;
    pthread_mutex_unlock(&group->lock);
    if (!last)
        return;
    cf_future_unref(child->f);
    free(child);
    cf__group_unref(group);
}

struct cf__child *
cf__group_first(cf_group *group)
{
    pthread_mutex_lock(&group->lock);
    struct cf__link *at = group->children.next;
    while (at != &group->children && child_of(at)->entering)
        at = at->next;
    struct cf__child *child = at != &group->children ? child_of(at) : NULL;
    if (child)
        child->uses++;
    pthread_mutex_unlock(&group->lock);
    return child;
}

/* --- telling -------------------------------------------------------------- */

/* A child that is entering is its submitter's. If that is this code, the child
 * may run on this stack: inside of its submit. */
static bool
can_be_told_locked(const struct cf__child *child)
{
    return !child->entering ||
           (child->submitter == cf__group_self() &&
            cf__state(cf_load_relaxed(&child->f->word)) == CF_RUNNING);
}

/* The next child to tell. told: this thread has just told it; NULL: none. */
static struct cf__child *
next_untold(cf_group *group, struct cf__child *told)
{
    pthread_mutex_lock(&group->lock);
    struct cf__link *at = group->untold;
    if (told && at == &told->link)
        at = at->next;
    while (at != &group->children && !can_be_told_locked(child_of(at)))
        at = at->next;
    group->untold = at;
    struct cf__child *child = at != &group->children ? child_of(at) : NULL;
    if (child)
        child->uses++;
    pthread_mutex_unlock(&group->lock);
    return child;
}

static void
tell_all(cf_group *group)
{
    struct cf__child *child = next_untold(group, NULL);
    while (child) {
        (void)cf_future_interrupt(child->f);
        struct cf__child *next = next_untold(group, child);
        cf__group_release(child);
        child = next;
    }
}

static bool
is_to_tell_locked(const cf_group *group)
{
    return group->told && group->untold != &group->children;
}

static void
begin_telling_locked(cf_group *group)
{
    if (group->told)
        return;
    group->told = true;
    group->untold = group->children.next;
}

void
cf__group_tell(cf_group *group, bool cancel)
{
    pthread_mutex_lock(&group->lock);
    begin_telling_locked(group);
    if (cancel)
        group->canceled = true;
    pthread_mutex_unlock(&group->lock);
    tell_all(group);
}

/* --- entering ------------------------------------------------------------- */

cf_err
cf__group_enter(cf_group *group, struct cf__child *child)
{
    cf_err err = CF_OK;
    pthread_mutex_lock(&group->lock);
    bool hold = is_full_locked(group);
    if (group->told)
        err = CF_ECANCELED;
    else if (hold)
        err = cf__submit_hold(child->f); /* before another thread can see it */
    if (!err) {
        cf__list_append(&group->children, &child->link);
        group->uses++;
        if (hold) {
            hold_locked(group, child);
        } else {
            child->entering = true;
            group->running++;
        }
    }
    pthread_mutex_unlock(&group->lock);
    return err;
}

/* The next child whose turn has come. NULL: there is none. */
static struct cf__child *
take_turn(cf_group *group)
{
    pthread_mutex_lock(&group->lock);
    struct cf__child *child = NULL;
    if (!group->told && !is_full_locked(group) &&
        !cf__list_is_empty(&group->held)) {
        child = CF__LINK_OWNER(group->held.next, struct cf__child, held_link);
        let_go_locked(child);
        group->running++;
        child->uses++;
    }
    pthread_mutex_unlock(&group->lock);
    return child;
}

/* Gives those whose turn has come to the executor. What it refuses fails. */
static void
take_turns(cf_group *group)
{
    for (struct cf__child *child; (child = take_turn(group)) != NULL;) {
        cf_err err = cf__submit_held(child->f);
        if (err) {
            cf_error error = CF_ERROR_INIT;
            error.kind = err;
            error.message = "the executor did not take it when its turn came";
            (void)cf__future_refuse(child->f, &error);
            cf__drop_put_off(group->ex, child->f);
        } else {
            cf__remote_expect(child->f);
        }
        cf__group_release(child);
    }
}

void
cf__group_entered(struct cf__child *child, cf_err err)
{
    cf_group *group = child->group;
    pthread_mutex_lock(&group->lock);
    child->entering = false;
    bool tell = !err && group->told && !child->ended;
    if (err) {
        unlink_locked(group, child);
        group->running--;
    }
    pthread_mutex_unlock(&group->lock);
    if (err) {
        take_turns(group);
        return;
    }
    cf__remote_expect(child->f);
    if (tell)
        (void)cf_future_interrupt(child->f);
}

/* --- ending --------------------------------------------------------------- */

static void
note_outcome_locked(cf_group *group, cf_future *f)
{
    const cf_error *error = cf_future_error(f);
    if (cf_future_state(f) == CF_CANCELED ||
        (error && error->kind == CF_ECANCELED)) {
        group->unfinished = true;
        return;
    }
    if (!error || group->failed)
        return;
    group->failed = cf_future_ref(f);
    if (group->options.on_error == CF_ON_ERROR_CANCEL)
        begin_telling_locked(group);
}

void
cf__group_ended(struct cf__child *child)
{
    cf_group *group = child->group;
    bool put_off = false;
    pthread_mutex_lock(&group->lock);
    if (!child->ended) {
        put_off = child->held;
        if (put_off)
            let_go_locked(child);
        else
            group->running--;
        unlink_locked(group, child);
        note_outcome_locked(group, child->f);
    }
    bool tell = is_to_tell_locked(group); /* another thread may be at it */
    pthread_mutex_unlock(&group->lock);
    if (put_off)
        cf__drop_put_off(group->ex, child->f);
    if (tell)
        tell_all(group);
    take_turns(group);
}
