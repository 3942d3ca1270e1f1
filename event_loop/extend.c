/* SPDX-License-Identifier: MIT */
/*
 * What libraries add to a loop: one record for each, made when a task first
 * asks for it. No locks: all of this is the loop's thread's.
 */
#include "event_loop/engine.h"

#include "lib/base/einval.h"

#include <stdlib.h>

struct cf__extended {
    struct cf__io_object object;
    const cf_event_loop_extension *extension;
    void *data;
    struct cf__extended *next;
};

static void
end_extended(struct cf__io_object *object)
{
    struct cf__extended *extended = (struct cf__extended *)object;
    extended->extension->end(extended->data);
    free(extended);
}

/* begin() makes no second one meanwhile, as it does not wait. */
static cf_err
begin(struct cf__evloop *loop,
      const cf_event_loop_extension *extension,
      void **data)
{
    struct cf__extended *extended = calloc(1, sizeof *extended);
    if (!extended)
        return CF_ENOMEM;
    cf_err err = extension->begin(cf__io_uv(loop), &extended->data);
    if (err) {
        free(extended);
        return err;
    }
    extended->extension = extension;
    extended->next = loop->engine->extended;
    loop->engine->extended = extended;
    cf__io_add(loop, &extended->object, end_extended);
    *data = extended->data;
    return CF_OK;
}

cf_err
cf_event_loop_extend(cf_call *call,
                     const cf_event_loop_extension *extension,
                     void **data)
{
    const char *why = !extension          ? "extension is NULL"
                      : !extension->begin ? "extension->begin is NULL"
                      : !extension->end   ? "extension->end is NULL"
                      : !data             ? "data is NULL"
                                          : NULL;
    if (why)
        return cf__einval(__func__, why);
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    cf_err err = cf__io_begin(call, &loop, &self);
    if (err)
        return err;
    struct cf__extended *extended = loop->engine->extended;
    while (extended && extended->extension != extension)
        extended = extended->next;
    if (!extended)
        return begin(loop, extension, data);
    *data = extended->data;
    return CF_OK;
}
