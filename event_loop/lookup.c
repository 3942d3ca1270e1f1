/* SPDX-License-Identifier: MIT */
/* Names become addresses: see lookup.h. No locks. */
#include "event_loop/lookup.h"

#include "event_loop/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

/* The first one from `at` on that is of that family, or, if same is false, of
 * another one; NULL: there is none. */
static const struct addrinfo *
find_next(const struct addrinfo *at, int family, bool same)
{
    const size_t room = sizeof((struct cf__address *)NULL)->as;
    while (at && ((at->ai_family == family) != same || at->ai_addrlen > room))
        at = at->ai_next;
    return at;
}

/* As many as there is room for, of the two families in turns (RFC 8305, section
 * 4); the first one stays the first. */
static void
interleave(const struct addrinfo *all, struct cf__addresses *out)
{
    const int family = all->ai_family;
    const struct addrinfo *next[2] = {find_next(all, family, true),
                                      find_next(all, family, false)};
    out->count = 0;
    for (int turn = 0; next[0] || next[1]; turn = !turn) {
        const struct addrinfo *at = next[turn];
        if (!at)
            continue;
        if (out->count == CF__ADDRESSES_MAX)
            break;
        struct cf__address *to = &out->at[out->count++];
        memcpy(&to->as, at->ai_addr, at->ai_addrlen);
        to->size = at->ai_addrlen;
        next[turn] = find_next(at->ai_next, family, turn == 0);
    }
}

cf_err
cf__lookup(struct cf__evloop *loop,
           const struct cf__endpoint *endpoint,
           int socket_type,
           int64_t deadline_ns,
           struct cf__addresses *out)
{
    struct addrinfo *all;
    if (endpoint->count > 0) {
        out->count = endpoint->count;
        memcpy(out->at, endpoint->addresses, sizeof endpoint->addresses);
        return CF_OK;
    }
    cf_err err = cf__resolver_ask(loop,
                                  endpoint->host,
                                  endpoint->service,
                                  socket_type,
                                  deadline_ns,
                                  &all);
    if (err)
        return err;
    interleave(all, out);
    freeaddrinfo(all);
    if (out->count > 0)
        return CF_OK;
    errno = ENOENT;
    return CF_ESYS;
}
