/* SPDX-License-Identifier: MIT */
/* Importing options structs of other versions: see options.h. */
#include "lib/options.h"

#include <string.h>

cf_err
cf__options_import(void *known, size_t known_size, const void *options)
{
    memset(known, 0, known_size);
    if (!options)
        return CF_OK;
    size_t size;
    memcpy(&size, options, sizeof size);
    if (size < sizeof size)
        return CF_EINVAL;
    const unsigned char *bytes = options;
    for (size_t i = known_size; i < size; i++)
        if (bytes[i] != 0)
            return CF_ETOOBIG;
    memcpy(known, options, size < known_size ? size : known_size);
    return CF_OK;
}
