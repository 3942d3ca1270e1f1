/* SPDX-License-Identifier: MIT */
/*
 * Programs that tasks start and await: <cfutures/subprocess.h>. The pipes are
 * streams. A program that was started is always awaited in the end, by libuv's
 * handle: that stays open until then. No locks.
 */
#include <cfutures/subprocess.h>

#include "event_loop/engine.h"
#include "event_loop/io_waiter.h"
#include "lib/base/cancel.h"
#include "lib/base/einval.h"
#include "lib/base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIPES = 3 };

/* A task that waits; on its stack. */
struct waiter {
    struct cf__io_waiter io;
    struct waiter *next, **link;
};

struct cf_subprocess {
    struct cf__io_object object;
    struct cf__evloop *loop;
    struct cf__engine *engine;
    uv_process_t process;
    cf_stream *pipes[PIPES]; /* NULL: none, or closed */
    struct waiter *waiters;
    cf_subprocess_exit exit;
    bool ended;   /* the program */
    bool dropped; /* destroyed: it goes when the program has ended */
};

/* --- the end -------------------------------------------------------------- */

static void
free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

static void
drop(cf_subprocess *p)
{
    p->dropped = true;
    for (int i = 0; i < PIPES; i++)
        cf_subprocess_close_pipe(p, i);
    if (p->ended) {
        uv_close((uv_handle_t *)&p->process, free_handle);
        return;
    }
    p->engine->lingering++;
    (void)uv_process_kill(&p->process, SIGKILL);
}

/* The streams end with the loop by themselves. */
static void
end_with_loop(struct cf__io_object *object)
{
    cf_subprocess *p = (cf_subprocess *)object;
    for (int i = 0; i < PIPES; i++)
        p->pipes[i] = NULL;
    drop(p);
}

static void
on_exit_of(uv_process_t *process, int64_t code, int signo)
{
    cf_subprocess *p = process->data;
    p->ended = true;
    p->exit.code = signo ? 0 : (int)code;
    p->exit.signal = signo;
    for (struct waiter *at = p->waiters, *next; at; at = next) {
        next = at->next;
        cf__io_finish(&at->io);
    }
    p->waiters = NULL;
    if (p->dropped) {
        p->engine->lingering--;
        uv_close((uv_handle_t *)process, free_handle);
    }
}

void
cf_subprocess_destroy(cf_subprocess *p)
{
    if (!p || cf__executor_forked(&p->loop->base))
        return;
    cf__io_remove(&p->object);
    drop(p);
}

/* --- the beginning -------------------------------------------------------- */

/* The child's ends of the pipes; -1: none. */
struct ends {
    int fds[PIPES];
};

static void
close_ends(const struct ends *ends)
{
    for (int i = 0; i < PIPES; i++)
        if (ends->fds[i] >= 0)
            cf__close(ends->fds[i]);
}

static cf_err
open_pipe(cf_call *call, cf_subprocess *p, int which, struct ends *ends)
{
    int fds[2];
    const int ours = which == 0; /* fds[1] is for writing */
    if (pipe2(fds, O_CLOEXEC))
        return CF_ESYS;
    cf_err err = cf_stream_from_fd(call, fds[ours], &p->pipes[which]);
    if (err) {
        cf__close(fds[0]);
        cf__close(fds[1]);
        return err;
    }
    ends->fds[which] = fds[!ours];
    return CF_OK;
}

static uv_stdio_container_t
container(cf_stdio kind, int which, const struct ends *ends)
{
    uv_stdio_container_t it = {.flags = UV_IGNORE};
    if (kind != CF_STDIO_NULL)
        it.flags = UV_INHERIT_FD;
    it.data.fd = kind == CF_STDIO_PIPE ? ends->fds[which] : which;
    return it;
}

static cf_err
spawn(cf_subprocess *p,
      const cf_subprocess_options *opts,
      const struct ends *ends)
{
    const cf_stdio kinds[PIPES] = {opts->in, opts->out, opts->err};
    uv_stdio_container_t stdio[PIPES];
    for (int i = 0; i < PIPES; i++)
        stdio[i] = container(kinds[i], i, ends);
    if (opts->err == CF_STDIO_STDOUT)
        stdio[2] = stdio[1];
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = opts->argv[0],
        .args = (char **)(uintptr_t)opts->argv, /* libuv only reads it */
        .env = (char **)(uintptr_t)opts->env,
        .cwd = opts->cwd,
        .flags = opts->own_session ? UV_PROCESS_DETACHED : 0,
        .stdio_count = PIPES,
        .stdio = stdio,
    };
    p->process.data = p;
    return cf__io_error(uv_spawn(cf__io_uv(p->loop), &p->process, &options));
}

/* It did not start. libuv has the handle if it was made. */
static void
undo(cf_subprocess *p, bool made)
{
    int error = errno;
    for (int i = 0; i < PIPES; i++)
        cf_subprocess_close_pipe(p, i);
    if (made)
        uv_close((uv_handle_t *)&p->process, free_handle);
    else
        free(p);
    errno = error;
}

static cf_err
start(cf_call *call,
      struct cf__evloop *loop,
      const cf_subprocess_options *opts,
      cf_subprocess **out)
{
    const cf_stdio kinds[PIPES] = {opts->in, opts->out, opts->err};
    struct ends ends = {{-1, -1, -1}};
    cf_subprocess *p = calloc(1, sizeof *p);
    cf_err err = p ? CF_OK : CF_ENOMEM;
    if (err)
        return err;
    p->loop = loop;
    p->engine = loop->engine;
    for (int i = 0; i < PIPES && !err; i++)
        if (kinds[i] == CF_STDIO_PIPE)
            err = open_pipe(call, p, i, &ends);
    const bool tried = !err;
    if (tried)
        err = spawn(p, opts, &ends);
    close_ends(&ends);
    if (err) {
        undo(p, tried);
        return err;
    }
    cf__io_add(loop, &p->object, end_with_loop);
    *out = p;
    return CF_OK;
}

/* NULL: nothing. */
static const char *
wrong_in(const cf_subprocess_options *opts)
{
    if (!opts->argv || !opts->argv[0])
        return opts->argv ? "argv[0] is NULL" : "argv is NULL";
    if ((unsigned)opts->in > (unsigned)CF_STDIO_PIPE)
        return "in has no such value";
    if ((unsigned)opts->out > (unsigned)CF_STDIO_PIPE)
        return "out has no such value";
    if ((unsigned)opts->err > (unsigned)CF_STDIO_STDOUT)
        return "err has no such value";
    return NULL;
}

cf_err
cf_subprocess_start(cf_call *call,
                    const cf_subprocess_options *opts,
                    cf_subprocess **out)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    cf_subprocess_options options;
    const char *why = !call   ? "call is NULL"
                      : !opts ? "opts is NULL"
                      : !out  ? "out is NULL"
                              : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__options_import(&options, sizeof options, opts);
    if (!err && (why = wrong_in(&options)) != NULL)
        err = cf__einval("cf_subprocess_options", why);
    if (!err)
        err = cf__io_begin(call, &loop, &self);
    return err ? err : start(call, loop, &options, out);
}

/* --- while it runs -------------------------------------------------------- */

cf_stream *
cf_subprocess_pipe(const cf_subprocess *p, int which)
{
    return p && which >= 0 && which < PIPES ? p->pipes[which] : NULL;
}

void
cf_subprocess_close_pipe(cf_subprocess *p, int which)
{
    if (!p || which < 0 || which >= PIPES || !p->pipes[which] ||
        cf__executor_forked(&p->loop->base))
        return;
    cf_stream_close(p->pipes[which]);
    p->pipes[which] = NULL;
}

int
cf_subprocess_pid(const cf_subprocess *p)
{
    return p ? uv_process_get_pid(&p->process) : -1;
}

cf_err
cf_subprocess_kill(cf_subprocess *p, int signo)
{
    if (!p || signo < 1 || signo > SIGRTMAX)
        return cf__einval(__func__, !p ? "p is NULL" : "signo is no signal");
    if (cf__executor_forked(&p->loop->base))
        return CF_EFORKED;
    if (p->ended)
        return CF_EDONE;
    int rc = uv_process_kill(&p->process, signo);
    return rc == UV_ESRCH ? CF_EDONE : cf__io_error(rc);
}

cf_err
cf_subprocess_wait(cf_subprocess *p,
                   int64_t timeout_ns,
                   cf_subprocess_exit *exit)
{
    struct waiter waiter = {.next = NULL};
    if (!p || !cf__timeout_valid(timeout_ns))
        return cf__einval(__func__, !p ? "p is NULL" : CF__BAD_TIMEOUT);
    cf_err err = cf__io_enter(p->loop, &waiter.io.self);
    if (err)
        return err;
    int64_t deadline_ns = cf__deadline(timeout_ns);
    waiter.io.done = p->ended;
    if (!p->ended) {
        waiter.next = p->waiters;
        waiter.link = &p->waiters;
        if (waiter.next)
            waiter.next->link = &waiter.next;
        p->waiters = &waiter;
    }
    err = cf__io_wait(p->loop, waiter.io.self, &waiter.io.done, deadline_ns);
    if (!waiter.io.done) {
        *waiter.link = waiter.next;
        if (waiter.next)
            waiter.next->link = waiter.link;
    }
    if (!err && exit)
        *exit = p->exit;
    return err;
}
