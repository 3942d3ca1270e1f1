/* SPDX-License-Identifier: MIT */
/* Makes and frees records of failures: see failure.h. */
#include "lib/future/failure.h"

#include "lib/base/worker.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* If there is no memory for a record, one of these takes its place. */
#define SPARE(name, value, text)                                               \
    {sizeof(cf_error),                                                         \
     name,                                                                     \
     0,                                                                        \
     "",                                                                       \
     NULL,                                                                     \
     0,                                                                        \
     -1,                                                                       \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL},
static const cf_error spares[] = {CF_ERR_MAP(SPARE)};
#undef SPARE

static bool
is_spare(const cf_error *failure)
{
    return failure >= spares &&
           failure < spares + sizeof spares / sizeof *spares;
}

const cf_error *
cf__failure_new(const cf_error *error)
{
    const char *message = error->message ? error->message : "";
    size_t length = strnlen(message, CF__MESSAGE_MAX);
    size_t file_size = error->file ? strlen(error->file) + 1 : 0;
    size_t name_size = error->name ? strlen(error->name) + 1 : 0;
    cf_error *copy = malloc(sizeof *copy + length + 1 + file_size + name_size);
    if (!copy)
        return &spares[error->kind];
    *copy = *error;
    char *text = (char *)(copy + 1);
    memcpy(text, message, length);
    text[length] = '\0';
    copy->message = text;
    if (file_size)
        copy->file = memcpy(text + length + 1, error->file, file_size);
    if (name_size)
        copy->name =
            memcpy(text + length + 1 + file_size, error->name, name_size);
    copy->size = sizeof *copy;
    copy->object = NULL;
    copy->object_free = NULL;
    return copy;
}

const cf_error *
cf__failure_format(const cf_error *error, const char *format, va_list args)
{
    char text[CF__MESSAGE_MAX + 1];
    cf_error with_text = *error;
    text[0] = '\0';
    (void)vsnprintf(text, sizeof text, format, args);
    with_text.message = text;
    return cf__failure_new(&with_text);
}

void
cf__failure_object_free(void *object, void (*object_free)(void *object))
{
    if (!object || !object_free)
        return;
    int former = cf__user_code_begin();
    object_free(object);
    cf__cancel_restore(former);
}

void
cf__failure_own(const cf_error *failure,
                void *object,
                void (*object_free)(void *object))
{
    if (is_spare(failure)) {
        cf__failure_object_free(object, object_free);
        return;
    }
    cf_error *record = (cf_error *)(uintptr_t)failure;
    record->object = object;
    record->object_free = object_free;
}

const cf_error *
cf__failure_turn(const cf_error *failure, cf_err kind)
{
    if (is_spare(failure))
        return &spares[kind];
    ((cf_error *)(uintptr_t)failure)->kind = kind;
    return failure;
}

void
cf__failure_free(const cf_error *failure)
{
    if (!failure || is_spare(failure))
        return;
    cf__failure_object_free(failure->object, failure->object_free);
    free((void *)(uintptr_t)failure);
}
