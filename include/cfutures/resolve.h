/* SPDX-License-Identifier: MIT */
/*
 * What names of hosts stand for, in the tasks of an event loop.
 *
 * Who only wants to connect needs none of this: cf_stream_connect() takes
 * names.
 *
 * The system looks names up (getaddrinfo()), and blocks its caller meanwhile,
 * for many seconds if a server does not answer. So each name that a task asks
 * for has a thread of the library's own. A loop has at most 32 of these at
 * once, and more names wait for the first of them: only if so many are slow
 * does one name wait for another one. Nothing else waits for them. The same
 * holds for the names of streams, listeners and datagrams.
 *
 * A task that is told to stop, or whose timeout passes, returns at once. The
 * system cannot be told to stop: the thread frees by itself what it has when
 * the system has answered, and counts as one of the 32 until then. The end of
 * the loop, of the program, or of a fork's child waits for no such thread.
 */
#ifndef CFUTURES_RESOLVE_H
#define CFUTURES_RESOLVE_H

#include <cfutures/stream.h>

CF_BEGIN_DECLS

struct sockaddr;

/* One address of a host. */
typedef struct cf_address {
    const struct sockaddr *sockaddr; /* for connect(), sendto(); IPv4 or IPv6 */
    size_t sockaddr_size;            /* bytes */
    char text[CF_ADDRESS_MAX];       /* "192.0.2.1:80", "[2001:db8::1]:80". With
                                  "tcp:" or "udp:" before it, it is what streams
                                  and datagrams take as an address */
} cf_address;

/* All of them, in the order in which to try them; none is there twice. */
typedef struct cf_addresses {
    size_t count; /* at least 1 */
    const cf_address *at;
} cf_addresses;

/**
 * Looks up the addresses of a host.
 *
 * A host in numbers, with a service in numbers, is answered at once.
 *
 * @param call            The task's own call.
 * @param host            "example.org", "127.0.0.1", "::1". What is not ASCII
 *                        is in the encoding of the locale (setlocale()).
 * @param service         "http", "80"; NULL: port 0.
 * @param timeout_ns      With 0 only numbers succeed.
 * @param[out] addresses  Untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       call, host or addresses is NULL, or timeout_ns is
 *                         below -1.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop.
 * @retval CF_ENOTSUP      This is no task of an event loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more. ENOENT: there is no such host, or it
 *                         has no address. EAGAIN: no server has answered, or no
 *                         thread could be started; try later. EPROTONOSUPPORT:
 *                         there is no such service.
 *
 * Ownership: cf_addresses_free() *addresses. host and service are copied.
 * Threads:   the loop's.
 * Blocks:    the task, until the system has answered.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    loop.getaddrinfo().
 */
CF_API CF_NODISCARD cf_err cf_resolve(cf_call *call,
                                      const char *host,
                                      const char *service,
                                      int64_t timeout_ns,
                                      cf_addresses *addresses);

/**
 * Frees what cf_resolve() gave.
 *
 * @param addresses  Has no addresses after that. NULL, or all zero: nothing
 *                   happens.
 *
 * Ownership: the addresses are gone; the struct stays the caller's.
 * Threads:   any.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    none.
 */
CF_API void cf_addresses_free(cf_addresses *addresses);

CF_END_DECLS

#endif
