/* SPDX-License-Identifier: MIT */
/*
 * CF_DEBUG=1: each call on a loop, a descriptor, a name, a signal, a subprocess
 * or a transfer that returns CF_EINVAL says why, in one line.
 */
#define _GNU_SOURCE /* NOLINT: a name of glibc */
#include <cfutures/io.h>
#include <cfutures/resolve.h>
#include <cfutures/subprocess.h>
#if HAS_CURL
#include <cfutures/curl.h>
#endif

#include <signal.h>

#include "tests/observers/says.h"
#include "tests/observers/task.h"

/* --- the loop ------------------------------------------------------------- */

static void
make_loops(void)
{
    cf_executor *ex = NULL;
    cf_event_loop_options o = CF_EVENT_LOOP_OPTIONS_INIT;
    SAYS("cf_event_loop_create: out is NULL", cf_event_loop_create(&o, NULL));
    o.queue_policy = (cf_queue_policy)9;
    SAYS("cf_event_loop_options: queue_policy has no such value",
         cf_event_loop_create(&o, &ex));
    o.queue_policy = CF_QUEUE_BLOCK;
    o.stall_ns = -2;
    SAYS("cf_event_loop_options: stall_ns is below -1, which is CF_FOREVER",
         cf_event_loop_create(&o, &ex));
    o.stall_ns = 0;
    o.stack_size = 8;
    SAYS("cf_event_loop_options: stack_size is below CF_EVENT_LOOP_STACK_MIN",
         cf_event_loop_create(&o, &ex));
    o.stack_size = 0;
    o.uv_loop = (void *)&o;
    SAYS("cf_event_loop_options: cf_event_loop_run() has a loop of its own: "
         "uv_loop is set",
         cf_event_loop_run(&o, task_nothing, NULL, 0, NULL));
    o.size = 0;
    SAYS(SIZE, cf_event_loop_create(&o, &ex));
    SAYS("cf_event_loop_run: fn is NULL",
         cf_event_loop_run(NULL, NULL, NULL, 0, NULL));
    SAYS("cf_event_loop_run: arg is NULL, but arg_size is not 0",
         cf_event_loop_run(NULL, task_nothing, NULL, 1, NULL));
    SAYS("cf_executor_open: a loop has one worker",
         cf_executor_open("loop:2", &ex));
    SAYS("cf_executor_open: inline has one worker",
         cf_executor_open("inline:2", &ex));
    SAYS("cf_inline_create: out is NULL", cf_inline_create(NULL));
    CHECK(ex == NULL);
}

static cf_err
begin(struct uv_loop_s *uv, void **data)
{
    (void)uv;
    (void)data;
    return CF_OK;
}

static void
end(void *data)
{
    (void)data;
}

static void
extend(cf_call *call)
{
    cf_event_loop_extension e = {begin, end};
    void *data;
    SAYS("cf_call: call is NULL", cf_event_loop_extend(NULL, &e, &data));
    SAYS("cf_event_loop_extend: extension is NULL",
         cf_event_loop_extend(call, NULL, &data));
    SAYS("cf_event_loop_extend: data is NULL",
         cf_event_loop_extend(call, &e, NULL));
    e.end = NULL;
    SAYS("cf_event_loop_extend: extension->end is NULL",
         cf_event_loop_extend(call, &e, &data));
    e.begin = NULL;
    SAYS("cf_event_loop_extend: extension->begin is NULL",
         cf_event_loop_extend(call, &e, &data));
}

/* --- descriptors ---------------------------------------------------------- */

struct waiting {
    int fd;
    bool begins; /* nothing else runs before it waits */
};

static int
task_waits(cf_call *call, const void *arg, size_t arg_size)
{
    struct waiting *w = (struct waiting *)(uintptr_t)arg;
    (void)arg_size;
    w->begins = true;
    return cf_wait_fd(call, w->fd, CF_FD_READ, CF_FOREVER, NULL) !=
           CF_EINTERRUPTED;
}

static void
wait_fds(cf_call *call, int fd)
{
    struct waiting w = {.fd = fd};
    cf_future *f = NULL;
    SAYS("cf_wait_fd: call is NULL", cf_wait_fd(NULL, fd, CF_FD_READ, 0, NULL));
    SAYS("cf_wait_fd: fd is negative",
         cf_wait_fd(call, -1, CF_FD_READ, 0, NULL));
    SAYS("cf_wait_fd: events is 0", cf_wait_fd(call, fd, 0, 0, NULL));
    SAYS("cf_wait_fd: events has an unknown bit",
         cf_wait_fd(call, fd, 64, 0, NULL));
    SAYS("cf_wait_fd: " TIMEOUT, cf_wait_fd(call, fd, CF_FD_READ, -2, NULL));
    CHECK(!cf_submit(cf_call_executor(call), task_waits, &w, 0, &f));
    while (f && !w.begins)
        (void)cf_yield(call);
    SAYS("cf_wait_fd: another task waits for the same of fd",
         cf_wait_fd(call, fd, CF_FD_READ, 0, NULL));
    cf_fd_closing(call, fd);
    join(f);
}

/* --- the rest ------------------------------------------------------------- */

static void
ask(cf_call *call)
{
    const int kill[] = {SIGUSR1, SIGKILL};
    cf_addresses all = {0, NULL};
    SAYS("cf_resolve: call is NULL", cf_resolve(NULL, "::1", NULL, 0, &all));
    SAYS("cf_resolve: host is NULL", cf_resolve(call, NULL, NULL, 0, &all));
    SAYS("cf_resolve: addresses is NULL",
         cf_resolve(call, "::1", NULL, 0, NULL));
    SAYS("cf_resolve: " TIMEOUT, cf_resolve(call, "::1", NULL, -2, &all));
    SAYS("cf_signal_wait: call is NULL",
         cf_signal_wait(NULL, kill, 1, 0, NULL));
    SAYS("cf_signal_wait: signos is NULL",
         cf_signal_wait(call, NULL, 1, 0, NULL));
    SAYS("cf_signal_wait: count is 0", cf_signal_wait(call, kill, 0, 0, NULL));
    SAYS("cf_signal_wait: " TIMEOUT, cf_signal_wait(call, kill, 1, -2, NULL));
    SAYS("cf_signal_wait: one of signos is no signal, or cannot be caught",
         cf_signal_wait(call, kill, 2, 0, NULL));
}

static void
start(cf_call *call)
{
    const char *const argv[] = {"true", NULL};
    cf_subprocess_options o = CF_SUBPROCESS_OPTIONS_INIT;
    cf_subprocess *p = NULL;
    SAYS("cf_subprocess_start: call is NULL",
         cf_subprocess_start(NULL, &o, &p));
    SAYS("cf_subprocess_start: opts is NULL",
         cf_subprocess_start(call, NULL, &p));
    SAYS("cf_subprocess_start: out is NULL",
         cf_subprocess_start(call, &o, NULL));
    SAYS("cf_subprocess_options: argv is NULL",
         cf_subprocess_start(call, &o, &p));
    o.argv = argv + 1;
    SAYS("cf_subprocess_options: argv[0] is NULL",
         cf_subprocess_start(call, &o, &p));
    o.argv = argv;
    o.in = (cf_stdio)9;
    SAYS("cf_subprocess_options: in has no such value",
         cf_subprocess_start(call, &o, &p));
    o.in = CF_STDIO_INHERIT;
    o.out = CF_STDIO_STDOUT;
    SAYS("cf_subprocess_options: out has no such value",
         cf_subprocess_start(call, &o, &p));
    o.out = CF_STDIO_INHERIT;
    o.err = (cf_stdio)9;
    SAYS("cf_subprocess_options: err has no such value",
         cf_subprocess_start(call, &o, &p));
    o.err = CF_STDIO_INHERIT;
    CHECK(!cf_subprocess_start(call, &o, &p));
    SAYS("cf_subprocess_wait: p is NULL", cf_subprocess_wait(NULL, 0, NULL));
    SAYS("cf_subprocess_wait: " TIMEOUT, cf_subprocess_wait(p, -2, NULL));
    SAYS("cf_subprocess_kill: p is NULL", cf_subprocess_kill(NULL, SIGTERM));
    SAYS("cf_subprocess_kill: signo is no signal", cf_subprocess_kill(p, 0));
    CHECK(!cf_subprocess_wait(p, CF_FOREVER, NULL));
    cf_subprocess_destroy(p);
}

static void
run(cf_call *call)
{
    const char *const argv[] = {"true", NULL};
    const cf_subprocess_options o = CF_SUBPROCESS_OPTIONS(.argv = argv);
    cf_subprocess_output all;
    SAYS("cf_subprocess_run: call is NULL",
         cf_subprocess_run(NULL, &o, NULL, 0, 0, &all));
    SAYS("cf_subprocess_run: opts is NULL",
         cf_subprocess_run(call, NULL, NULL, 0, 0, &all));
    SAYS("cf_subprocess_run: output is NULL",
         cf_subprocess_run(call, &o, NULL, 0, 0, NULL));
    SAYS("cf_subprocess_run: input is NULL, but input_size is not 0",
         cf_subprocess_run(call, &o, NULL, 1, 0, &all));
    SAYS("cf_subprocess_run: " TIMEOUT,
         cf_subprocess_run(call, &o, NULL, 0, -2, &all));
}

static void
transfer(cf_call *call)
{
#if HAS_CURL
    CURLcode code;
    CURL *easy = curl_easy_init();
    SAYS("cf_curl_perform: easy is NULL",
         cf_curl_perform(call, NULL, 0, &code));
    SAYS("cf_curl_perform: code is NULL", cf_curl_perform(call, easy, 0, NULL));
    SAYS("cf_curl_perform: " TIMEOUT, cf_curl_perform(call, easy, -2, &code));
    CURLM *other = curl_multi_init();
    CHECK(curl_multi_add_handle(other, easy) == CURLM_OK);
    SAYS("cf_curl_perform: easy is in a transfer already, or is no easy handle",
         cf_curl_perform(call, easy, 0, &code));
    (void)curl_multi_remove_handle(other, easy);
    (void)curl_multi_cleanup(other);
    curl_easy_cleanup(easy);
#else
    (void)call;
#endif
}

static int
task_all(cf_call *call, const void *arg, size_t arg_size)
{
    int ends[2];
    (void)arg;
    (void)arg_size;
    make_loops();
    extend(call);
    CHECK(!pipe2(ends, O_CLOEXEC));
    wait_fds(call, ends[0]);
    (void)close(ends[0]);
    (void)close(ends[1]);
    ask(call);
    start(call);
    run(call);
    transfer(call);
    return 0;
}

int
main(int argc, char **argv)
{
    return run_with_cf_debug(argc, argv, task_all);
}
