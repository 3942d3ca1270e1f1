/* SPDX-License-Identifier: MIT */
/*
 * Two channels that are never mixed: a function's cf_err says how the call
 * went; a future's cf_error says how the task ended.
 */
#ifndef CFUTURES_ERROR_H
#define CFUTURES_ERROR_H

#include <cfutures/base.h>

#include <sys/types.h>

CF_BEGIN_DECLS

/*
 * X(name, value, text): the one list behind cf_err, cf_err_name() and
 * cf_strerror(). Values are ABI: append, never renumber.
 */
#define CF_ERR_MAP(X)                                                          \
    X(CF_OK, 0, "no error")                                                    \
    X(CF_EINVAL, 1, "invalid argument")                                        \
    X(CF_ENOMEM, 2, "out of memory")                                           \
    X(CF_ETIMEDOUT, 3, "the wait ran out of time")                             \
    X(CF_ECANCELED, 4, "the task was cancelled")                               \
    X(CF_ESHUTDOWN, 5, "the executor has been shut down")                      \
    X(CF_EBROKEN, 6, "the executor is broken")                                 \
    X(CF_ESTATE, 7, "the future is already completed")                         \
    X(CF_EAGAIN, 8, "it is full, or empty, at this moment")                    \
    X(CF_ENOTSUP, 9, "not supported by this executor")                         \
    X(CF_ETOOBIG, 10, "larger than this library or executor accepts")          \
    X(CF_ETASK, 11, "the task failed")                                         \
    X(CF_EWORKERDIED, 12, "the worker died while it ran the task")             \
    X(CF_EDEADLINE, 13, "the task ran longer than its own timeout")            \
    X(CF_EDEADLK, 14, "the wait could never end")                              \
    X(CF_EFORKED, 15, "the executor belongs to the parent of this process")    \
    X(CF_EDONE, 16, "there is nothing more to iterate over")                   \
    X(CF_ESYS, 17, "a system call failed; errno says more")                    \
    X(CF_EINTERRUPTED, 18, "the waiting code was told to stop")

/*
 * cf_err is an int everywhere, so that a task can return cf_return(...) without
 * a cast. A compiler that lets the header say so also knows all its values: a
 * switch over them needs no default. gcc before 13 does not let C say so; there
 * the type is int by name, and a switch is not checked.
 */
#define CF_ERR_ENUM(name, value, text) name = (value),
#if defined(__cplusplus) || defined(__clang__) ||                              \
    (defined(__GNUC__) && __GNUC__ >= 13)
__extension__ typedef enum cf_err : int { CF_ERR_MAP(CF_ERR_ENUM) } cf_err;
#else
enum { CF_ERR_MAP(CF_ERR_ENUM) };
typedef int cf_err;
#endif
#undef CF_ERR_ENUM

/* How a task failed. Lent by its future and valid as long as that. */
typedef struct cf_error {
    size_t size;         /* sizeof(cf_error), as CF_ERROR_INIT sets it */
    cf_err kind;         /* CF_ETASK, CF_EWORKERDIED, CF_EDEADLINE, CF_EBROKEN,
                            CF_ECANCELED or CF_ESHUTDOWN */
    int code;            /* what the task gave; 0 otherwise. A task can fail
                            with code 0: test for an error, not for a code */
    const char *message; /* never NULL; may be empty */
    const char *file;    /* where cf_fail() stood, or NULL */
    int line;            /* ... or 0 */
    int worker;          /* index of the worker, or -1 */
    pid_t pid;           /* of the worker process, or 0 */
    int signal;          /* that killed the worker process, or 0 */
    int exit_status;     /* of the worker process that exited, or 0 */
    void *object; /* of the user's: what cf_fail_object() gave. NULL: none,
                            or it stayed in a worker process. Lent, too */
    void (*object_free)(void *object); /* how the library frees it, once, with
                            the future. NULL: not at all */
    const char *name;                  /* of the task (cf_task.name), or NULL */
    const void *address; /* at which the worker process crashed: SIGSEGV and
                            SIGBUS: that it wanted to use; SIGILL and SIGFPE:
                            of the instruction. NULL: not known, or NULL itself,
                            which the message tells apart */
} cf_error;

/* For cf_future_set_error(): everything zero, no worker. */
#define CF_ERROR_INIT                                                          \
    {                                                                          \
        sizeof(cf_error), CF_ETASK, 0, "", NULL, 0, -1, 0, 0, 0, NULL, NULL,   \
            NULL, NULL                                                         \
    }

/**
 * Returns the name of an error, such as "CF_EINVAL".
 *
 * @param err  Any value; one that is no cf_err gives "CF_UNKNOWN".
 *
 * Ownership: a static string, never NULL.
 * Threads:   any, at any time; async-signal-safe.
 * Blocks:    no.
 * Python:    the exception's class name.
 */
CF_API const char *cf_err_name(cf_err err);

/**
 * Returns a short English description of an error.
 *
 * @param err  Any value; one that is no cf_err gives "unknown error".
 *
 * Ownership: a static string, never NULL.
 * Threads:   any, at any time; async-signal-safe.
 * Blocks:    no.
 * Python:    str(exception).
 */
CF_API const char *cf_strerror(cf_err err);

CF_END_DECLS

#endif
