/* SPDX-License-Identifier: MIT */
/* Names and texts of cf_err, from its one list. */
#include <cfutures/error.h>

const char *
cf_err_name(cf_err err)
{
    switch (err) {
#define NAME(name, value, text)                                                \
    case name:                                                                 \
        return #name;
        CF_ERR_MAP(NAME)
#undef NAME
    default:
        return "CF_UNKNOWN";
    }
}

const char *
cf_strerror(cf_err err)
{
    switch (err) {
#define TEXT(name, value, text)                                                \
    case name:                                                                 \
        return text;
        CF_ERR_MAP(TEXT)
#undef TEXT
    default:
        return "unknown error";
    }
}
