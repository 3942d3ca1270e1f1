/* SPDX-License-Identifier: MIT */
/* Instead of the process pool, in a library that is built without it
 * (CF_PROCESS_POOL=OFF): the same public functions, and no executor. */
#include <cfutures/process_pool.h>

#include "lib/base/einval.h"
#include "lib/base/options.h"

cf_err
cf_process_pool_create(const cf_process_pool_options *opts, cf_executor **out)
{
    cf_process_pool_options known;
    if (!out)
        return cf__einval(__func__, "out is NULL");
    cf_err err = cf__options_import(&known, sizeof known, opts);
    return err ? err : CF_ENOTSUP;
}
