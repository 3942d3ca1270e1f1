/* SPDX-License-Identifier: MIT */
/*
 * Programs that tasks of an event loop start and await.
 */
#include <cfutures/cfutures.h>
#include <cfutures/event_loop.h>
#include <cfutures/scope.h>
#include <cfutures/subprocess.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/descriptors.h"

#define MS INT64_C(1000000)
#define assert_ok(call) cr_assert((call) == CF_OK, "%s", #call)
#define expect(call_, condition)                                               \
    do {                                                                       \
        if (!(condition))                                                      \
            return cf_fail((call_), errno, "line %d", __LINE__);               \
    } while (0)

static void
run(cf_task_fn *fn)
{
    cf_future *f;
    assert_ok(cf_event_loop_run(NULL, fn, NULL, 0, &f));
    const cf_error *error = cf_future_error(f);
    cr_assert(!error, "%s, %d", error->message, error->code);
    cf_future_unref(f);
}

/* Options for sh -c script. */
static cf_subprocess_options
shell(const char *script)
{
    static const char *argv[4];
    cf_subprocess_options opts = CF_SUBPROCESS_OPTIONS_INIT;
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    opts.argv = argv;
    return opts;
}

static int
talk(cf_call *call, const void *arg, size_t arg_size)
{
    cf_subprocess *p;
    cf_subprocess_exit how;
    cf_subprocess_options opts =
        shell("while read x; do echo $x $x; done; echo end >&2; exit 7");
    (void)arg;
    (void)arg_size;
    opts.in = opts.out = CF_STDIO_PIPE;
    opts.err = CF_STDIO_STDOUT;
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_OK);
    cf_stream *in = cf_subprocess_pipe(p, 0), *out = cf_subprocess_pipe(p, 1);
    expect(call, in && out && !cf_subprocess_pipe(p, 2));
    expect(call, !cf_subprocess_pipe(p, 3) && !cf_subprocess_pipe(p, -1));
    for (int i = 0; i < 10; i++) {
        cf_bytes line;
        expect(call, cf_stream_write(in, "ho\n", 3, CF_FOREVER, NULL) == CF_OK);
        expect(call, cf_stream_read_line(out, 0, CF_FOREVER, &line) == CF_OK);
        expect(call, line.size == 6 && !memcmp(line.data, "ho ho\n", 6));
    }
    expect(call, cf_subprocess_wait(p, 0, &how) == CF_ETIMEDOUT);
    cf_subprocess_close_pipe(p, 0);
    cf_subprocess_close_pipe(p, 0); /* is closed */
    cf_bytes line;
    expect(call, cf_stream_read_line(out, 0, CF_FOREVER, &line) == CF_OK);
    expect(call, line.size == 4 && !memcmp(line.data, "end\n", 4));
    for (int i = 0; i < 2; i++) {
        expect(call, cf_subprocess_wait(p, CF_FOREVER, &how) == CF_OK);
        expect(call, how.code == 7 && how.signal == 0);
    }
    expect(call, cf_subprocess_kill(p, SIGTERM) == CF_EDONE);
    cf_subprocess_destroy(p);
    return 0;
}

Test(loop_subprocess, a_task_talks_to_a_program)
{
    run(talk);
}

static int
end_it(cf_call *call, const void *arg, size_t arg_size)
{
    cf_subprocess *p;
    cf_subprocess_exit how;
    cf_subprocess_options opts = shell("exec sleep 1000");
    (void)arg;
    (void)arg_size;
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_OK);
    pid_t pid = cf_subprocess_pid(p);
    expect(call, pid > 0 && kill(pid, 0) == 0);
    expect(call, cf_subprocess_wait(p, MS, &how) == CF_ETIMEDOUT);
    expect(call, cf_subprocess_kill(p, 0) == CF_EINVAL);
    expect(call, cf_subprocess_kill(p, SIGTERM) == CF_OK);
    expect(call, cf_subprocess_wait(p, CF_FOREVER, &how) == CF_OK);
    expect(call, how.signal == SIGTERM && how.code == 0);
    cf_subprocess_destroy(p);
    /* One that is destroyed, and one that is left to the loop. */
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_OK);
    cf_subprocess_destroy(p);
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_OK);
    return 0;
}

Test(loop_subprocess, a_program_that_is_left_is_killed)
{
    run(end_it);
    cr_assert(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "none is left");
}

static int
fail_to_start(cf_call *call, const void *arg, size_t arg_size)
{
    const char *argv[] = {"/no/such/program", NULL}, *none[] = {NULL};
    cf_subprocess_options opts = CF_SUBPROCESS_OPTIONS_INIT;
    cf_subprocess *p = NULL;
    (void)arg;
    (void)arg_size;
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_EINVAL);
    opts.argv = none;
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_EINVAL);
    opts.argv = argv;
    opts.in = CF_STDIO_STDOUT;
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_EINVAL);
    opts.in = opts.out = opts.err = CF_STDIO_PIPE;
    int before = 0;
    for (int i = 0; i < 20; i++) {
        expect(call, cf_subprocess_start(call, &opts, &p) == CF_ESYS);
        expect(call, errno == ENOENT);
        expect(call, cf_sleep(call, 1) == CF_OK); /* they are closed */
        if (i == 0)
            before = count_descriptors();
    }
    expect(call, count_descriptors() == before);
    opts = shell("exit 0");
    opts.cwd = "/no/such/folder";
    expect(call, cf_subprocess_start(call, &opts, &p) == CF_ESYS);
    expect(call, errno == ENOENT && !p);
    return 0;
}

Test(loop_subprocess, a_program_that_cannot_start_leaves_nothing)
{
    run(fail_to_start);
}

static bool
is(cf_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && !memcmp(bytes.data, text, bytes.size);
}

static int
run_some(cf_call *call, const void *arg, size_t arg_size)
{
    static char big[1 << 20];
    const char *env[] = {"A=b", NULL};
    cf_subprocess_output output;
    cf_subprocess_options opts = shell("cat; echo $A >&2; pwd >&2; kill -9 $$");
    (void)arg;
    (void)arg_size;
    opts.err = CF_STDIO_PIPE;
    opts.cwd = "/";
    opts.env = env;
    memset(big, 'x', sizeof big);
    expect(call,
           cf_subprocess_run(
               call, &opts, big, sizeof big, CF_FOREVER, &output) == CF_OK);
    expect(call, output.out.size == sizeof big);
    expect(call, !memcmp(output.out.data, big, sizeof big));
    expect(call, is(output.err, "b\n/\n"));
    expect(call, output.exit.signal == SIGKILL);
    cf_subprocess_output_free(&output);
    cf_subprocess_output_free(NULL);
    /* It reads nothing, and writes nothing. */
    opts = shell("exit 3");
    expect(call,
           cf_subprocess_run(
               call, &opts, big, sizeof big, CF_FOREVER, &output) == CF_OK);
    expect(call, output.out.size == 0 && output.exit.code == 3);
    cf_subprocess_output_free(&output);
    return 0;
}

Test(loop_subprocess, a_run_feeds_and_collects)
{
    run(run_some);
}

static int
stop_some(cf_call *call, const void *arg, size_t arg_size)
{
    cf_subprocess_output output;
    cf_subprocess_options opts = shell("sleep 5 & wait");
    (void)arg;
    (void)arg_size;
    expect(call,
           cf_subprocess_run(call, &opts, NULL, 1, 0, &output) == CF_EINVAL);
    opts.err = CF_STDIO_NULL; /* which is not the test's */
    /* What the shell has started holds the pipe. */
    expect(call,
           cf_subprocess_run(call, &opts, NULL, 0, 5 * MS, &output) ==
               CF_ETIMEDOUT);
    opts = shell("exec cat /dev/zero");
    opts.output_limit = 10000;
    expect(call,
           cf_subprocess_run(call, &opts, NULL, 0, CF_FOREVER, &output) ==
               CF_ETOOBIG);
    cf_scope *scope;
    opts.output_limit = 0;
    opts.argv = (const char *[]){"sleep", "1000", NULL};
    expect(call, cf_scope_begin(call, 2 * MS, &scope) == CF_OK);
    cf_err err = cf_subprocess_run(call, &opts, NULL, 0, CF_FOREVER, &output);
    expect(call, cf_scope_end(scope) == CF_ETIMEDOUT);
    expect(call, err == CF_EINTERRUPTED);
    return 0;
}

Test(loop_subprocess, a_run_that_is_ended_kills_the_program)
{
    run(stop_some);
    cr_assert(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "none is left");
}
