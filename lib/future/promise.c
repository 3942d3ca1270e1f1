/* SPDX-License-Identifier: MIT */
/*
 * Promises: futures that are completed by hand, for I/O libraries and other
 * executors. No locks: cf__future_begin_completing() decides between two
 * completers.
 */
#include "lib/base/einval.h"
#include "lib/base/options.h"
#include "lib/base/size.h"
#include "lib/future/failure.h"
#include "lib/future/future.h"
#include "lib/future/life.h"
#include "lib/future/observed.h"

#include <stdlib.h>

cf_err
cf_future_create(cf_future **out)
{
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_future *f = cf__block_alloc();
    if (!f)
        return CF_ENOMEM;
    cf__future_init(f, NULL, NULL, 0, 1);
    cf__observed_begin(f);
    *out = f;
    return CF_OK;
}

bool
cf_future_start(cf_future *f)
{
    if (!f)
        return false;
    cf__contract(!f->executor,
                 "cf_future_start(): the future belongs to an executor");
    if (cf__future_claim_word(f, -1))
        return true;
    cf__contract(cf__state(cf_load_relaxed(&f->word)) == CF_CANCELED,
                 "cf_future_start(): the future is already running or "
                 "finished");
    return false;
}

cf_err
cf_future_set_result(cf_future *f, const void *data, size_t size)
{
    const char *why = !f              ? "f is NULL"
                      : f->executor   ? "f is not of cf_future_create()"
                      : !data && size ? CF__NO_DATA
                                      : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    void *heap = NULL;
    if (size > CF__INLINE_SIZE) {
        heap = malloc(size);
        if (!heap)
            return CF_ENOMEM;
        memcpy(heap, data, size);
    }
    if (!cf__future_begin_completing(f, true)) {
        free(heap);
        return CF_ESTATE;
    }
    if (!heap && size)
        memcpy(f->result, data, size);
    cf__future_store_result(f, heap, size);
    cf__observer_release(f);
    (void)cf__future_finish(f, 0, CF__COMPLETING, false);
    return CF_OK;
}

cf_err
cf_future_set_object(cf_future *f, const cf_object_ops *ops, void *object)
{
    const char *why = !f               ? "f is NULL"
                      : f->executor    ? "f is not of cf_future_create()"
                      : !ops           ? "ops is NULL"
                      : !object        ? "object is NULL"
                      : ops->size == 0 ? "ops->size is 0"
                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (ops->size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    void *heap = NULL;
    if (ops->size > CF__INLINE_SIZE) {
        heap = malloc(ops->size);
        if (!heap)
            return CF_ENOMEM;
    }
    if (!cf__future_begin_completing(f, true)) {
        free(heap);
        return CF_ESTATE;
    }
    cf__object_move(ops, heap ? heap : f->result, object);
    cf__future_store_result(f, heap, ops->size);
    if (ops->destroy)
        cf__future_store_destructor(f, ops->destroy, false);
    cf__observer_release(f);
    (void)cf__future_finish(f, 0, CF__COMPLETING, false);
    return CF_OK;
}

static bool
is_task_error(cf_err kind)
{
    switch (kind) {
    case CF_ETASK:
    case CF_EWORKERDIED:
    case CF_EDEADLINE:
    case CF_EBROKEN:
    case CF_ECANCELED:
    case CF_ESHUTDOWN:
        return true;
    default:
        return false;
    }
}

cf_err
cf_future_set_error(cf_future *f, const cf_error *error)
{
    cf_error known;
    const char *why = !f            ? "f is NULL"
                      : f->executor ? "f is not of cf_future_create()"
                      : !error      ? "error is NULL"
                                    : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__options_import(&known, sizeof known, error);
    if (err)
        return err;
    if (!is_task_error(known.kind))
        return cf__einval("cf_error", "its kind is none that a task can have");
    const cf_error *failure = cf__failure_new(&known);
    if (!cf__future_begin_completing(f, true)) {
        cf__failure_free(failure);
        return CF_ESTATE;
    }
    cf__failure_own(failure, known.object, known.object_free);
    cf__future_store_error(f, failure);
    cf__observer_release(f);
    (void)cf__future_finish(f, CF__FAILED, CF__COMPLETING, false);
    return CF_OK;
}
