/* SPDX-License-Identifier: MIT */
/*
 * What a future owns, and its handles: what is stored in a future, read from
 * it, and freed with the last handle. No locks: each field has one writer at a
 * time, and is read when the writer is through (future.h).
 */
#include "lib/future/life.h"

#include "lib/base/forked.h"
#include "lib/base/worker.h"
#include "lib/future/failure.h"
#include "lib/future/observed.h"
#include "lib/future/waiter.h"

#include <stdlib.h>

/* A result that is not inside: f owns one of these at most. */
enum { RESULTS = CF__RESULT_HEAP | CF__RESULT_ERROR | CF__RESULT_LENT };

static const cf_error *
stored_error(const cf_future *f)
{
    if (f->attributes && f->attributes->late_error)
        return f->attributes->late_error;
    const cf_error *error;
    memcpy(&error, f->result, sizeof error);
    return error;
}

#ifdef CF_ASSERTIONS

static bool
at_most_one(unsigned bits)
{
    return (bits & (bits - 1)) == 0;
}

static void
check_owned(const cf_future *f)
{
    cf__assert(at_most_one(f->owned & (CF__ARG_POINTER | CF__ARG_HEAP)));
    cf__assert(at_most_one(f->owned & RESULTS));
    cf__assert(!f->arg_size || !(f->owned & (CF__ARG_POINTER | CF__ARG_HEAP)));
    cf__assert(!f->result_size || !(f->owned & RESULTS));
    cf__assert(!(f->owned & CF__RESULT_USERS) || f->owned & CF__RESULT_HEAP);
    cf__assert(!(f->owned & CF__RESULT_OBJECT) || f->result_size ||
               f->owned & CF__RESULT_HEAP);
    cf__assert(f->arg_size <= CF__INLINE_SIZE);
    cf__assert(f->result_size <= CF__INLINE_SIZE);
}

/* The bits of one word, which changes at any moment. */
static void
check_word(uint64_t word)
{
    switch (cf__state(word)) {
    case CF_PENDING:
        cf__assert(cf__runner(word) < 0);
        cf__assert(!(word & (CF__FAILED | CF__COMPLETING)));
        break;
    case CF_RUNNING:
    case CF_CANCELED:
        cf__assert(!(word & CF__FAILED));
        break;
    case CF_FINISHED:
        cf__assert(!(word & CF__SLEEPER));
        break;
    }
    cf__assert(!(word & CF__SOLE) ||
               (cf__is_done(word) || !(word & CF__WAITERS)));
    cf__assert(!(word & CF__WAITING) || cf__state(word) == CF_PENDING);
    cf__assert((word & UINT64_C(0xfc000000)) == 0);
}

#endif

void
cf__future_check(const cf_future *f)
{
#ifdef CF_ASSERTIONS
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    cf__assert(word >> 32 != 0);
    cf__assert(f->executor || !(word & CF__REMOTE));
    check_word(word);
    /* If a task has outrun its timeout, its runner may still store an outcome:
     * then these fields have a writer. */
    if (cf__state(word) != CF_FINISHED ||
        (word & CF__COMPLETING && f->executor))
        return;
    check_owned(f);
    cf__assert(!(word & CF__FAILED) == !(f->owned & CF__RESULT_ERROR));
#else
    (void)f;
#endif
}

void
cf__future_check_unused(const cf_future *f)
{
#ifdef CF_ASSERTIONS
    /* In a fork's child, threads of the parent may have waited for f. */
    cf__notice_fork();
    uint64_t word = cf_load_relaxed(&f->word); /* no other thread has f */
    check_word(word);
    check_owned(f);
    /* unref leaves the last handle in the word. A task that was never published
     * has all of them. */
    cf__assert(word >> 32 <= 1 || cf__state(word) == CF_PENDING);
    cf__assert(cf_load_relaxed(&f->lock.holder) != cf__generation);
    cf__assert(!cf__waiters_any(f));
    if (f->generation == cf__generation && f->attributes)
        cf__assert(f->attributes->timer_index == 0);
#else
    (void)f;
#endif
}

static void
destroy_result(cf_future *f)
{
    void (*destroy)(void *result);
    memcpy(&destroy, f->arg, sizeof destroy);
    int former = cf__user_code_begin();
    destroy(f->owned & CF__RESULT_HEAP ? cf__heap_load(f->result).data
                                       : f->result);
    cf__cancel_restore(former);
}

void
cf__future_free_whole(cf_future *f)
{
    cf__observed_seen(f); /* by those that had other handles */
    if (f->owned & CF__RESULT_OBJECT)
        destroy_result(f);
    if ((f->owned & (CF__RESULT_HEAP | CF__RESULT_USERS)) == CF__RESULT_HEAP)
        free(cf__heap_load(f->result).data);
    if (f->owned & CF__RESULT_LENT) {
        struct cf__lent lent;
        memcpy(&lent, f->result, sizeof lent);
        lent.give_back(lent.owner, lent.data);
    }
    if (f->owned & CF__RESULT_ERROR) {
        const cf_error *error;
        memcpy(&error, f->result, sizeof error);
        cf__failure_free(error);
    }
    cf__waiters_free_callbacks(f);
    if (f->attributes) {
        cf__failure_free(f->attributes->late_error);
        cf__block_free((cf_future *)(void *)f->attributes);
    }
    if (f->owned & CF__OBSERVED)
        cf__observed_end(f);
    else
        cf__block_free(f);
}

void
cf__future_store_error(cf_future *f, const cf_error *error)
{
    cf__assert(!(f->owned & RESULTS));
    memcpy(f->result, &error, sizeof error);
    f->owned |= CF__RESULT_ERROR;
}

void
cf__future_store_lent(cf_future *f, const struct cf__lent *lent)
{
    cf__assert(!(f->owned & RESULTS));
    memcpy(f->result, lent, sizeof *lent);
    f->owned |= CF__RESULT_LENT;
}

void
cf__future_store_result(cf_future *f, void *heap, size_t size)
{
    cf__assert(!(f->owned & RESULTS));
    if (heap) {
        cf__heap_store(f->result, heap, size);
        f->owned |= CF__RESULT_HEAP;
    } else {
        f->result_size = (uint8_t)size;
    }
}

void
cf__future_store_destructor(cf_future *f,
                            void (*destroy)(void *result),
                            bool users)
{
    memcpy(f->arg, &destroy, sizeof destroy);
    /* These were about the argument, whose place this is. */
    f->owned &= (uint16_t) ~(CF__ARG_POINTER | CF__ARG_HEAP | CF__ARG_OBJECT);
    f->arg_size = 0;
    f->owned |= CF__RESULT_OBJECT;
    if (users)
        f->owned |= CF__RESULT_USERS;
}

cf_err
cf__future_outcome(const cf_future *f, uint64_t word, cf_bytes *out)
{
    cf__observed_seen(f);
    if (cf__state(word) == CF_CANCELED)
        return CF_ECANCELED;
    if (word & CF__FAILED)
        return stored_error(f)->kind;
    if (out) {
        if (f->owned & (CF__RESULT_HEAP | CF__RESULT_LENT)) {
            struct cf__heap heap = cf__heap_load(f->result);
            *out = (cf_bytes){heap.data, heap.size};
        } else {
            *out = (cf_bytes){f->result, f->result_size};
        }
    }
    return CF_OK;
}

const cf_error *
cf_future_error(cf_future *f)
{
    if (!f)
        return NULL;
    uint64_t word = cf_load_acquire(&f->word); /* pairs with finish */
    bool failed = cf__state(word) == CF_FINISHED && word & CF__FAILED;
    if (failed)
        cf__observed_seen(f);
    return failed ? stored_error(f) : NULL;
}

void *
cf_future_user_data(const cf_future *f)
{
    return f && f->attributes ? f->attributes->user_data : NULL;
}

cf_future *
cf_future_ref(cf_future *f)
{
    /* Relaxed: the caller's own handle keeps f. */
    if (f) {
        uint64_t word = cf_fetch_add_relaxed(&f->word, CF__HANDLE);
        cf__contract(word >> 32 != 0, "cf_future_ref(): no handle is left");
    }
    return f;
}

cf_future *
cf__future_link_lists(cf_future *first, cf_future *rest)
{
    cf_future *last = first, *next;
    if (!first)
        return rest;
    while ((next = cf_load_relaxed(&last->next)) != NULL) /* ours */
        last = next;
    cf_store_relaxed(&last->next, rest); /* ours */
    return first;
}

void
cf__future_unref_list(cf_future *f)
{
    for (cf_future *next; f; f = next) {
        next = cf_load_relaxed(&f->next); /* ours */
        cf__future_unref(f);
    }
}

/* Not inlined: the last handle, which is the common one, needs no call. */
__attribute__((noinline)) static void
unref_one_of_several(cf_future *f)
{
    cf__observer_release(f); /* the caller's uses of what f lent */
    cf__future_unref(f);
}

void
cf_future_unref(cf_future *f)
{
    if (!f)
        return;
    /* pairs with the release of other handles: their use of f is over */
    if (__builtin_expect(cf_load_acquire(&f->word) >> 32 != 1, 0))
        unref_one_of_several(f);
    else
        cf__future_free(f);
}
