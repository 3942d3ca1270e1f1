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

void
cf__future_release_arg(cf_future *f)
{
    if (f->owned & CF__ARG_HEAP) {
        cf__arg_free(f->executor, cf__heap_load(f->arg).data);
    } else if (f->attributes && f->attributes->arg_free) {
        void *arg;
        memcpy(&arg, f->arg, sizeof arg);
        int former = cf__cancel_disable(); /* user code, inside of a call */
        f->attributes->arg_free(arg);
        cf__cancel_restore(former);
    }
}

void
cf__future_discard(cf_future *f)
{
    if (f->owned & CF__ARG_HEAP)
        cf__arg_free(f->executor, cf__heap_load(f->arg).data);
    cf__future_free(f);
}
