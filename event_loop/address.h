/* SPDX-License-Identifier: MIT */
/* Addresses as texts ("tcp:127.0.0.1:80", "unix:/path") and as the system has
 * them. Nothing here waits. */
#ifndef CF_EVENT_LOOP_ADDRESS_H
#define CF_EVENT_LOOP_ADDRESS_H

#include <cfutures/error.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { CF__HOST_MAX = 256, CF__SERVICE_MAX = 32, CF__ADDRESSES_MAX = 16 };

struct cf__address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
        struct sockaddr_storage room;
    } as;
    socklen_t size;
};

/* What an address text says. */
struct cf__endpoint {
    /* Known without asking: of numbers, of a path, of "localhost". 0: host and
     * service have to be looked up. */
    size_t count;
    struct cf__address addresses[2];
    char host[CF__HOST_MAX];
    char service[CF__SERVICE_MAX];
};

/* of: the public function, for the reason of a CF_EINVAL. scheme: "tcp" or
 * "udp"; "unix" is always known. text is not NULL. CF_OK or CF_EINVAL. */
cf_err cf__endpoint_parse(struct cf__endpoint *endpoint,
                          const char *of,
                          const char *scheme,
                          const char *text);

/* Writes the text to `to` (size bytes, not 0): empty on error. scheme NULL: it
 * begins with the host. CF_OK, CF_ETOOBIG; CF_ENOTSUP: of another family. */
cf_err cf__address_text(const struct cf__address *address,
                        const char *scheme,
                        char *to,
                        size_t size);

/* NULL, or why no address can be written to text. */
static inline const char *
cf__wrong_text(const char *text, size_t size)
{
    return !text ? "text is NULL" : size == 0 ? "size is 0" : NULL;
}

#endif
