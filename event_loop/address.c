/* SPDX-License-Identifier: MIT */
/* Addresses as texts: see address.h. */
#include "event_loop/address.h"

#include "lib/base/einval.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- from a text ---------------------------------------------------------- */

static bool
parse_path(struct cf__address *address, const char *path)
{
    struct sockaddr_un *to = &address->as.path;
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof to->sun_path)
        return false;
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path, length);
    if (*path != '@')
        length++; /* the final zero */
    else if (length > 1)
        to->sun_path[0] = 0; /* abstract: all bytes are the name */
    else
        length = 0; /* the system finds an abstract name */
    address->size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

/* Digits only, up to 65535. */
static bool
parse_port(const char *text, in_port_t *port)
{
    unsigned long value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned long)(*text - '0');
        if (value > UINT16_MAX)
            return false;
    }
    *port = htons((uint16_t)value);
    return true;
}

static bool
parse_v4(struct cf__address *address, const char *host, in_port_t port)
{
    struct sockaddr_in *to = &address->as.v4;
    if (inet_pton(AF_INET, host, &to->sin_addr) != 1)
        return false;
    to->sin_family = AF_INET;
    to->sin_port = port;
    address->size = sizeof *to;
    return true;
}

/* May have a zone: "fe80::1%eth0". */
static bool
parse_v6(struct cf__address *address, const char *host, in_port_t port)
{
    struct sockaddr_in6 *to = &address->as.v6;
    char number[INET6_ADDRSTRLEN];
    const char *zone = strchr(host, '%');
    size_t length = zone ? (size_t)(zone - host) : strlen(host);
    if (length >= sizeof number)
        return false;
    memcpy(number, host, length);
    number[length] = 0;
    if (inet_pton(AF_INET6, number, &to->sin6_addr) != 1)
        return false;
    if (zone && (to->sin6_scope_id = if_nametoindex(zone + 1)) == 0)
        return false;
    to->sin6_family = AF_INET6;
    to->sin6_port = port;
    address->size = sizeof *to;
    return true;
}

/* Splits "host:service" or "[host]:service". */
static bool
split(struct cf__endpoint *endpoint, const char *text, bool *in_brackets)
{
    const char *colon = strrchr(text, ':');
    if (!colon)
        return false;
    size_t length = (size_t)(colon - text);
    *in_brackets = length >= 2 && text[0] == '[' && text[length - 1] == ']';
    if (*in_brackets) {
        text++;
        length -= 2;
    } else if (memchr(text, ':', length)) {
        return false; /* where does the address end? */
    }
    if (length == 0 || length >= sizeof endpoint->host || !colon[1] ||
        strlen(colon + 1) >= sizeof endpoint->service)
        return false;
    memcpy(endpoint->host, text, length);
    endpoint->host[length] = 0;
    strcpy(endpoint->service, colon + 1); /* NOLINT(*strcpy): measured above */
    return true;
}

/* NULL, or what is wrong. */
static const char *
parse_host(struct cf__endpoint *endpoint, const char *text)
{
    bool in_brackets;
    in_port_t port;
    if (!split(endpoint, text, &in_brackets))
        return "an address is not HOST:PORT, or [HOST]:PORT";
    if (!parse_port(endpoint->service, &port)) {
        const char *digit = endpoint->service;
        bool is_number = *digit >= '0' && *digit <= '9';
        return is_number ? "an address has a port that is no number up to 65535"
               : in_brackets ? "an address in brackets has no number for a port"
                             : NULL; /* "http" */
    }
    struct cf__address *to = endpoint->addresses;
    if (in_brackets) {
        endpoint->count = 1;
        return parse_v6(to, endpoint->host, port)
                   ? NULL
                   : "what is in an address's brackets is none of IPv6";
    }
    if (strcmp(endpoint->host, "localhost") == 0) {
        endpoint->count = 2;
        (void)parse_v4(&to[0], "127.0.0.1", port);
        (void)parse_v6(&to[1], "::1", port);
        return NULL;
    }
    endpoint->count = parse_v4(to, endpoint->host, port) ? 1 : 0;
    return NULL;
}

/* What follows "scheme:" in text; NULL: it has another scheme. */
static const char *
after_scheme(const char *text, const char *scheme)
{
    size_t length = strlen(scheme);
    return strncmp(text, scheme, length) == 0 && text[length] == ':'
               ? text + length + 1
               : NULL;
}

/* NULL, or what is wrong. */
static const char *
parse(struct cf__endpoint *endpoint, const char *scheme, const char *text)
{
    const char *rest = after_scheme(text, "unix");
    if (rest) {
        endpoint->count = 1;
        return parse_path(endpoint->addresses, rest)
                   ? NULL
                   : "an address's path is empty, or too long";
    }
    rest = after_scheme(text, scheme);
    return rest ? parse_host(endpoint, rest)
                : "an address begins with tcp: (datagrams: udp:) or unix:";
}

cf_err
cf__endpoint_parse(struct cf__endpoint *endpoint,
                   const char *of,
                   const char *scheme,
                   const char *text)
{
    memset(endpoint, 0, sizeof *endpoint);
    const char *why = parse(endpoint, scheme, text);
    return why ? cf__einval(of, why) : CF_OK;
}

/* --- to a text ------------------------------------------------------------ */

static int
print_v6(const struct sockaddr_in6 *from,
         const char *scheme,
         char *to,
         size_t size)
{
    char number[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
    const char *zone =
        from->sin6_scope_id ? if_indextoname(from->sin6_scope_id, name) : NULL;
    (void)inet_ntop(AF_INET6, &from->sin6_addr, number, sizeof number);
    return snprintf(to,
                    size,
                    "%s%s[%s%s%s]:%u",
                    scheme ? scheme : "",
                    scheme ? ":" : "",
                    number,
                    zone ? "%" : "",
                    zone ? zone : "",
                    (unsigned)ntohs(from->sin6_port));
}

static int
print_path(const struct cf__address *address, char *to, size_t size)
{
    const char *path = address->as.path.sun_path;
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    size_t length = address->size > before ? address->size - before : 0;
    if (length > 0 && !path[0]) /* abstract */
        return snprintf(to, size, "unix:@%.*s", (int)length - 1, path + 1);
    return snprintf(to, size, "unix:%.*s", (int)strnlen(path, length), path);
}

cf_err
cf__address_text(const struct cf__address *address,
                 const char *scheme,
                 char *to,
                 size_t size)
{
    char number[INET_ADDRSTRLEN];
    int length;
    *to = 0;
    switch (address->size ? address->as.any.sa_family : AF_UNIX) {
    case AF_INET:
        (void)inet_ntop(
            AF_INET, &address->as.v4.sin_addr, number, sizeof number);
        length = snprintf(to,
                          size,
                          "%s%s%s:%u",
                          scheme ? scheme : "",
                          scheme ? ":" : "",
                          number,
                          (unsigned)ntohs(address->as.v4.sin_port));
        break;
    case AF_INET6:
        length = print_v6(&address->as.v6, scheme, to, size);
        break;
    case AF_UNIX:
        length = print_path(address, to, size);
        break;
    default:
        return CF_ENOTSUP;
    }
    if (length >= 0 && (size_t)length < size)
        return CF_OK;
    *to = 0;
    return CF_ETOOBIG;
}
