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
 * Copies an error with its texts (message, file, name), but without its object.
 * Never fails: without memory, the result is a static record of the same kind,
 * with an empty message and no code.
 */
CF__EXPORT const cf_error *cf__failure_new(const cf_error *error);

/* Gives an object to a record that no other thread knows. A static record takes
 * none: then the object is freed. Calls code of the user. */
void cf__failure_own(const cf_error *failure,
                     void *object,
                     void (*object_free)(void *object));

/* Frees an object that has no record. It and object_free may be NULL. */
void cf__failure_object_free(void *object, void (*object_free)(void *object));

/* Changes the kind of a record that no other thread knows. Returns the record:
 * the same, or another static one. */
CF__EXPORT const cf_error *cf__failure_turn(const cf_error *failure,
                                            cf_err kind);

/* The same with a formatted message. */
const cf_error *
cf__failure_format(const cf_error *error, const char *format, va_list args);

/* failure may be NULL, or a static record. Its object is freed, too: that calls
 * code of the user. */
CF__EXPORT void cf__failure_free(const cf_error *failure);

#endif
