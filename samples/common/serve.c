/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include "run_task.h"

#include <cfutures/listener.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Accepts until the task is told to stop. */
static cf_err
accept_all(const struct service *service, cf_listener *l, cf_group *group)
{
    for (;;) {
        struct guest guest = {.server = service->server};
        cf_err err = cf_listener_accept(l, CF_FOREVER, &guest.stream);
        if (err == CF_EINTERRUPTED)
            return CF_OK;
        if (err == CF_ESYS || err == CF_ENOMEM) { /* too many connections */
            const char *why =
                err == CF_ESYS ? strerror(errno) : cf_strerror(err);
            fprintf(stderr, "%s: accept: %s\n", service->program, why);
            continue;
        }
        if (err)
            return err;
        if (cf_group_submit(group, service->fn, &guest, sizeof guest, NULL))
            cf_stream_close(guest.stream);
    }
}

static cf_err
listen_and_accept(cf_call *call, const struct service *service, cf_group *group)
{
    char address[CF_ADDRESS_MAX];
    cf_listener *l;
    cf_err err = cf_listener_create(call, service->address, NULL, &l);
    if (err)
        return err;
    err = cf_listener_address(l, address, sizeof address);
    if (!err && service->begin)
        err = service->begin(group, service->server);
    if (!err) {
        printf("listening on %s\n", address);
        (void)fflush(stdout);
        err = accept_all(service, l, group);
    }
    cf_listener_close(l);
    return err;
}

/* The main task. */
static int
run(cf_call *call, const void *arg, size_t arg_size)
{
    const struct service *service = arg;
    cf_group *group;
    (void)arg_size;
    cf_err err =
        cf_group_create(cf_call_executor(call),
                        &CF_GROUP_OPTIONS(.on_error = CF_ON_ERROR_KEEP_GOING),
                        &group);
    if (!err) {
        err = listen_and_accept(call, service, group);
        int error = errno;
        cf_group_destroy(group); /* tells them to stop, and waits for them */
        errno = error;
    }
    const char *why = err == CF_ESYS ? strerror(errno) : cf_strerror(err);
    return err ? cf_fail(call, (int)err, "%s: %s", service->address, why) : 0;
}

bool
serve(const struct service *service)
{
    return run_task(service->program, run, service, sizeof *service);
}
