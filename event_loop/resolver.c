/* SPDX-License-Identifier: MIT */
/*
 * The threads that ask the system for names: see resolver.h. The resolver's
 * lock guards all of it that the loop's thread and the asking ones share.
 */
#include "event_loop/resolver.h"

#include "event_loop/engine.h"

#include "lib/base/helper_thread.h"
#include "lib/base/list.h"
#include "lib/base/origin.h"

#include <cfutures/future.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Of a task, which waits for it; or of the thread that asks it, if the task has
 * dropped it. Guarded by the lock: link, asked, answered, dropped. */
struct question {
    struct cf__link link; /* in resolver->queued or resolver->asked */
    bool asked;           /* by a thread */
    bool answered;        /* that thread touches it no more */
    bool dropped;         /* no task wants the answer */
    cf_future *told; /* is completed after the answer. The task has a handle,
                         and so has the thread, or the queue before it */
    struct addrinfo hints;
    struct addrinfo *answer;
    int status, error; /* of getaddrinfo(), and errno after it */
    const char *host, *service;
    char texts[]; /* both */
};

struct cf__resolver {
    struct cf__io_object object; /* the loop's thread's */
    struct cf__origin origin;    /* set once; of the threads */
    pthread_mutex_t lock;
    struct cf__link queued; /* the oldest first */
    struct cf__link asked;  /* and those that were answered and not yet taken */
    unsigned threads;
    bool ended; /* the loop has ended: the last thread frees all */
};

/* --- questions ------------------------------------------------------------ */

static struct question *
question_of(struct cf__link *link)
{
    return CF__LINK_OWNER(link, struct question, link);
}

static const char *
copy_text(char **room, const char *text)
{
    if (!text)
        return NULL;
    char *copy = *room;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *room += size;
    return copy;
}

/* NULL: no memory. */
static struct question *
new_question(const char *host, const char *service, int socket_type)
{
    size_t size = strlen(host) + 1 + (service ? strlen(service) + 1 : 0);
    struct question *q = calloc(1, sizeof *q + size);
    if (!q)
        return NULL;
    if (cf_future_create(&q->told)) {
        free(q);
        return NULL;
    }
    (void)cf_future_ref(q->told);
    char *room = q->texts;
    q->host = copy_text(&room, host);
    q->service = copy_text(&room, service);
    q->hints.ai_socktype = socket_type;
    q->hints.ai_flags = AI_IDN;
    return q;
}

/* It is in no circle any more. The handle told is the caller's matter. */
static void
free_question(struct question *q)
{
    if (q->answer)
        freeaddrinfo(q->answer);
    free(q);
}

/* --- threads that ask ----------------------------------------------------- */

static void
free_resolver(struct cf__resolver *r)
{
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* The next question to ask; NULL: there is none, and the thread is counted no
 * more. *last: it was the last one that used the resolver. */
static struct question *
take_question(struct cf__resolver *r, bool *last)
{
    struct question *q = NULL;
    pthread_mutex_lock(&r->lock);
    if (!cf__list_is_empty(&r->queued)) {
        q = question_of(r->queued.next);
        cf__list_take_out(&q->link);
        cf__list_append(&r->asked, &q->link);
        q->asked = true;
    } else {
        r->threads--;
    }
    *last = !q && r->ended && r->threads == 0;
    pthread_mutex_unlock(&r->lock);
    return q;
}

static void
answer_question(struct cf__resolver *r, struct question *q)
{
    cf_future *told = q->told;
    struct addrinfo *answer = NULL;
    errno = 0;
    int status = getaddrinfo(q->host, q->service, &q->hints, &answer);
    int error = errno;
    pthread_mutex_lock(&r->lock);
    q->answer = status ? NULL : answer;
    q->status = status;
    q->error = error;
    q->answered = true;
    bool dropped = q->dropped;
    if (dropped)
        cf__list_take_out(&q->link);
    pthread_mutex_unlock(&r->lock);
    if (dropped)
        free_question(q);
    else /* q is the task's */
        (void)cf_future_set_result(told, NULL, 0);
    cf_future_unref(told);
}

static void *
ask_all(void *arg)
{
    struct cf__resolver *r = arg;
    struct question *q;
    bool last;
    cf__helper_thread_enter(&r->origin, "cf_resolver");
    while ((q = take_question(r, &last)) != NULL)
        answer_question(r, q);
    if (last)
        free_resolver(r);
    return NULL;
}

/* Starts a thread for q, which is queued, if there are not too many. CF_ESYS:
 * no thread is there to ask it. */
static cf_err
start_thread(struct cf__resolver *r,
             const struct cf__origin *origin,
             const struct question *q)
{
    pthread_mutex_lock(&r->lock);
    bool more = r->threads < CF__LOOKUPS_MAX;
    r->threads += more;
    pthread_mutex_unlock(&r->lock);
    if (!more)
        return CF_OK;
    if (cf__helper_thread_start(origin, NULL, ask_all, r) == CF_OK)
        return CF_OK;
    pthread_mutex_lock(&r->lock);
    /* Another thread will take it, or has done so and may have ended. */
    bool taken = --r->threads > 0 || q->asked;
    pthread_mutex_unlock(&r->lock);
    return taken ? CF_OK : CF_ESYS;
}

/* --- the loop's thread ---------------------------------------------------- */

/* For a question that is answered or was never asked, or has a thread that
 * frees it later. */
static void
drop_locked(struct question *q)
{
    if (q->asked && !q->answered) {
        q->dropped = true;
        return;
    }
    cf__list_take_out(&q->link);
    if (!q->asked)
        cf_future_unref(q->told); /* the queue's */
    free_question(q);
}

/* Of tasks that were in the middle when their thread ended, there may be
 * questions left. Nothing is left to complete their futures for. */
static void
end_with_loop(struct cf__io_object *object)
{
    struct cf__resolver *r = (struct cf__resolver *)object;
    pthread_mutex_lock(&r->lock);
    while (!cf__list_is_empty(&r->queued)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is out of the list */
        drop_locked(question_of(r->queued.next));
    }
    for (struct cf__link *at = r->asked.next, *next; at != &r->asked;
         at = next) {
        next = at->next;
        drop_locked(question_of(at));
    }
    r->ended = true;
    bool unused = r->threads == 0;
    pthread_mutex_unlock(&r->lock);
    if (unused)
        free_resolver(r);
}

/* The loop's; NULL: no memory. */
static struct cf__resolver *
resolver_of(struct cf__evloop *loop)
{
    struct cf__resolver *r = loop->engine->resolver;
    if (r)
        return r;
    r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->origin = loop->base.origin;
    r->origin.cpus = NULL; /* that is the loop's, which may end before */
    pthread_mutex_init(&r->lock, NULL); /* cannot fail on Linux */
    cf__list_init(&r->queued);
    cf__list_init(&r->asked);
    cf__io_add(loop, &r->object, end_with_loop);
    return loop->engine->resolver = r;
}

cf_err
cf__resolver_error(int status, int error)
{
    static const struct {
        int status, error;
    } known[] = {{EAI_AGAIN, EAGAIN},
                 {EAI_NONAME, ENOENT},
                 {EAI_NODATA, ENOENT},
                 {EAI_ADDRFAMILY, EAFNOSUPPORT},
                 {EAI_FAMILY, EAFNOSUPPORT},
                 {EAI_SERVICE, EPROTONOSUPPORT},
                 {EAI_IDN_ENCODE, EILSEQ},
                 {EAI_OVERFLOW, EOVERFLOW}};
    if (status == 0)
        return CF_OK;
    if (status == EAI_MEMORY || (status == EAI_SYSTEM && error == ENOMEM))
        return CF_ENOMEM;
    errno = status == EAI_SYSTEM && error ? error : EIO; /* and EAI_FAIL */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].status == status)
            errno = known[i].error;
    return CF_ESYS;
}

static cf_err
ask(struct cf__resolver *r,
    const struct cf__origin *origin,
    struct question *q,
    int64_t deadline_ns,
    struct addrinfo **out)
{
    cf_future *told = q->told;
    pthread_mutex_lock(&r->lock);
    cf__list_append(&r->queued, &q->link);
    pthread_mutex_unlock(&r->lock);
    cf_err err = start_thread(r, origin, q);
    int error = errno;
    if (!err) {
        err = cf_future_wait(told, cf__time_left(deadline_ns));
        error = errno;
    }
    pthread_mutex_lock(&r->lock);
    if (!err) {
        err = cf__resolver_error(q->status, q->error);
        error = errno;
        *out = q->answer;
        q->answer = NULL;
    }
    drop_locked(q);
    pthread_mutex_unlock(&r->lock);
    cf_future_unref(told);
    errno = error;
    return err;
}

cf_err
cf__resolver_ask(struct cf__evloop *loop,
                 const char *host,
                 const char *service,
                 int socket_type,
                 int64_t deadline_ns,
                 struct addrinfo **out)
{
    if (deadline_ns == 0)
        return CF_ETIMEDOUT;
    struct cf__resolver *r = resolver_of(loop);
    struct question *q = r ? new_question(host, service, socket_type) : NULL;
    if (!q)
        return CF_ENOMEM;
    return ask(r, &loop->base.origin, q, deadline_ns, out);
}
