/* SPDX-License-Identifier: MIT */
/* The public look-up of names: <cfutures/resolve.h>. No locks. */
#include <cfutures/resolve.h>

#include "event_loop/address.h"
#include "event_loop/resolver.h"

#include "lib/base/einval.h"
#include "lib/executor/budget.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static bool
is_known(const struct cf__address *all, size_t count, const struct addrinfo *it)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].size == it->ai_addrlen &&
            memcmp(&all[i].as, it->ai_addr, it->ai_addrlen) == 0)
            return true;
    }
    return false;
}

static void
add(cf_address *to, struct cf__address *address, const struct addrinfo *from)
{
    memcpy(&address->as, from->ai_addr, from->ai_addrlen);
    address->size = from->ai_addrlen;
    to->sockaddr = &address->as.any;
    to->sockaddr_size = address->size;
    (void)cf__address_text(address, NULL, to->text, sizeof to->text);
}

static cf_err
copy(const struct addrinfo *answer, cf_addresses *out)
{
    size_t most = 1, count = 0; /* an answer has one address at least */
    for (const struct addrinfo *at = answer->ai_next; at; at = at->ai_next)
        most++;
    cf_address *at = calloc(most, sizeof *at + sizeof(struct cf__address));
    if (!at)
        return CF_ENOMEM;
    struct cf__address *addresses = (struct cf__address *)(void *)(at + most);
    for (; answer; answer = answer->ai_next) {
        const bool is_ip =
            answer->ai_family == AF_INET || answer->ai_family == AF_INET6;
        if (!is_ip || is_known(addresses, count, answer))
            continue;
        add(&at[count], &addresses[count], answer);
        count++;
    }
    if (count == 0) {
        free(at);
        errno = ENOENT;
        return CF_ESYS;
    }
    *out = (cf_addresses){count, at};
    return CF_OK;
}

/* Numbers, which the system looks for nowhere. */
static bool
is_number(const char *host, const char *service, struct addrinfo **answer)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    return getaddrinfo(host, service, &hints, answer) == 0;
}

cf_err
cf_resolve(cf_call *call,
           const char *host,
           const char *service,
           int64_t timeout_ns,
           cf_addresses *addresses)
{
    struct cf__evloop *loop;
    struct cf__coroutine *self;
    struct addrinfo *answer;
    const char *why = !call                            ? "call is NULL"
                      : !host                          ? "host is NULL"
                      : !addresses                     ? "addresses is NULL"
                      : !cf__timeout_valid(timeout_ns) ? CF__BAD_TIMEOUT
                                                       : NULL;
    if (why)
        return cf__einval(__func__, why);
    cf_err err = cf__io_begin(call, &loop, &self);
    if (err)
        return err;
    if (!is_number(host, service, &answer)) {
        err = cf__resolver_ask(
            loop, host, service, 0, cf__deadline(timeout_ns), &answer);
    } else if (timeout_ns != 0) {
        cf__budget_spend();
    }
    if (err)
        return err;
    err = copy(answer, addresses);
    freeaddrinfo(answer);
    return err;
}

void
cf_addresses_free(cf_addresses *addresses)
{
    if (!addresses)
        return;
    free((cf_address *)(uintptr_t)addresses->at);
    *addresses = (cf_addresses){0, NULL};
}
