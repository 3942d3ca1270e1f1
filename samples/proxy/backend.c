/* SPDX-License-Identifier: MIT */
#include "backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Notes whether it is up, and says so if that is news. */
static void
note(struct backend *backend, cf_err err)
{
    bool down = err != CF_OK;
    const char *state = down ? "down" : "up";
    if (down != backend->down)
        fprintf(stderr, "proxy: %s is %s\n", backend->address, state);
    backend->down = down;
}

static cf_err
connect_to(cf_call *call,
           const struct backends *all,
           struct backend *backend,
           cf_stream **out)
{
    cf_err err =
        cf_stream_connect(call, backend->address, NULL, all->connect_ns, out);
    if (err == CF_EINTERRUPTED)
        return err;
    note(backend, err);
    backend->refused += err != CF_OK;
    return err;
}

cf_err
backends_connect(cf_call *call,
                 struct backends *all,
                 struct backend **out,
                 cf_stream **server)
{
    cf_err err = CF_ESYS;
    size_t first = all->next++;
    for (size_t i = 0; all->count > 0 && i < 2 * all->count; i++) {
        struct backend *backend = &all->list[(first + i) % all->count];
        if (backend->down != (i >= all->count))
            continue; /* those that are up in the first round */
        err = connect_to(call, all, backend, server);
        if (!err) {
            *out = backend;
            return CF_OK;
        }
        if (err == CF_EINTERRUPTED)
            break;
    }
    return err;
}

int
backends_check(cf_call *call, const void *arg, size_t arg_size)
{
    struct backends *all;
    memcpy(&all, arg, arg_size);
    while (cf_sleep(call, all->check_ns) == CF_OK) {
        for (size_t i = 0; i < all->count; i++) {
            cf_stream *s;
            cf_err err = connect_to(call, all, &all->list[i], &s);
            if (err == CF_EINTERRUPTED)
                return 0;
            if (!err)
                cf_stream_close(s);
        }
    }
    return 0;
}

void
backends_report(const struct backends *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct backend *b = &all->list[i];
        printf("%s: %s, %" PRIu64 " served, %" PRIu64 " open, %" PRIu64
               " refused, %" PRIu64 " bytes in, %" PRIu64 " bytes out\n",
               b->address,
               b->down ? "down" : "up",
               b->served,
               b->open,
               b->refused,
               b->copied.to_server,
               b->copied.to_client);
    }
    (void)fflush(stdout);
}
