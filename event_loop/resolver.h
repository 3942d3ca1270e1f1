/* SPDX-License-Identifier: MIT */
/*
 * Asks the system what names stand for, in threads of the library's own: the
 * system's resolver blocks its caller. README.md, "Names", has the protocol.
 */
#ifndef CF_EVENT_LOOP_RESOLVER_H
#define CF_EVENT_LOOP_RESOLVER_H

#include "event_loop/io.h"

struct addrinfo;

/* So many names of a loop are looked up at once, each in a thread; the others
 * wait in the order in which they came. */
enum { CF__LOOKUPS_MAX = 32 };

/*
 * getaddrinfo() in another thread; the task is suspended. socket_type: as in
 * struct addrinfo, 0 for all. It is called after cf__io_begin().
 * CF_OK: *out is for freeaddrinfo(). CF_ETIMEDOUT, CF_EINTERRUPTED, CF_ENOMEM,
 * CF_ESYS: errno says more.
 */
cf_err cf__resolver_ask(struct cf__evloop *loop,
                        const char *host,
                        const char *service,
                        int socket_type,
                        int64_t deadline_ns,
                        struct addrinfo **out);

/* What a status of getaddrinfo() is in the library. error: errno after it. */
cf_err cf__resolver_error(int status, int error);

#endif
