/* SPDX-License-Identifier: MIT */
/* A counter under a mutex, and a line of threads that wait for room: see
 * bound.h and README.md. */
#include "lib/executor/bound_line.h"

#include "lib/base/assert.h"
#include "lib/base/clock.h"
#include "lib/base/cond.h"
#include "lib/base/forked.h"

#include <stdlib.h>

struct cf__bound *
cf__bound_new(size_t capacity, cf_queue_policy policy)
{
    struct cf__bound *bound = calloc(1, sizeof *bound);
    if (!bound)
        return NULL;
    bound->capacity = capacity;
    bound->policy = policy;
    pthread_mutex_init(&bound->lock, NULL); /* cannot fail on Linux */
    cf__cond_init(&bound->left);
    bound->end = &bound->first;
    return bound;
}

void
cf__bound_free(struct cf__bound *bound)
{
    if (!bound)
        return;
    /* A thread that was refused may still be on its way out. */
    pthread_mutex_lock(&bound->lock);
    while (bound->inside)
        (void)cf__cond_wait(&bound->left, &bound->lock, CF__NEVER);
    pthread_mutex_unlock(&bound->lock);
    pthread_cond_destroy(&bound->left);
    pthread_mutex_destroy(&bound->lock);
    free(bound);
}

static bool
fits_locked(const struct cf__bound *bound, size_t count)
{
    return bound->pending <= bound->capacity &&
           count <= bound->capacity - bound->pending;
}

static void
call_first_locked(struct cf__bound *bound)
{
    struct cf__waiting *first = bound->first;
    bound->first = first->next;
    if (!bound->first)
        bound->end = &bound->first;
    first->called = true;
    if (first->parks)
        cf__sleeper_wake(&first->sleeper);
    else
        pthread_cond_signal(&first->turn);
}

/* As soon as there is enough room for the first of the line, it gets that room:
 * no other thread can take it from then on. */
static void
hand_out_room_locked(struct cf__bound *bound)
{
    while (bound->first && fits_locked(bound, bound->first->count)) {
        bound->pending += bound->first->count;
        call_first_locked(bound);
    }
}

static void
go_on_locked(struct cf__waiting *self)
{
    pthread_cond_destroy(&self->turn);
    if (--self->bound->inside == 0)
        pthread_cond_signal(&self->bound->left);
}

/* Leaves the line, or gives back what it was handed. */
static void
renounce_locked(struct cf__waiting *self)
{
    struct cf__bound *bound = self->bound;
    if (!self->called) {
        struct cf__waiting **at = &bound->first;
        while (*at != self)
            at = &(*at)->next;
        *at = self->next;
        if (!self->next)
            bound->end = at;
    } else if (!self->refused) {
        bound->pending -= self->count;
    }
    hand_out_room_locked(bound);
}

/* The thread is cancelled in the line, or after it was called. */
static void
give_up_locked(void *waiting)
{
    struct cf__waiting *self = waiting;
    struct cf__bound *bound = self->bound;
    renounce_locked(self);
    go_on_locked(self);
    pthread_mutex_unlock(&bound->lock);
}

static enum cf__bound_answer
refuse(cf_err err, cf_err *why)
{
    *why = err;
    return CF__BOUND_REFUSED;
}

/* In a task, or in a scope: until it is called, or told to stop. */
static void
park_locked(struct cf__bound *bound, struct cf__waiting *self, bool firmly)
{
    pthread_mutex_unlock(&bound->lock);
    cf_err err = cf__sleeper_wait(&self->sleeper, CF__NEVER, firmly);
    cf__notice_fork();
    pthread_mutex_lock(&bound->lock); /* so whoever calls it is through */
    if (self->called)
        return;
    if (self->sleeper.generation == cf__generation) /* else it is in no line */
        renounce_locked(self);
    self->refused = err;
}

/* Waits for room, and takes it. */
static enum cf__bound_answer
stand_in_line_locked(struct cf__bound *bound,
                     size_t count,
                     bool firmly,
                     cf_err *why)
{
    struct cf__waiting self = {.bound = bound, .count = count};
    cf__cond_init(&self.turn);
    cf__sleeper_init(&self.sleeper);
    self.parks = self.sleeper.worker != NULL;
    *bound->end = &self;
    bound->end = &self.next;
    bound->inside++;
    if (self.parks)
        park_locked(bound, &self, firmly);
    while (!self.parks && !self.called)
        (void)cf__cond_wait_or_end(
            &self.turn, &bound->lock, CF__NEVER, give_up_locked, &self);
    go_on_locked(&self);
    return self.refused ? refuse(self.refused, why) : CF__BOUND_ROOM;
}

static enum cf__bound_answer
take_room_locked(struct cf__bound *bound,
                 size_t count,
                 enum cf__entry entry,
                 cf_err *why)
{
    if (bound->closed)
        return refuse(bound->closed, why);
    if (entry != CF__ENTRY_OVER) {
        if (count > bound->capacity)
            return refuse(CF_ETOOBIG, why);
        if (bound->first || !fits_locked(bound, count)) {
            if (bound->policy == CF_QUEUE_REJECT)
                return refuse(CF_EAGAIN, why);
            if (entry != CF__ENTRY_AT_ONCE) {
                bool firmly = entry == CF__ENTRY_FIRMLY;
                return bound->policy == CF_QUEUE_CALLER_RUNS
                           ? CF__BOUND_CALLER_RUNS
                           : stand_in_line_locked(bound, count, firmly, why);
            }
        }
    }
    bound->pending += count;
    return CF__BOUND_ROOM;
}

enum cf__bound_answer
cf__bound_acquire(struct cf__bound *bound,
                  size_t count,
                  enum cf__entry entry,
                  cf_err *why)
{
    cf__notice_fork();
    pthread_mutex_lock(&bound->lock);
    enum cf__bound_answer answer = take_room_locked(bound, count, entry, why);
    pthread_mutex_unlock(&bound->lock);
    return answer;
}

bool
cf__bound_is_full(struct cf__bound *bound)
{
    cf__notice_fork();
    pthread_mutex_lock(&bound->lock);
    bool full = !bound->closed && bound->policy != CF_QUEUE_REJECT &&
                (bound->first || !fits_locked(bound, 1));
    pthread_mutex_unlock(&bound->lock);
    return full;
}

void
cf__bound_take_back(struct cf__bound *bound)
{
    pthread_mutex_lock(&bound->lock);
    bound->pending++;
    pthread_mutex_unlock(&bound->lock);
}

size_t
cf__bound_capacity(const struct cf__bound *bound)
{
    return bound->capacity;
}

void
cf__bound_release(struct cf__bound *bound, size_t count)
{
    pthread_mutex_lock(&bound->lock);
    cf__assert(count <= bound->pending);
    bound->pending -= count;
    hand_out_room_locked(bound);
    pthread_mutex_unlock(&bound->lock);
}

size_t
cf__bound_pending(struct cf__bound *bound)
{
    pthread_mutex_lock(&bound->lock);
    size_t pending = bound->pending;
    pthread_mutex_unlock(&bound->lock);
    return pending;
}

void
cf__bound_close(struct cf__bound *bound, cf_err why)
{
    pthread_mutex_lock(&bound->lock);
    bound->closed = why;
    while (bound->first) {
        bound->first->refused = why;
        call_first_locked(bound);
    }
    pthread_mutex_unlock(&bound->lock);
}

void
cf__bound_check(struct cf__bound *bound)
{
#ifdef CF_ASSERTIONS
    size_t length = 0;
    struct cf__waiting **end = &bound->first;
    pthread_mutex_lock(&bound->lock);
    cf__assert(bound->pending <= SIZE_MAX / 2); /* it never was below 0 */
    for (; *end; end = &(*end)->next) {
        cf__assert((*end)->bound == bound && !(*end)->called);
        cf__assert((*end)->count - 1 < bound->capacity);
        length++;
    }
    cf__assert(end == bound->end && length <= bound->inside);
    if (length > 0) { /* else it would have its room, or be refused */
        cf__assert(bound->policy == CF_QUEUE_BLOCK && !bound->closed);
        cf__assert(!fits_locked(bound, bound->first->count));
    }
    pthread_mutex_unlock(&bound->lock);
#else
    (void)bound;
#endif
}

void
cf__bound_after_fork(struct cf__bound *bound)
{
    pthread_mutex_init(&bound->lock, NULL);
    cf__cond_init(&bound->left);
    bound->closed = CF_EFORKED;
    bound->first = NULL; /* the line is of threads that are not here */
    bound->end = &bound->first;
    bound->inside = 0;
}
