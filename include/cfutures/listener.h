/* SPDX-License-Identifier: MIT */
/*
 * Listeners in an event loop: they accept connections, each of which is a
 * stream. Which tasks may use one, and what an address is: stream.h.
 */
#ifndef CFUTURES_LISTENER_H
#define CFUTURES_LISTENER_H

#include <cfutures/stream.h>

CF_BEGIN_DECLS

typedef struct cf_listener cf_listener;

/* Zero is the default of every field but size, which CF_LISTENER_OPTIONS() and
 * CF_LISTENER_OPTIONS_INIT set: 0 is CF_EINVAL. */
typedef struct cf_listener_options {
    size_t size;     /* sizeof(cf_listener_options) */
    int backlog;     /* connections that may wait to be accepted; 0: what the
                        system allows */
    bool reuse_port; /* TCP: other sockets may listen on the same port, and the
                        system deals the connections out: one loop per CPU */
    const cf_stream_options *stream; /* of accepted streams; NULL: defaults.
                                        Copied */
} cf_listener_options;

#define CF_LISTENER_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(cf_listener_options), 0, false, NULL                            \
    }
#ifndef __cplusplus
#define CF_LISTENER_OPTIONS(...) CF_WITH_SIZE(cf_listener_options, __VA_ARGS__)
#endif

/**
 * Listens on an address.
 *
 * @param call      The task's own call.
 * @param address   "tcp:127.0.0.1:8080"; port 0: any that is free, see
 *                  cf_listener_address(). "tcp:0.0.0.0:PORT" and
 *                  "tcp:[::]:PORT": all addresses of the machine. Of a name,
 *                  its first address. "unix:PATH": a socket that a former
 *                  program has left there is replaced, if nothing listens on
 *                  it.
 * @param opts      NULL: defaults.
 * @param[out] out  The listener; untouched on error.
 *
 * @retval CF_OK           Connections are accepted by the system from now on.
 * @retval CF_EINVAL       call, address or out is NULL, or address is none, or
 *                         backlog is below 0, or opts->size is no size.
 * @retval CF_ETOOBIG      As CF_EINVAL, for opts of a later version.
 * @retval CF_EINTERRUPTED The task has been told to stop while it waited for a
 *                         name.
 * @retval CF_ENOTSUP      This is no task of an event loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more: EADDRINUSE, EACCES, ...
 *
 * Ownership: *out is the caller's; cf_listener_close() it.
 * Threads:   the loop's.
 * Blocks:    the task, if a name has to be looked up; else no.
 * Ordering:  none.
 * Fork:      CF_EFORKED.
 * Python:    asyncio.start_server(), start_unix_server().
 */
CF_API CF_NODISCARD cf_err cf_listener_create(cf_call *call,
                                              const char *address,
                                              const cf_listener_options *opts,
                                              cf_listener **out);

/**
 * Waits for the next connection.
 *
 * If the process has no descriptor left, that is CF_ESYS with errno EMFILE or
 * ENFILE. The peer that waited longest is then accepted and dropped, so that it
 * learns of it; and the next call lets 50 ms pass before it looks again. So a
 * server that goes on after such an error does not spin.
 *
 * @param l           The listener.
 * @param timeout_ns  0: only a connection that is there.
 * @param[out] out    The stream; untouched on error.
 *
 * @retval CF_OK
 * @retval CF_EINVAL       l or out is NULL, or timeout_ns is below -1, or
 *                         another task is accepting.
 * @retval CF_ETIMEDOUT
 * @retval CF_EINTERRUPTED The task has been told to stop, or another one has
 *                         closed the listener.
 * @retval CF_ENOTSUP      This is no task of the listener's loop.
 * @retval CF_EFORKED      In a child that a task has forked.
 * @retval CF_ENOMEM
 * @retval CF_ESYS         errno says more.
 *
 * Ownership: *out is the caller's; cf_stream_close() it.
 * Threads:   the loop's.
 * Blocks:    the task, until a peer connects.
 * Ordering:  as the system has accepted them.
 * Fork:      CF_EFORKED.
 * Python:    client_connected_cb of asyncio.start_server().
 */
CF_API CF_NODISCARD cf_err cf_listener_accept(cf_listener *l,
                                              int64_t timeout_ns,
                                              cf_stream **out);

/**
 * Writes the address on which it listens as a text, such as
 * "tcp:127.0.0.1:8080".
 *
 * @param l          The listener.
 * @param[out] text  Room for CF_ADDRESS_MAX bytes is always enough; empty on
 *                   error.
 * @param size       Bytes of room.
 *
 * @retval CF_OK
 * @retval CF_EINVAL   l or text is NULL, or size is 0.
 * @retval CF_ETOOBIG  The address does not fit into size.
 * @retval CF_ESYS     errno says more.
 *
 * Ownership: text is the caller's.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  none.
 * Fork:      works in a child.
 * Python:    Server.sockets[0].getsockname().
 */
CF_API cf_err cf_listener_address(const cf_listener *l,
                                  char *text,
                                  size_t size);

/**
 * Stops to listen, and frees the listener. Streams that it has accepted stay.
 *
 * A task that accepts meanwhile gets CF_EINTERRUPTED, and must not use the
 * listener again. The path of a Unix socket is removed, if it is still this
 * listener's. A loop that ends closes the listeners that are left.
 *
 * @param l  NULL: nothing happens. In a child that a task has forked nothing
 *           happens either.
 *
 * Ownership: l is gone.
 * Threads:   the loop's.
 * Blocks:    no.
 * Ordering:  connections that were not accepted are reset by the system.
 * Fork:      see l.
 * Python:    Server.close().
 */
CF_API void cf_listener_close(cf_listener *l);

CF_END_DECLS

#endif
