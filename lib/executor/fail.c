/* SPDX-License-Identifier: MIT */
/* Why a call fails, as the task says it (cfutures/task.h). */
#include "lib/executor/call.h"

#include "lib/future/failure.h"

/* What cf_fail() returns for code 0. The record of the failure has the 0. */
enum { FAILED_WITH_CODE_0 = 1 };

/* The user's object that comes with a failure. */
struct object {
    void *object;
    void (*free)(void *object);
};

static const struct object none = {NULL, NULL};

/* What the call knows of its failure. */
static cf_error
error_of(const cf_call *call, const char *file, int line, int code)
{
    cf_error error = CF_ERROR_INIT;
    error.code = code;
    error.file = file;
    error.line = line;
    error.worker = call->worker;
    error.name = cf__name(call->future);
    return error;
}

/* The former record goes last: a message may have been made of its text. */
static void
keep(cf_call *call, const cf_error *failure)
{
    struct cf_call *keeper = call->part_of ? call->part_of : call;
    const cf_error *former = keeper->failure;
    keeper->failure = failure;
    cf__failure_free(former);
}

static int
record_failure(cf_call *call,
               const char *file,
               int line,
               int code,
               struct object object,
               const char *format,
               va_list args)
{
    if (!call) {
        cf__failure_object_free(object.object, object.free);
        return code ? code : FAILED_WITH_CODE_0;
    }
    const cf_error error = error_of(call, file, line, code);
    const cf_error *failure = format ? cf__failure_format(&error, format, args)
                                     : cf__failure_new(&error);
    cf__failure_own(failure, object.object, object.free);
    keep(call, failure);
    return code ? code : FAILED_WITH_CODE_0;
}

int
cf_fail_at(cf_call *call,
           const char *file,
           int line,
           int code,
           const char *format,
           ...)
{
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, file, line, code, none, format, args);
    va_end(args);
    return rc;
}

/* The function that the macro hides, for other languages. */
int(cf_fail)(cf_call *call, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, NULL, 0, code, none, format, args);
    va_end(args);
    return rc;
}

int
cf_fail_text(cf_call *call, int code, const char *text)
{
    if (call) {
        cf_error error = error_of(call, NULL, 0, code);
        error.message = text;
        keep(call, cf__failure_new(&error));
    }
    return code ? code : FAILED_WITH_CODE_0;
}

int
cf_fail_object_at(cf_call *call,
                  const char *file,
                  int line,
                  int code,
                  void *object,
                  void (*object_free)(void *object),
                  const char *format,
                  ...)
{
    const struct object mine = {object, object_free};
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, file, line, code, mine, format, args);
    va_end(args);
    return rc;
}

/* As cf_fail. */
int(cf_fail_object)(cf_call *call,
                    int code,
                    void *object,
                    void (*object_free)(void *object),
                    const char *format,
                    ...)
{
    const struct object mine = {object, object_free};
    va_list args;
    va_start(args, format);
    int rc = record_failure(call, NULL, 0, code, mine, format, args);
    va_end(args);
    return rc;
}
