/* SPDX-License-Identifier: MIT */
/*
 * What a group and its children are made of, and what the two files group*.c
 * share. README.md, "Groups", has the protocol.
 */
#ifndef CF_LIB_MANY_GROUP_H
#define CF_LIB_MANY_GROUP_H

#include <cfutures/group.h>

#include "lib/base/list.h"
#include "lib/future/future.h"

#include <pthread.h>

/* Stands for one child. Guarded by the group's lock, but group and f, which are
 * set once. */
struct cf__child {
    cf_group *group;
    cf_future *f; /* with a handle of the group */

    struct cf__link link;      /* in group->children */
    struct cf__link held_link; /* in group->held, if it is held */
    bool held;
    bool ended; /* it is in no list */

    /* Its submit has not returned: only its submitter may use f. */
    bool entering;
    const void *submitter; /* cf__group_self() of that */
    int uses;              /* its callback, and calls of the group */
};

struct cf_group {
    /* Set once. */
    cf_executor *ex;
    cf_group_options options;
    uint16_t generation; /* of the process that made it */

    pthread_mutex_t lock; /* its holder calls no code of the user */
    /* Guarded by lock. */
    struct cf__link children; /* that have not ended */
    struct cf__link held;     /* of these, those that are held back */
    struct cf__link *untold;  /* if told: it and those after it are not yet */
    size_t running;           /* children that have had their turn */
    bool told;                /* all are to stop, and there are no new ones */
    bool canceled;            /* ... by cf_group_cancel() */
    bool unfinished;          /* a child did not run to its end */
    cf_future *failed;        /* the first one that did, with a handle */
    size_t uses;              /* its owner, its children */
};

/* What code runs here: a worker, or a thread. */
const void *cf__group_self(void);

/* Links child, which has f, a new future. CF_ECANCELED: the group is told. If
 * the child is entering then, the caller submits f; else f is held back until
 * its turn, and any thread may have it. */
cf_err cf__group_enter(cf_group *group, struct cf__child *child);

/* The submit of a child that was entering has returned err. If that is not
 * CF_OK, f and the callback that child had are gone. */
void cf__group_entered(struct cf__child *child, cf_err err);

/* The first child that has not ended and is known to all, for a wait. NULL:
 * there is none. */
struct cf__child *cf__group_first(cf_group *group);

/* The future of a child is done: the first call notes how it ended. Tells its
 * siblings to stop if they are to, and starts the next ones. */
void cf__group_ended(struct cf__child *child);

/* The caller no longer uses child. */
void cf__group_release(struct cf__child *child);

/* Tells all children to stop. */
void cf__group_tell(cf_group *group, bool cancel);

/* The owner, or a child, no longer uses the group. */
void cf__group_unref(cf_group *group);

#endif
