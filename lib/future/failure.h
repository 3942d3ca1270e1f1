/* SPDX-License-Identifier: MIT */
/*
 * Failures: cf_error records on the heap, with their texts behind them.
 */
#ifndef CF_LIB_FUTURE_FAILURE_H
#define CF_LIB_FUTURE_FAILURE_H

#include <cfutures/error.h>

#include "lib/base/export.h"

#include <stdarg.h>

/* Longest message kept, in bytes without the terminator. */
#define CF__MESSAGE_MAX 4095

/*
 * Copies an error with its message and file name. Never fails: without memory,
 * the result is a static record of the same kind, with an empty message and no
 * code.
 */
CF__EXPORT const cf_error *cf__failure_new(const cf_error *error);

/* The same with a formatted message. */
const cf_error *
cf__failure_format(const cf_error *error, const char *format, va_list args);

/* failure may be NULL, or a static record. */
CF__EXPORT void cf__failure_free(const cf_error *failure);

#endif
