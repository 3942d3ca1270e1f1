/* SPDX-License-Identifier: MIT */
/* Imports options structs of other versions: see options.h. */
#include "lib/base/options.h"

#include "lib/base/atomic.h"
#include "lib/base/einval.h"

#include <stdio.h>
#include <string.h>

cf_err
cf__options_import(void *known, size_t known_size, const void *options)
{
    memset(known, 0, known_size);
    if (!options)
        return CF_OK;
    size_t size;
    memcpy(&size, options, sizeof size);
    if (size < sizeof size || size > CF__OPTIONS_MAX ||
        size % _Alignof(size_t) != 0) {
        return cf__einval("a struct that begins with its size",
                          "size is not that of a struct: CF_TASK(), "
                          "CF_..._OPTIONS() and CF_..._INIT set it");
    }
    const unsigned char *bytes = options;
    for (size_t i = known_size; i < size; i++)
        if (bytes[i] != 0)
            return CF_ETOOBIG;
    memcpy(known, options, size < known_size ? size : known_size);
    return CF_OK;
}

void
cf__options_prefix(char *to,
                   size_t size,
                   const char *given,
                   const char *stem,
                   _Atomic unsigned *count)
{
    if (given)
        snprintf(to, size, "%.*s", (int)size - 1, given);
    else /* relaxed: the number only tells names apart */
        snprintf(to, size, "%s%u", stem, cf_fetch_add_relaxed(count, 1));
}
