/* SPDX-License-Identifier: MIT */
/*
 * A program from its start to its end: cf_subprocess_run(). Each pipe has a
 * task of its own, so that neither side waits for the other one for ever. No
 * locks.
 */
#include <cfutures/scope.h>
#include <cfutures/subprocess.h>
#include <cfutures/wait.h>

#include "event_loop/loop.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { PIPES = 3, FIRST_ROOM = 4096 };

/* One pipe of a program, and the task for it. */
struct pump {
    cf_subprocess *p;
    int which;
    const void *input; /* for 0 */
    size_t limit;      /* bytes; 0: none */
    char *data;        /* malloc's */
    size_t size, room;
    cf_err err; /* with errno in error */
    int error;
    cf_future *f; /* NULL: there is no such pipe */
};

static cf_err
feed(struct pump *pump, cf_stream *s)
{
    cf_err err = cf_stream_write(s, pump->input, pump->size, CF_FOREVER, NULL);
    if (err == CF_ESYS && errno == EPIPE) /* it does not want to read all */
        err = CF_OK;
    if (!err)
        cf_subprocess_close_pipe(pump->p, 0);
    return err;
}

static cf_err
collect(struct pump *pump, cf_stream *s)
{
    for (;;) {
        size_t got;
        if (pump->size == pump->room) {
            size_t room = pump->room ? 2 * pump->room : (size_t)FIRST_ROOM;
            char *data = realloc(pump->data, room);
            if (!data)
                return CF_ENOMEM;
            pump->data = data;
            pump->room = room;
        }
        cf_err err = cf_stream_read(s,
                                    pump->data + pump->size,
                                    pump->room - pump->size,
                                    CF_FOREVER,
                                    &got);
        if (err)
            return err == CF_EDONE ? CF_OK : err;
        pump->size += got;
        if (pump->limit && pump->size > pump->limit)
            return CF_ETOOBIG;
    }
}

static int
run_pump(cf_call *call, const void *arg, size_t arg_size)
{
    struct pump *pump = (struct pump *)(uintptr_t)arg;
    cf_stream *s = cf_subprocess_pipe(pump->p, pump->which);
    (void)call;
    (void)arg_size;
    pump->err = CF_EINTERRUPTED;
    if (s)
        pump->err = pump->which == 0 ? feed(pump, s) : collect(pump, s);
    pump->error = errno;
    return pump->err != CF_OK;
}

/* How the pumps have ended, of which at least one or all have. */
static cf_err
outcome(const struct pump *pumps)
{
    for (int i = 0; i < PIPES; i++) {
        const struct pump *pump = &pumps[i];
        if (!pump->f || !cf_future_done(pump->f) || !cf_future_error(pump->f))
            continue;
        errno = pump->error;
        return pump->err ? pump->err : CF_EINTERRUPTED; /* or cancelled */
    }
    return CF_OK;
}

static cf_err
await_all(struct pump *pumps, cf_return_when when, int64_t timeout_ns)
{
    cf_future *fs[PIPES];
    size_t count = 0;
    for (int i = 0; i < PIPES; i++)
        if (pumps[i].f)
            fs[count++] = pumps[i].f;
    return cf_wait(fs, count, when, timeout_ns, NULL);
}

static cf_err
communicate(cf_call *call,
            cf_subprocess *p,
            struct pump *pumps,
            int64_t deadline_ns,
            cf_subprocess_exit *exit)
{
    cf_err err = CF_OK;
    for (int i = 0; i < PIPES && !err; i++) {
        pumps[i].p = p;
        pumps[i].which = i;
        if (cf_subprocess_pipe(p, i))
            err = cf_submit(
                cf_call_executor(call), run_pump, &pumps[i], 0, &pumps[i].f);
    }
    if (!err)
        err = await_all(pumps, CF_FIRST_ERROR, cf__time_left(deadline_ns));
    if (!err)
        err = outcome(pumps);
    if (!err)
        err = cf_subprocess_wait(p, cf__time_left(deadline_ns), exit);
    return err;
}

/* It has gone wrong. The pumps end, because their pipes do. */
static void
give_up(cf_call *call, cf_subprocess *p, struct pump *pumps)
{
    int error = errno;
    (void)cf_subprocess_kill(p, SIGKILL);
    for (int i = 0; i < PIPES; i++)
        cf_subprocess_close_pipe(p, i);
    cf_shield_begin(call);
    (void)await_all(pumps, CF_ALL_COMPLETED, CF_FOREVER);
    cf_shield_end(call);
    for (int i = 1; i < PIPES; i++)
        free(pumps[i].data);
    errno = error;
}

cf_err
cf_subprocess_run(cf_call *call,
                  const cf_subprocess_options *opts,
                  const void *input,
                  size_t input_size,
                  int64_t timeout_ns,
                  cf_subprocess_output *output)
{
    cf_subprocess_options options;
    cf_subprocess *p;
    cf_subprocess_exit exit = {0, 0};
    struct pump pumps[PIPES] = {{.p = NULL}};
    const char *why = !call     ? "call is NULL"
                      : !opts   ? "opts is NULL"
                      : !output ? "output is NULL"
                      : !input && input_size
                          ? "input is NULL, but input_size is not 0"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    int64_t deadline_ns = cf__deadline(timeout_ns);
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (err)
        return err;
    options.in = input_size ? CF_STDIO_PIPE : CF_STDIO_NULL;
    options.out = CF_STDIO_PIPE;
    err = cf_subprocess_start(call, &options, &p);
    if (err)
        return err;
    pumps[0].input = input;
    pumps[0].size = input_size;
    pumps[1].limit = pumps[2].limit = options.output_limit;
    err = communicate(call, p, pumps, deadline_ns, &exit);
    if (err)
        give_up(call, p, pumps);
    for (int i = 0; i < PIPES; i++)
        cf_future_unref(pumps[i].f);
    cf_subprocess_destroy(p);
    if (err)
        return err;
    output->out = (cf_bytes){pumps[1].data, pumps[1].size};
    output->err = (cf_bytes){pumps[2].data, pumps[2].size};
    output->exit = exit;
    return CF_OK;
}

void
cf_subprocess_output_free(cf_subprocess_output *output)
{
    static const cf_bytes none = {NULL, 0};
    if (!output)
        return;
    free((void *)(uintptr_t)output->out.data);
    free((void *)(uintptr_t)output->err.data);
    output->out = output->err = none;
}
