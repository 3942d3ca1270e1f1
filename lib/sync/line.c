/* SPDX-License-Identifier: MIT */
/* Lines of those that wait: see line.h and README.md. */
#include "lib/sync/line.h"

#include "lib/base/contract.h"
#include "lib/base/forked.h"
#include "lib/base/observer.h"

#include <stdlib.h>
#include <string.h>

enum { WOKEN_AT_A_TIME = 32 };

static void
clear(struct cf__line *line)
{
    line->ends.next = line->ends.prev = &line->ends;
}

static void
unlink_locked(struct cf__in_line *waiting)
{
    waiting->link.next->prev = waiting->link.prev;
    waiting->link.prev->next = waiting->link.next;
}

static void
lock(struct cf__meeting *meeting)
{
    cf__notice_fork(); /* else a child would wait for a thread of its parent */
    cf__lock(&meeting->lock);
    cf__observer_acquire(meeting);
    if (__builtin_expect(meeting->generation == cf__generation, 1))
        return;
    for (int i = 0; i < CF__LINES; i++)
        clear(&meeting->lines[i]);
    meeting->generation = cf__generation;
}

static void
unlock(struct cf__meeting *meeting)
{
    cf__observer_release(meeting);
    cf__unlock(&meeting->lock);
}

void *
cf__meeting_new(size_t size)
{
    struct cf__meeting *meeting = calloc(1, size);
    if (!meeting)
        return NULL;
    atomic_init(&meeting->users, 1);
    cf__lock_init(&meeting->lock);
    meeting->generation = cf__generation_now();
    for (int i = 0; i < CF__LINES; i++)
        clear(&meeting->lines[i]);
    return meeting;
}

static void
drop(struct cf__meeting *meeting)
{
    /* pairs with the other drops: their use of the memory is over */
    if (cf_fetch_sub_acq_rel(&meeting->users, 1) == 1)
        free(meeting);
}

void
cf__meeting_enter(struct cf__meeting *meeting)
{
    /* The owner's part is there for as long as calls may begin. */
    cf_fetch_add_relaxed(&meeting->users, 1);
    lock(meeting);
}

void
cf__meeting_leave(struct cf__meeting *meeting)
{
    unlock(meeting);
    drop(meeting);
}

void
cf__meeting_destroy(struct cf__meeting *meeting, const char *waited_for)
{
    lock(meeting);
    for (int i = 0; i < CF__LINES; i++)
        cf__contract(!cf__line_first(&meeting->lines[i]), waited_for);
    cf__meeting_leave(meeting);
}

void
cf__meeting_give_way(struct cf__meeting *meeting)
{
    unlock(meeting);
    lock(meeting);
}

cf_err
cf__line_wait(struct cf__meeting *meeting,
              struct cf__line *line,
              struct cf__in_line *self,
              int64_t deadline_ns)
{
    struct cf__link *last = line->ends.prev;
    cf__sleeper_init(&self->sleeper);
    self->link.next = &line->ends;
    self->link.prev = last;
    last->next = &self->link;
    line->ends.prev = &self->link;
    unlock(meeting);
    cf_err err = cf__sleeper_wait(&self->sleeper, deadline_ns, false);
    lock(meeting); /* so the thread that has woken it is through with it */
    if (cf_load_relaxed(&self->sleeper.woken)) /* locked */
        return self->answer;
    if (self->sleeper.generation == cf__generation)
        unlink_locked(self); /* in a child it is in no line any more */
    return err;
}

void
cf__line_wake(struct cf__in_line *waiting, cf_err answer)
{
    unlink_locked(waiting);
    waiting->answer = answer;
    cf__sleeper_wake(&waiting->sleeper);
}

/* They go on in a line of this thread's: they can leave it as they would leave
 * the other one. */
void
cf__line_wake_all(struct cf__meeting *meeting,
                  struct cf__line *line,
                  cf_err answer)
{
    struct cf__in_line *first = cf__line_first(line);
    struct cf__line taken;
    if (!first)
        return;
    taken.ends = line->ends;
    taken.ends.next->prev = taken.ends.prev->next = &taken.ends;
    clear(line);
    for (int woken = 1; (first = cf__line_first(&taken)) != NULL; woken++) {
        cf__line_wake(first, answer);
        if (woken % WOKEN_AT_A_TIME == 0)
            cf__meeting_give_way(meeting);
    }
}
