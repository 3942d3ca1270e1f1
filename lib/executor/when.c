/* SPDX-License-Identifier: MIT */
/* cf_submit_when(): tasks that wait for other tasks. No locks. */
#include "lib/base/einval.h"
#include "lib/base/size.h"
#include "lib/executor/argument.h"
#include "lib/executor/ask.h"
#include "lib/executor/deferred.h"
#include "lib/executor/submit.h"

/* Looks at each of them. *ready: all are done, and none failed, or that does
 * not matter. */
static cf_err
check_inputs(cf_future *const *inputs, size_t count, bool anyway, bool *ready)
{
    *ready = true;
    for (size_t i = 0; i < count; i++) {
        if (!inputs[i])
            return cf__einval("cf_submit_when", "one of the inputs is NULL");
        if (!cf_future_done(inputs[i])) {
            if (cf__forked(inputs[i]))
                return CF_EFORKED;
            *ready = false;
        } else if (!anyway && (cf_future_error(inputs[i]) ||
                               cf_future_state(inputs[i]) == CF_CANCELED)) {
            *ready = false;
        }
    }
    return CF_OK;
}

cf_err
cf_submit_when(cf_executor *ex,
               const cf_task *task,
               cf_future *const *inputs,
               size_t count,
               cf_future **out)
{
    cf_future *f;
    struct cf__terms terms = {0};
    bool ready;
    const char *why = !ex                ? "ex is NULL"
                      : !task            ? "task is NULL"
                      : !inputs && count ? "inputs is NULL"
                                         : NULL;
    if (why)
        return cf__einval(__func__, why);
    if (!cf__array_fits(count, sizeof(struct cf__input)))
        return CF_ETOOBIG;
    cf_err err = cf__submit_prepare(ex, task, out ? 2 : 1, true, &terms, &f);
    if (err)
        return err;
    err = check_inputs(inputs, count, terms.anyway, &ready);
    if (err) {
        cf__future_discard(f);
        return err;
    }
    return ready && terms.delay_ns == 0
               ? cf__submit_prepared(f, out)
               : cf__defer(f, inputs, count, terms, out);
}
