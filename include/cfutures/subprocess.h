/* SPDX-License-Identifier: MIT */
/*
 * Other programs, started and awaited by the tasks of an event loop.
 *
 *     const char *argv[] = {"sort", NULL};
 *     cf_subprocess_options opts = CF_SUBPROCESS_OPTIONS(.argv = argv);
 *     cf_subprocess_output output;
 *     cf_err err = cf_subprocess_run(call, &opts, text, text_size,
 *                                    CF_SECONDS(5), &output);
 *
 * A subprocess belongs to the loop in which it was started, and only tasks of
 * that loop use it. While it runs, the loop catches SIGCHLD: a program that
 * waits for all of its children by itself (wait(), waitpid(-1)) takes its end
 * away.
 */
#ifndef CFUTURES_SUBPROCESS_H
#define CFUTURES_SUBPROCESS_H

#include <cfutures/stream.h>

CF_BEGIN_DECLS

typedef struct cf_subprocess cf_subprocess;

/* What the program has as its standard input, output or error. */
typedef enum cf_stdio {
    CF_STDIO_INHERIT = 0, /* what this program has */
    CF_STDIO_NULL,        /* /dev/null */
    CF_STDIO_PIPE,        /* cf_subprocess_pipe() has the other end */
    CF_STDIO_STDOUT       /* for err: the same as out */
} cf_stdio;

/* Zero is the default of every field but argv, and size, which
 * CF_SUBPROCESS_OPTIONS() and CF_SUBPROCESS_OPTIONS_INIT set: 0 is
 * CF_EINVAL. */
typedef struct cf_subprocess_options {
    size_t size;             /* sizeof(cf_subprocess_options) */
    const char *const *argv; /* ends with NULL; argv[0] is looked up in PATH if
                                it has no slash */
    const char *const *env;  /* "NAME=value", ends with NULL. NULL: what this
                                program has */
    const char *cwd;         /* its folder. NULL: that of this program */
    cf_stdio in, out, err;
    bool own_session;    /* setsid(): signals of the terminal do not reach it */
    size_t output_limit; /* of cf_subprocess_run(): bytes of out, and of err;
                            0: none */
} cf_subprocess_options;

#define CF_SUBPROCESS_OPTIONS_INIT                                             \
    {                                                                          \
        sizeof(cf_subprocess_options), NULL, NULL, NULL, CF_STDIO_INHERIT,     \
            CF_STDIO_INHERIT, CF_STDIO_INHERIT, false, 0                       \
    }
#ifndef __cplusplus
#define CF_SUBPROCESS_OPTIONS(...)                                             \
    CF_WITH_SIZE(cf_subprocess_options, __VA_ARGS__)
#endif

/* How it ended. */
typedef struct cf_subprocess_exit {
    int code;   /* of exit(); 0 if a signal ended it */
    int signal; /* that ended it, or 0 */
} cf_subprocess_exit;

/* What cf_subprocess_run() gives. */
typedef struct cf_subprocess_output {
    cf_bytes out, err; /* err is empty unless options.err is CF_STDIO_PIPE */
    cf_subprocess_exit exit;
} cf_subprocess_output;

/**
 * Starts a program.
 *
 * It begins with default actions for all signals and none blocked. It inherits
 * those descriptors of this program that have no FD_CLOEXEC.
 *
 * @param call      The task's own call.
 * @param opts      What to start.
 * @param[out] out  The subprocess; untouched on error.
 *
 * @retval CF_OK      It runs.
 * @retval CF_EINVAL  call, opts, argv, argv[0] or out is NULL, a field has no
 *                    value of its kind, or opts->size is no size.
 * @retval CF_ETOOBIG As CF_EINVAL, for opts of a later version.
 * @retval CF_ENOTSUP The task is not an event loop's.
 * @retval CF_EFORKED In the child of a task that has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS    errno says more: ENOENT for a program or folder that is
 *                    not there, EACCES, EAGAIN, EMFILE.
 *
 * Ownership: *out is the caller's; cf_subprocess_destroy() it. opts stays the
 *            caller's.
 * Threads:   the loop's.
 * Blocks:    until the program has begun, which is short.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    asyncio.create_subprocess_exec().
 */
CF_API CF_NODISCARD cf_err cf_subprocess_start(
    cf_call *call, const cf_subprocess_options *opts, cf_subprocess **out);

/**
 * Returns this end of a pipe to the program.
 *
 * @param p      The subprocess.
 * @param which  0: to write to its input; 1, 2: to read its output or error.
 * @return       NULL: p is NULL, or that is no pipe or has been closed.
 *
 * Ownership: the subprocess's: cf_subprocess_close_pipe() closes it.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      not in the child of a task that forks.
 * Python:    Process.stdin, .stdout, .stderr.
 */
CF_API cf_stream *cf_subprocess_pipe(const cf_subprocess *p, int which);

/**
 * Closes this end of a pipe: the program reads the end of its input.
 *
 * @param p      NULL: nothing happens.
 * @param which  As for cf_subprocess_pipe().
 *
 * Ownership: the stream is gone.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  after all writes.
 * Fork:      nothing happens in the child of a task that has forked.
 * Python:    Process.stdin.close().
 */
CF_API void cf_subprocess_close_pipe(cf_subprocess *p, int which);

/**
 * Waits until the program has ended. Any number of tasks may, any number of
 * times.
 *
 * @param p           The subprocess.
 * @param timeout_ns  0 asks only.
 * @param[out] exit   How; NULL: not wanted. Untouched unless CF_OK.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       p is NULL, or timeout_ns is below -1.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop.
 * @retval CF_ENOTSUP      This is no task of the loop.
 * @retval CF_EFORKED      In the child of a task that has forked.
 *
 * Ownership: nothing changes hands.
 * Threads:   the loop's.
 * Blocks:    the task, not its thread.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    Process.wait().
 */
CF_API CF_NODISCARD cf_err cf_subprocess_wait(cf_subprocess *p,
                                              int64_t timeout_ns,
                                              cf_subprocess_exit *exit);

/**
 * Sends a signal to the program.
 *
 * @param p      The subprocess.
 * @param signo  Such as SIGTERM.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   p is NULL, or signo is no signal.
 * @retval CF_EDONE    It has ended.
 * @retval CF_EFORKED  In the child of a task that has forked.
 * @retval CF_ESYS     errno says more. EPERM: it has another user by now.
 *
 * Ownership: nothing changes hands.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    Process.send_signal(), .terminate(), .kill().
 */
CF_API cf_err cf_subprocess_kill(cf_subprocess *p, int signo);

/**
 * Returns the process id; -1 for NULL. It stays that of the program until a
 * cf_subprocess_wait() has said that it has ended.
 *
 * Ownership: nothing changes hands.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    Process.pid.
 */
CF_API int cf_subprocess_pid(const cf_subprocess *p);

/**
 * Frees a subprocess: its pipes are closed, and a program that still runs is
 * killed (SIGKILL). A loop that ends does so for those that are left.
 *
 * @param p  NULL: nothing happens. No task waits for it or uses its pipes.
 *
 * Ownership: p is gone.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      nothing happens in the child of a task that has forked.
 * Python:    none; a subprocess that is forgotten runs on there.
 */
CF_API void cf_subprocess_destroy(cf_subprocess *p);

/**
 * Runs a program to its end: gives it some input, and collects its output.
 *
 * Whatever in and out say in opts, they are pipes here. err may be one, too.
 *
 * @param call         The task's own call.
 * @param opts         As for cf_subprocess_start().
 * @param input        May be NULL when input_size is 0.
 * @param input_size   Bytes.
 * @param timeout_ns   For all of it. When it has passed, or on any error, the
 *                     program is killed.
 * @param[out] output  Its output, and how it ended; untouched on error.
 *
 * @retval CF_OK           It has ended, by whatever: see output->exit.
 * @retval CF_EINVAL       As cf_subprocess_start(), or output is NULL, or input
 *                         is NULL and input_size is not 0.
 * @retval CF_ETOOBIG      It has written more than opts->output_limit.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop.
 * @retval CF_ESHUTDOWN    The loop takes no tasks any more; this needs some.
 * @retval CF_ENOTSUP, CF_EFORKED, CF_ENOMEM, CF_ESYS  As
 *                         cf_subprocess_start().
 *
 * Ownership: cf_subprocess_output_free() *output.
 * Threads:   the loop's.
 * Blocks:    the task, not its thread.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    subprocess.run(input=, capture_output=True),
 *            Process.communicate().
 */
CF_API CF_NODISCARD cf_err cf_subprocess_run(cf_call *call,
                                             const cf_subprocess_options *opts,
                                             const void *input,
                                             size_t input_size,
                                             int64_t timeout_ns,
                                             cf_subprocess_output *output);

/**
 * Frees what cf_subprocess_run() has put into output; NULL: nothing happens.
 *
 * Ownership: the memory is gone; *output is the caller's.
 * Threads:   any.
 * Blocks:    no.
 * Python:    none.
 */
CF_API void cf_subprocess_output_free(cf_subprocess_output *output);

CF_END_DECLS

#endif
