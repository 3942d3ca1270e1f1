/* SPDX-License-Identifier: MIT */
/* A task's argument: see argument.h. */
#include "lib/executor/argument.h"

#include "lib/base/cancel.h"
#include "lib/base/size.h"
#include "lib/future/life.h"

void
cf__future_adopt_arg(cf_future *f, void *block, size_t size)
{
    cf__heap_store(f->arg, block, size);
    f->owned |= CF__ARG_HEAP;
}

cf_err
cf__future_set_arg(cf_future *f, const void *arg, size_t size)
{
    if (size <= CF__SHORT) {
        cf__future_set_short_arg(f, arg, size);
    } else if (size <= CF__INLINE_SIZE) {
        memcpy(f->arg, arg, size);
        f->arg_size = (uint8_t)size;
    } else if (size > CF__SIZE_MAX) {
        return CF_ETOOBIG;
    } else {
        void *copy = cf__arg_alloc(f->executor, size);
        if (!copy)
            return CF_ENOMEM;
        memcpy(copy, arg, size);
        cf__future_adopt_arg(f, copy, size);
    }
    return CF_OK;
}

/* Where an object that is the argument lies. */
static void *
object_of(cf_future *f)
{
    return f->owned & CF__ARG_HEAP ? cf__heap_load(f->arg).data : f->arg;
}

static const cf_object_ops *
ops_of(const cf_future *f)
{
    const cf_object_ops *ops;
    memcpy(&ops, f->arg + CF__ARG_OPS, sizeof ops);
    return ops;
}

cf_err
cf__future_set_object(cf_future *f, const cf_object_ops *ops, void *object)
{
    if (ops->size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    if (ops->size <= CF__ARG_OPS) {
        f->arg_size = (uint8_t)ops->size;
    } else {
        void *heap = malloc(ops->size);
        if (!heap)
            return CF_ENOMEM;
        cf__future_adopt_arg(f, heap, ops->size);
    }
    cf__object_move(ops, object_of(f), object);
    memcpy(f->arg + CF__ARG_OPS, &ops, sizeof ops);
    memcpy(f->result, &object, sizeof object);
    f->owned |= CF__ARG_OBJECT;
    return CF_OK;
}

/* Not inlined: the common argument is none. */
__attribute__((noinline)) static void
release_object(cf_future *f)
{
    const cf_object_ops *ops = ops_of(f);
    if (ops->destroy) {
        int former = cf__user_code_begin();
        ops->destroy(object_of(f));
        cf__cancel_restore(former);
    }
    if (f->owned & CF__ARG_HEAP)
        free(cf__heap_load(f->arg).data);
}

/* An object that was only copied is still whole where it came from. */
static void
give_object_back(cf_future *f)
{
    const cf_object_ops *ops = ops_of(f);
    void *from;
    memcpy(&from, f->result, sizeof from);
    if (ops->move) {
        int former = cf__user_code_begin();
        if (ops->destroy)
            ops->destroy(from);
        ops->move(from, object_of(f));
        if (ops->destroy)
            ops->destroy(object_of(f));
        cf__cancel_restore(former);
    }
    if (f->owned & CF__ARG_HEAP)
        free(cf__heap_load(f->arg).data);
}

void
cf__future_release_arg(cf_future *f)
{
    if (f->owned & CF__ARG_OBJECT) {
        release_object(f);
    } else if (f->owned & CF__ARG_HEAP) {
        cf__arg_free(f->executor, cf__heap_load(f->arg).data);
    } else if (f->attributes && f->attributes->arg_free) {
        void *arg;
        memcpy(&arg, f->arg, sizeof arg);
        int former = cf__user_code_begin();
        f->attributes->arg_free(arg);
        cf__cancel_restore(former);
    }
}

void
cf__future_discard(cf_future *f)
{
    if (f->owned & CF__ARG_OBJECT)
        give_object_back(f);
    else if (f->owned & CF__ARG_HEAP)
        cf__arg_free(f->executor, cf__heap_load(f->arg).data);
    cf__future_free(f);
}
