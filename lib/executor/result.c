/* SPDX-License-Identifier: MIT */
/*
 * The result of a call as it stands (cfutures/task.h): bytes in the sink or on
 * the heap, or an object there.
 */
#include "lib/executor/call.h"

#include "lib/base/cancel.h"
#include "lib/base/copy.h"
#include "lib/base/einval.h"
#include "lib/base/size.h"

#include <stdlib.h>

static void
free_heap(const struct cf_call *call, void *heap)
{
    if (!call->alloc)
        free(heap);
}

/* Makes heap the place of the result, which is bytes. */
static void
set_heap(struct cf_call *call, void *heap)
{
    call->heap = heap;
    call->destroy = NULL;
    call->users_heap = false;
}

static bool
is_object(const struct cf_call *call)
{
    return call->heap && call->destroy;
}

void
cf__call_drop_result(struct cf_call *call)
{
    void *heap = call->heap;
    bool users = is_object(call) && call->users_heap;
    if (is_object(call)) {
        int former = cf__cancel_disable(); /* user code, inside of a call */
        call->destroy(heap);
        cf__cancel_restore(former);
    }
    call->heap = NULL;
    if (heap != call->sink && !users)
        free_heap(call, heap);
}

void *
cf_return_buffer(cf_call *call, size_t size)
{
    static _Alignas(max_align_t) unsigned char nothing[1]; /* never written */
    if (!call)
        return NULL;
    if (__builtin_expect(!call->heap && size <= call->sink_size && call->sink,
                         1)) {
        call->result_size = size;
        return call->sink;
    }
    cf__call_drop_result(call);
    call->result_size = 0;
    if (size > CF__SIZE_MAX)
        return NULL;
    if (size > call->sink_size) {
        if (!call->fixed_sink)
            set_heap(call,
                     call->alloc ? call->alloc(call, size) : malloc(size));
        if (!call->heap)
            return NULL;
    }
    call->result_size = size;
    if (call->heap)
        return call->heap;
    return call->sink ? call->sink : nothing;
}

bool
cf__call_adopt(struct cf_call *call, void *block, size_t size)
{
    if (call->alloc) {
        cf_err err = cf_return(call, block, size);
        free(block);
        return err == CF_OK;
    }
    cf__call_drop_result(call);
    set_heap(call, block);
    call->result_size = size;
    return true;
}

/* Returns a result that needs memory of its own, or replaces one that has it.
 * Not inlined: so cf_return() has no registers to save where it is short. */
__attribute__((noinline)) static cf_err
return_copy(cf_call *call, const void *data, size_t size)
{
    if (is_object(call)) /* data is not inside of it */
        cf__call_drop_result(call);
    /* data may be inside of the former result: free that last. */
    void *former = call->heap;
    call->heap = NULL;
    void *to = cf_return_buffer(call, size);
    if (to && size)
        memmove(to, data, size);
    free_heap(call, former);
    return to ? CF_OK : CF_ENOMEM;
}

/* As return_copy(), for arguments of any kind. */
__attribute__((noinline)) static cf_err
return_rarely(cf_call *call, const void *data, size_t size)
{
    if (!call || (!data && size)) {
        return cf__einval("cf_return", !call ? "call is NULL" : CF__NO_DATA);
    }
    if (size <= call->sink_size && !call->heap) {
        call->result_size = size;
        if (size)
            memmove(call->sink, data, size); /* data may be in the sink */
        return CF_OK;
    }
    if (size > CF__SIZE_MAX || (size > call->sink_size && call->fixed_sink))
        return CF_ETOOBIG;
    return return_copy(call, data, size);
}

cf_err
cf_return(cf_call *call, const void *data, size_t size)
{
    if (size - 1 < CF__SHORT && data && call && size <= call->sink_size &&
        !call->heap) {
        cf__copy_short(call->sink, data, size);
        call->result_size = size;
        return CF_OK;
    }
    return return_rarely(call, data, size);
}

cf_err
cf_return_resize(cf_call *call, size_t size)
{
    if (!call || size > call->result_size) {
        return cf__einval(__func__,
                          !call ? "call is NULL"
                                : "size is more than the result has");
    }
    call->result_size = size;
    return CF_OK;
}

/* What this call returns goes into a future of this process, and stays where it
 * is: it is no item of a map, no job, and not in a worker process. */
static bool
stays(const struct cf_call *call)
{
    return call->future && call->sink == call->future->result;
}

cf_err
cf_return_owned(cf_call *call,
                void *data,
                size_t size,
                void (*data_free)(void *data))
{
    if (!call || (!data && size)) {
        return cf__einval(__func__, !call ? "call is NULL" : CF__NO_DATA);
    }
    if (size > CF__SIZE_MAX)
        return CF_ETOOBIG;
    if (data && data_free && stays(call)) {
        if (is_object(call) || call->heap != data)
            cf__call_drop_result(call);
        call->heap = data;
        call->destroy = data_free;
        call->users_heap = true;
        call->result_size = size;
        return CF_OK;
    }
    cf_err err = cf_return(call, data, size);
    if (!err && data && data_free) {
        int former = cf__cancel_disable(); /* user code, inside of a call */
        data_free(data);
        cf__cancel_restore(former);
    }
    return err;
}

cf_err
cf_return_destructor(cf_call *call, void (*destroy)(void *result))
{
    if (!call || call->result_size == 0 ||
        (is_object(call) && call->users_heap)) {
        return cf__einval(__func__,
                          !call ? "call is NULL"
                                : "the call has no result of its own");
    }
    if (!stays(call))
        return CF_ENOTSUP;
    if (!call->heap && destroy)
        set_heap(call, call->sink);
    if (call->heap)
        call->destroy = destroy;
    return CF_OK;
}
